import type { FilterComparison, FilterOperator, FilterValue } from '@signalbox/api-contract';
import {
  type AttributePrefix,
  attributeBool,
  attributeExists,
  attributeInt,
  attributeIsString,
  attributeNumber,
  attributeString,
  attributeText,
} from '../../store/clickhouse/attributes.ts';
import type { SqlParameters } from '../sql-parameters.ts';

/** `=`, `!=`, `<`, … in SQL; operators are ours, never the request's text. */
const sqlOperators: Readonly<Partial<Record<FilterOperator, string>>> = {
  '=': '=',
  '!=': '!=',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
};

export function sqlOperator(operator: FilterOperator): string {
  const sql = sqlOperators[operator];
  if (sql === undefined) throw new Error(`${operator} compares no values`);
  return sql;
}

/** How a place that holds values of several types answers the questions of a comparison; all are SQL of `UInt8`. */
interface Comparable {
  exists: string;
  compareString(sqlOperator: string, value: string): string;
  compareNumber(sqlOperator: string, value: FilterValue & { type: 'number' }): string;
  equalsBool(value: boolean): string;
  matches(pattern: string): string;
}

/** The comparison over something that can be absent and has a type: SQL of `UInt8`. */
function compare(
  comparable: Comparable,
  parameters: SqlParameters,
  operator: FilterOperator,
  value: FilterValue | null,
): string {
  if (operator === 'exists') return comparable.exists;
  if (operator === '!exists') return `NOT ${comparable.exists}`;
  if (value === null) throw new Error(`${operator} needs a value`);
  if (operator === '!=') return `(${comparable.exists} AND NOT ${compare(comparable, parameters, '=', value)})`;
  if (operator === '!~') return `(${comparable.exists} AND NOT ${compare(comparable, parameters, '=~', value)})`;
  if (operator === '=~')
    return `(${comparable.exists} AND ${comparable.matches(anchored(parameters, valueText(value)))})`;
  const sql = sqlOperator(operator);
  if (value.type === 'bool') return comparable.equalsBool(value.value);
  return value.type === 'number' ? comparable.compareNumber(sql, value) : comparable.compareString(sql, value.value);
}

/** Compares the attribute of that key among a row's own or its resource's. */
export function compareAttribute(
  prefix: AttributePrefix,
  parameters: SqlParameters,
  { key, operator, value }: Pick<FilterComparison, 'key' | 'operator' | 'value'>,
): string {
  const k = parameters.string(key);
  return compare(
    {
      exists: attributeExists(prefix, k),
      compareString: (sql, text) =>
        `(${attributeIsString(prefix, k)} AND ${attributeString(prefix, k)} ${sql} ${parameters.string(text)})`,
      compareNumber: (sql, number) => {
        const asDouble = `${attributeNumber(prefix, k)} ${sql} ${parameters.float64(number.value)}`;
        const int = exactInteger(number.text);
        if (int === undefined) return `ifNull(${asDouble}, 0)`;
        return `coalesce(${attributeInt(prefix, k)} ${sql} ${parameters.int64(int)}, ${asDouble}, 0)`;
      },
      equalsBool: (bool) => `ifNull(${attributeBool(prefix, k)} = ${parameters.uint32(bool ? 1 : 0)}, 0)`,
      matches: (pattern) => `match(${attributeText(prefix, k)}, ${pattern})`,
    },
    parameters,
    operator,
    value,
  );
}

/** Compares the attribute of that key among those of an OTLP/JSON KeyValue list: `list` is SQL of `Array(String)`, a text per attribute. */
export function compareJsonAttribute(
  list: string,
  parameters: SqlParameters,
  { key, operator, value }: Pick<FilterComparison, 'key' | 'operator' | 'value'>,
): string {
  const anyOfKey = (condition: string): string =>
    `arrayExists(kv -> JSONExtractString(kv, 'key') = ${parameters.string(key)}${condition}, ${list})`;
  const of = (member: string): string => `JSONExtractString(kv, 'value', '${member}')`;
  if (operator === 'exists') return anyOfKey('');
  if (operator === '!exists') return `NOT ${anyOfKey('')}`;
  const condition = compare(
    {
      exists: '1',
      compareString: (sql, text) =>
        `(JSONHas(kv, 'value', 'stringValue') AND ${of('stringValue')} ${sql} ${parameters.string(text)})`,
      compareNumber: (sql, number) => {
        const int = exactInteger(number.text);
        const asInt = `toInt64OrNull(${of('intValue')}) ${sql} ${int === undefined ? parameters.float64(number.value) : parameters.int64(int)}`;
        const asDouble = `if(JSONHas(kv, 'value', 'doubleValue'), JSONExtractFloat(kv, 'value', 'doubleValue') ${sql} ${parameters.float64(number.value)}, 0)`;
        return `ifNull(${asInt}, ${asDouble})`;
      },
      equalsBool: (bool) =>
        `(JSONHas(kv, 'value', 'boolValue') AND JSONExtractBool(kv, 'value', 'boolValue') = ${parameters.uint32(bool ? 1 : 0)})`,
      matches: (pattern) =>
        `match(multiIf(JSONHas(kv, 'value', 'stringValue'), ${of('stringValue')}, JSONHas(kv, 'value', 'intValue'), ${of('intValue')}, JSONExtractRaw(JSONExtractRaw(kv, 'value'), JSONExtractKeys(kv, 'value')[1])), ${pattern})`,
    },
    parameters,
    operator,
    value,
  );
  return anyOfKey(` AND ${condition}`);
}

/** Compares text that is always there; '' counts as absent. `expression` is SQL of `String`. */
export function compareText(
  expression: string,
  parameters: SqlParameters,
  operator: FilterOperator,
  value: FilterValue | null,
): string {
  const text = value === null ? null : ({ type: 'string', value: valueText(value), quoted: true } as const);
  const never = (): string => '0';
  return compare(
    {
      exists: `(${expression} != '')`,
      compareString: (sql, other) => `(${expression} ${sql} ${parameters.string(other)})`,
      compareNumber: never,
      equalsBool: never,
      matches: (pattern) => `match(${expression}, ${pattern})`,
    },
    parameters,
    operator,
    text,
  );
}

/** The value as it was written, without quotes. */
export function valueText(value: FilterValue): string {
  if (value.type === 'number') return value.text;
  return value.type === 'bool' ? String(value.value) : value.value;
}

/** RE2 anchored at both ends. */
function anchored(parameters: SqlParameters, pattern: string): string {
  return parameters.string(`^(?:${pattern})$`);
}

/** The integer that a number's text is, when it fits in 64 bits. */
export function exactInteger(text: string): bigint | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  const integer = BigInt(text.replace('+', ''));
  return BigInt.asIntN(64, integer) === integer ? integer : undefined;
}
