import type { SettingsMap } from '../../config/settings-map.ts';
import { RegexError } from '../regex.ts';
import { settingAttribute } from '../setting-attribute.ts';
import type { AttributeMatch, Matcher, MatchProperties } from './record-matcher.ts';

/** Reads a table such as `include` or `exclude`; null when it is absent. */
export function readMatchProperties(settings: SettingsMap | null): MatchProperties | null {
  if (settings === null) {
    return null;
  }
  const severity = settings.optionalTable('log_severity_number');
  // Caches of upstream's; patterns here need none.
  settings.value('regexp');
  const properties: MatchProperties = {
    matchType: settings.choice('match_type', ['strict', 'regexp']),
    ...texts(settings, 'services', 'services'),
    ...texts(settings, 'span_names', 'spanNames'),
    ...texts(settings, 'span_kinds', 'spanKinds'),
    ...texts(settings, 'log_bodies', 'logBodies'),
    ...texts(settings, 'log_severity_texts', 'logSeverityTexts'),
    ...texts(settings, 'metric_names', 'metricNames'),
    ...attributes(settings, ['attributes', 'record_attributes'], 'attributes'),
    ...attributes(settings, ['resources', 'resource_attributes'], 'resources'),
    ...(settings.has('libraries') && {
      libraries: settings
        .tables('libraries')
        .map((library) => ({ name: library.string('name'), version: library.string('version', null) ?? undefined })),
    }),
    ...(severity !== null && {
      logSeverityNumber: {
        min: severity.integer('min', 0, { min: 0, max: 24 }),
        matchUndefined: severity.boolean('match_undefined', false),
      },
    }),
  };
  if (Object.keys(properties).length === 1) {
    throw settings.failHere('names nothing to match besides match_type');
  }
  return properties;
}

/** The matcher of properties that may be absent; what is wrong with a pattern is an error of the settings. */
export function readMatcher<Cursor>(
  settings: SettingsMap | null,
  make: (properties: MatchProperties) => Matcher<Cursor>,
): Matcher<Cursor> | null {
  const properties = readMatchProperties(settings);
  if (properties === null || settings === null) {
    return null;
  }
  try {
    return make(properties);
  } catch (error) {
    throw error instanceof RegexError ? settings.failHere(error.message) : error;
  }
}

function texts<Name extends string>(settings: SettingsMap, key: string, name: Name): { [K in Name]?: string[] } {
  const list = settings.strings(key);
  return (list.length === 0 ? {} : { [name]: list }) as { [K in Name]?: string[] };
}

function attributes<Name extends string>(
  settings: SettingsMap,
  keys: readonly string[],
  name: Name,
): { [K in Name]?: AttributeMatch[] } {
  const list = keys.flatMap((key) =>
    settings.tables(key).map((table): AttributeMatch => {
      // Upstream reads keys without regard to case, and its examples write both.
      const value = table.value('value') ?? table.value('Value');
      const attribute = table.string('key', null) ?? table.string('Key');
      return { key: attribute, value: value === undefined || value === null ? undefined : settingAttribute(value) };
    }),
  );
  return (list.length === 0 ? {} : { [name]: list }) as { [K in Name]?: AttributeMatch[] };
}
