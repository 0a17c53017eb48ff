import { type AttributeEditor, AttributeKey, type AttributeValue } from '@signalbox/records';
import { stringOf } from '../ottl/field.ts';
import type { LogCursor } from '../ottl/log-cursor.ts';
import { LOG_FIELDS } from '../ottl/log-fields.ts';
import type { MetricCursor } from '../ottl/metric-cursor.ts';
import { METRIC_FIELDS } from '../ottl/metric-fields.ts';
import type { RecordCursor } from '../ottl/record-cursor.ts';
import { SCOPE_FIELDS } from '../ottl/resource-fields.ts';
import type { SpanCursor } from '../ottl/span-cursor.ts';
import { SPAN_FIELDS } from '../ottl/span-fields.ts';
import { textOfValue } from '../ottl/text-of-value.ts';
import { equal, type Value } from '../ottl/value.ts';
import { Regex } from '../regex.ts';

/** A condition on an attribute: it is there, and with this value if one is given. */
export interface AttributeMatch {
  readonly key: string;
  readonly value: AttributeValue | undefined;
}

/**
 * Properties that records are chosen by, as `include` and `exclude` of the Collector's processors have them. Of the lists of
 * texts one must match, of the attributes and resources all; a record is chosen when every property that is given matches.
 */
export interface MatchProperties {
  readonly matchType: 'strict' | 'regexp';
  readonly services?: readonly string[];
  readonly resources?: readonly AttributeMatch[];
  readonly attributes?: readonly AttributeMatch[];
  readonly libraries?: readonly { readonly name: string; readonly version: string | undefined }[];
  readonly spanNames?: readonly string[];
  readonly spanKinds?: readonly string[];
  readonly logBodies?: readonly string[];
  readonly logSeverityTexts?: readonly string[];
  readonly logSeverityNumber?: { readonly min: number; readonly matchUndefined: boolean };
  readonly metricNames?: readonly string[];
}

export type Matcher<Cursor> = (cursor: Cursor) => boolean;

const SERVICE_NAME = new AttributeKey('service.name');

/** Throws RegexError. */
export function spanMatcher(properties: MatchProperties): Matcher<SpanCursor> {
  const { matchType } = properties;
  return all<SpanCursor>([
    ...originMatchers(properties),
    ...attributesMatchers(properties, (cursor: SpanCursor) => [cursor.attributes, cursor.row]),
    anyText(matchType, properties.spanNames, SPAN_FIELDS.name?.get),
    anyText(matchType, properties.spanKinds, SPAN_FIELDS['kind.deprecated_string']?.get),
  ]);
}

/** Throws RegexError. */
export function logMatcher(properties: MatchProperties): Matcher<LogCursor> {
  const { matchType, logSeverityNumber } = properties;
  const severity: Matcher<LogCursor> | null =
    logSeverityNumber === undefined
      ? null
      : ({ logs, row }) => {
          const number = logs.severityNumber[row] as number;
          return number === 0 ? logSeverityNumber.matchUndefined : number >= logSeverityNumber.min;
        };
  return all<LogCursor>([
    ...originMatchers(properties),
    ...attributesMatchers(properties, (cursor: LogCursor) => [cursor.attributes, cursor.row]),
    anyText(matchType, properties.logBodies, LOG_FIELDS.body?.get),
    anyText(matchType, properties.logSeverityTexts, LOG_FIELDS.severity_text?.get),
    severity,
  ]);
}

/** Of points, for `attributes` are theirs. Throws RegexError. */
export function pointMatcher(properties: MatchProperties): Matcher<MetricCursor> {
  return all<MetricCursor>([
    ...originMatchers(properties),
    ...attributesMatchers(properties, (cursor: MetricCursor) => [cursor.pointAttributes, cursor.point]),
    anyText(properties.matchType, properties.metricNames, METRIC_FIELDS.name?.get),
  ]);
}

/** Whether a record that must match `include` and must not match `exclude` is chosen. */
export function chosenBy<Cursor>(
  include: Matcher<Cursor> | null,
  exclude: Matcher<Cursor> | null,
): Matcher<Cursor> | null {
  if (include === null && exclude === null) {
    return null;
  }
  return (cursor) => (include === null || include(cursor)) && (exclude === null || !exclude(cursor));
}

function originMatchers({
  matchType,
  services,
  resources,
  libraries,
}: MatchProperties): (Matcher<RecordCursor> | null)[] {
  return [
    anyText<RecordCursor>(matchType, services, ({ resourceAttributes, resource }) => {
      const entry = resourceAttributes.find(resource, SERVICE_NAME);
      return entry < 0 ? null : resourceAttributes.value(entry);
    }),
    ...(resources ?? []).map((match) =>
      attributeMatcher<RecordCursor>(matchType, match, ({ resourceAttributes, resource }) => [
        resourceAttributes,
        resource,
      ]),
    ),
    libraries === undefined ? null : some(libraries.map((library) => libraryMatcher(matchType, library))),
  ];
}

function libraryMatcher(
  matchType: MatchProperties['matchType'],
  { name, version }: { readonly name: string; readonly version: string | undefined },
): Matcher<RecordCursor> {
  return all<RecordCursor>([
    anyText(matchType, [name], SCOPE_FIELDS.name?.get),
    version === undefined ? null : anyText(matchType, [version], SCOPE_FIELDS.version?.get),
  ]);
}

function attributesMatchers<Cursor>(
  { matchType, attributes }: MatchProperties,
  place: (cursor: Cursor) => readonly [AttributeEditor, number],
): Matcher<Cursor>[] {
  return (attributes ?? []).map((match) => attributeMatcher(matchType, match, place));
}

function attributeMatcher<Cursor>(
  matchType: MatchProperties['matchType'],
  { key, value }: AttributeMatch,
  place: (cursor: Cursor) => readonly [AttributeEditor, number],
): Matcher<Cursor> {
  const wanted = new AttributeKey(key);
  const test = value === undefined ? () => true : valueTest(matchType, value);
  return (cursor) => {
    const [editor, row] = place(cursor);
    const entry = editor.find(row, wanted);
    return entry >= 0 && test(editor.value(entry));
  };
}

function valueTest(
  matchType: MatchProperties['matchType'],
  wanted: AttributeValue,
): (value: AttributeValue) => boolean {
  if (matchType === 'strict') {
    return (value) => equal(value, wanted);
  }
  const regex = new Regex(stringOf(textOfValue(wanted)));
  return (value) => regex.test(textOfValue(value) ?? '');
}

function anyText<Cursor>(
  matchType: MatchProperties['matchType'],
  wanted: readonly string[] | undefined,
  get: ((cursor: Cursor) => Value) | undefined,
): Matcher<Cursor> | null {
  if (wanted === undefined || get === undefined) {
    return null;
  }
  const set = new Set(wanted);
  const regexes = matchType === 'regexp' ? wanted.map((pattern) => new Regex(pattern)) : [];
  return (cursor) => {
    const text = textOfValue(get(cursor));
    if (text === null) {
      return false;
    }
    return matchType === 'strict' ? set.has(text) : regexes.some((regex) => regex.test(text));
  };
}

function all<Cursor>(matchers: readonly (Matcher<Cursor> | null)[]): Matcher<Cursor> {
  const given = matchers.filter((matcher) => matcher !== null);
  return (cursor) => given.every((matcher) => matcher(cursor));
}

function some<Cursor>(matchers: readonly Matcher<Cursor>[]): Matcher<Cursor> {
  return (cursor) => matchers.some((matcher) => matcher(cursor));
}
