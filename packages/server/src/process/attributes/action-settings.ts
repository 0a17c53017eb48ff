import type { SettingsMap } from '../../config/settings-map.ts';
import { Regex, RegexError } from '../regex.ts';
import { settingAttribute } from '../setting-attribute.ts';
import { type ActionSource, type AttributeAction, CONVERTED_TYPES } from './attribute-actions.ts';

const ACTIONS = ['insert', 'update', 'upsert', 'delete', 'hash', 'extract', 'convert'] as const;

/** Reads one of the `actions` of the attributes processor, or of the `attributes` of the resource processor. */
export function readAction(settings: SettingsMap): AttributeAction {
  const action = settings.choice('action', ACTIONS);
  const key = settings.string('key', null);
  const pattern = readPattern(settings);
  const source = readSource(settings);
  const convertedType = settings.choice('converted_type', CONVERTED_TYPES, null);
  if (source !== null && action !== 'insert' && action !== 'update' && action !== 'upsert') {
    throw settings.failHere(`${action} takes no value`);
  }
  if (action === 'delete' || action === 'hash') {
    if (key === null && pattern === null) {
      throw settings.failHere(`${action} needs a key or a pattern`);
    }
    return { action, key, pattern };
  }
  if (key === null) {
    throw settings.failHere('"key" is required');
  }
  switch (action) {
    case 'extract':
      if (pattern === null || pattern.groupNames.length === 0) {
        throw settings.failHere('extract needs a pattern with named groups, such as (?P<name>.*)');
      }
      return { action, key, pattern };
    case 'convert':
      if (convertedType === null) {
        throw settings.failHere(`convert needs a converted_type (one of ${CONVERTED_TYPES.join(', ')})`);
      }
      return { action, key, convertedType };
    default:
      if (pattern !== null) {
        throw settings.fail('pattern', `${action} takes no pattern`);
      }
      if (source === null) {
        throw settings.failHere(`${action} needs a value or from_attribute`);
      }
      return { action, key, source };
  }
}

function readSource(settings: SettingsMap): ActionSource | null {
  const value = settings.value('value');
  const fromAttribute = settings.string('from_attribute', null);
  if (settings.string('from_context', null) !== null) {
    throw settings.fail('from_context', 'Signalbox does not hand headers and addresses of requests to processors');
  }
  if (value !== undefined && value !== null && fromAttribute !== null) {
    throw settings.failHere('give either value or from_attribute');
  }
  if (fromAttribute !== null) {
    return { fromAttribute };
  }
  return value === undefined || value === null ? null : { value: settingAttribute(value) };
}

function readPattern(settings: SettingsMap): Regex | null {
  const pattern = settings.string('pattern', null);
  try {
    return pattern === null ? null : new Regex(pattern);
  } catch (error) {
    throw error instanceof RegexError ? settings.fail('pattern', error.message) : error;
  }
}
