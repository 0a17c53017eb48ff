import type {
  AnyValue,
  FilterComparison,
  FilterOperator,
  FilterValue,
  KeyValue,
  LogRecord,
} from '@signalbox/api-contract';
import { exactInteger, valueText } from './compare.ts';
import { logIntrinsics, readSeverity } from './intrinsic.ts';
import { linearPattern } from './linear-pattern.ts';
import { filterError } from './read-filters.ts';

/** A log record in memory, with what filters ask of it. */
export interface LogCandidate {
  readonly record: LogRecord;
  /** The body as the store keeps it: a string's text, OTLP/JSON otherwise. */
  readonly bodyText: string;
  readonly scopeAttributes: readonly KeyValue[];
}

type LogTest = (candidate: LogCandidate) => boolean;

/** The comparison as a test in memory that agrees with `filterCondition` on `logs`. Throws `QueryInputError` as that does. */
export function logFilterTest(comparison: FilterComparison): LogTest {
  const { scope, key } = comparison;
  if (comparison.intrinsic) return intrinsicTest(comparison);
  const test = valueTest(comparison);
  const has = (attributes: readonly KeyValue[]): AnyValue | undefined =>
    attributes.find((attribute) => attribute.key === key)?.value;
  switch (scope) {
    case 'resource':
      return ({ record }) => test(has(record.resourceAttributes));
    case 'scope':
      return ({ scopeAttributes }) => test(has(scopeAttributes));
    case 'log':
      return ({ record }) => test(has(record.attributes));
    case null:
      return ({ record }) => test(has(record.attributes) ?? has(record.resourceAttributes));
    default:
      throw filterError(comparison, 'key', `Log records have no ${scope} attributes`);
  }
}

function intrinsicTest(comparison: FilterComparison): LogTest {
  const { key, operator } = comparison;
  const texts: Readonly<Record<string, (candidate: LogCandidate) => string>> = {
    'log:body': ({ bodyText }) => bodyText,
    'log:event': ({ record }) => record.eventName,
    'scope:name': ({ record }) => record.scope.name,
    'scope:version': ({ record }) => record.scope.version,
    'span:id': ({ record }) => record.spanId,
    'trace:id': ({ record }) => record.traceId,
  };
  const text = texts[key];
  if (text !== undefined) {
    // Ids compare in any case; all else as it is.
    const id = key.endsWith(':id');
    if (id && operator !== '=' && operator !== '!=') {
      throw filterError(comparison, 'key', `${key} does not know ${operator}`, 'It compares with = !=.');
    }
    const value = comparison.value === null ? '' : valueText(comparison.value);
    const test = valueTest({
      ...comparison,
      value:
        comparison.value === null ? null : { type: 'string', value: id ? value.toLowerCase() : value, quoted: true },
    });
    return (candidate) => {
      const found = text(candidate);
      return test(found === '' && !id ? undefined : { stringValue: found });
    };
  }
  if (key !== 'log:severity') {
    throw filterError(
      comparison,
      'key',
      `Log records have no ${key}`,
      `They have ${Object.keys(logIntrinsics).join(', ')}.`,
    );
  }
  const [low, high] = readSeverity(comparison);
  const tests: Readonly<Partial<Record<FilterOperator, (number: number) => boolean>>> = {
    '=': (number) => number >= low && number <= high,
    '!=': (number) => number < low || number > high,
    '<': (number) => number < low,
    '<=': (number) => number <= high,
    '>': (number) => number > high,
    '>=': (number) => number >= low,
  };
  const test = tests[operator];
  if (test === undefined) throw filterError(comparison, 'key', `log:severity does not know ${operator}`);
  return ({ record }) => test(record.severityNumber);
}

/** Tests a value that may be absent. */
function valueTest(comparison: FilterComparison): (value: AnyValue | undefined) => boolean {
  const { operator, value } = comparison;
  if (operator === 'exists') return (found) => found !== undefined;
  if (operator === '!exists') return (found) => found === undefined;
  if (value === null) throw new Error(`${operator} needs a value`);
  if (operator === '=~' || operator === '!~') {
    const pattern = linearPattern(comparison);
    return (found) => found !== undefined && pattern.test(anyValueText(found)) === (operator === '=~');
  }
  if (operator === '!=') return (found) => found !== undefined && !compareValue(found, '=', value);
  return (found) => found !== undefined && compareValue(found, operator, value);
}

function compareValue(found: AnyValue, operator: FilterOperator, value: FilterValue): boolean {
  switch (value.type) {
    case 'string':
      return 'stringValue' in found && holds(operator, found.stringValue as string, value.value);
    case 'bool':
      return 'boolValue' in found && found.boolValue === value.value;
    case 'number': {
      if ('doubleValue' in found) return holds(operator, Number(found.doubleValue), value.value);
      if (!('intValue' in found)) return false;
      const exact = exactInteger(value.text);
      return holds(operator, BigInt(found.intValue as string), exact ?? value.value);
    }
  }
}

function holds(operator: FilterOperator, a: string | number | bigint, b: string | number | bigint): boolean {
  switch (operator) {
    case '=':
      return a === b || (typeof a !== 'string' && typeof b !== 'string' && a >= b && a <= b);
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '>':
      return a > b;
    case '>=':
      return a >= b;
    default:
      throw new Error(`${operator} orders nothing`);
  }
}

function anyValueText(value: AnyValue): string {
  if ('stringValue' in value) return String(value.stringValue);
  if ('intValue' in value) return String(value.intValue);
  if ('boolValue' in value) return String(value.boolValue);
  if ('doubleValue' in value) return String(value.doubleValue);
  return JSON.stringify(value);
}
