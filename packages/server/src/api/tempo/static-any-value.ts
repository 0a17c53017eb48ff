import type { AnyValue } from '@signalbox/api-contract';
import { formatGoDuration, type Static } from '@signalbox/query-language';

/** A value of TraceQL as Tempo's answers have it. */
export function anyValueOf({ type, value }: Static): AnyValue {
  switch (type) {
    case 'nil':
      return { stringValue: 'nil' };
    case 'string':
    case 'status':
    case 'kind':
      return { stringValue: value };
    case 'int':
      return { intValue: String(value) };
    case 'float':
      return { doubleValue: jsonDouble(value) };
    case 'bool':
      return { boolValue: value };
    case 'duration':
      return { stringValue: formatGoDuration(value) };
    case 'string[]':
      return arrayOf(value.map((each) => ({ stringValue: each })));
    case 'int[]':
      return arrayOf(value.map((each) => ({ intValue: String(each) })));
    case 'float[]':
      return arrayOf(value.map((each) => ({ doubleValue: jsonDouble(each) })));
    case 'bool[]':
      return arrayOf(value.map((each) => ({ boolValue: each })));
  }
}

function arrayOf(values: AnyValue[]): AnyValue {
  return { arrayValue: { values } };
}

function jsonDouble(value: number): number | 'NaN' | 'Infinity' | '-Infinity' {
  if (Number.isFinite(value)) return value;
  return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';
}
