import type { AnyValue } from '@signalbox/api-contract';
import { FALSE, type Integer, NIL, type Static, TRUE, toInteger } from '@signalbox/query-language';
import { type ReadAttribute, readTagged } from '../../store/clickhouse/attributes.ts';
import { parseAnyValue } from '../key-values.ts';

/** The cell that `attributeTagged` gave. */
export function staticOfTagged(cell: string): Static {
  const attribute = readTagged(cell);
  return attribute === undefined ? NIL : staticOfAttribute(attribute.type, attribute.value);
}

/** A stored attribute's value. Arrays of one scalar type stay arrays; everything else composite becomes its OTLP/JSON text. */
export function staticOfAttribute(type: ReadAttribute['type'], value: ReadAttribute['value']): Static {
  switch (type) {
    case 'string':
      return { type: 'string', value: String(value) };
    case 'int':
      return { type: 'int', value: toInteger(BigInt(value)) };
    case 'double':
      return { type: 'float', value: readDouble(value) };
    case 'bool':
      return value === true || value === '1' ? TRUE : FALSE;
    case 'other':
      return staticOfAnyValue(parseAnyValue(String(value)));
  }
}

/** An OTLP/JSON value; nil for an empty one. */
export function staticOfAnyValue(value: AnyValue): Static {
  if ('stringValue' in value) return { type: 'string', value: value.stringValue };
  if ('intValue' in value) return { type: 'int', value: toInteger(BigInt(value.intValue)) };
  if ('doubleValue' in value) return { type: 'float', value: readDouble(value.doubleValue) };
  if ('boolValue' in value) return value.boolValue ? TRUE : FALSE;
  if ('arrayValue' in value) return arrayOf(value.arrayValue.values ?? []) ?? textOf(value);
  return Object.keys(value).length === 0 ? NIL : textOf(value);
}

function textOf(value: AnyValue): Static {
  return { type: 'string', value: JSON.stringify(value) };
}

/** undefined: its elements are not all of one scalar type. */
function arrayOf(values: readonly AnyValue[]): Static | undefined {
  const elements = values.map(staticOfAnyValue);
  const type = elements[0]?.type ?? 'string';
  if (elements.some((element) => element.type !== type)) return undefined;
  switch (type) {
    case 'string':
      return { type: 'string[]', value: elements.map(({ value }) => value as string) };
    case 'int':
      return { type: 'int[]', value: elements.map(({ value }) => value as Integer) };
    case 'float':
      return { type: 'float[]', value: elements.map(({ value }) => value as number) };
    case 'bool':
      return { type: 'bool[]', value: elements.map(({ value }) => value as boolean) };
    default:
      return undefined;
  }
}

/** ClickHouse's and OTLP/JSON's ways to write what JSON has no numbers for. */
const SPECIAL_DOUBLES: ReadonlyMap<string, number> = new Map([
  ['nan', Number.NaN],
  ['-nan', Number.NaN],
  ['inf', Number.POSITIVE_INFINITY],
  ['-inf', Number.NEGATIVE_INFINITY],
]);

function readDouble(value: string | number | boolean): number {
  return SPECIAL_DOUBLES.get(String(value).toLowerCase()) ?? Number(value);
}
