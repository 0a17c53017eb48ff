import type { AttributeValue } from '@signalbox/records';
import type { SettingsMap, SettingValue } from '../config/settings-map.ts';

/** A plain value of the configuration file as an attribute's value: whole numbers are ints. */
export function settingAttribute(value: SettingValue): AttributeValue {
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) ? BigInt(value) : value;
  }
  if (value === null || typeof value !== 'object') {
    return value;
  }
  return Array.isArray(value)
    ? value.map(settingAttribute)
    : { entries: Object.entries(value).map(([key, entry]) => [key, settingAttribute(entry)] as const) };
}

/** Whether the list under `key` holds texts, not tables. */
export function isListOfTexts(settings: SettingsMap, key: string): boolean {
  const value = settings.value(key);
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
