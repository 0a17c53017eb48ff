import {
  type Integer,
  isNumeric,
  NIL,
  printTraceqlScalar,
  type Static,
  toFloat,
  toInteger,
  type traceql,
} from '@signalbox/query-language';
import { compileField } from './compile-field.ts';
import type { SpanFields } from './span-fields.ts';
import type { TraceSpan } from './trace-span.ts';

export interface CompiledAggregate {
  /** As answers name it. */
  readonly name: string;
  /** nil: no span has a number there. */
  readonly run: (spans: readonly TraceSpan[]) => Static;
}

export function compileAggregate(aggregate: traceql.Aggregate, fields: SpanFields): CompiledAggregate {
  const name = printTraceqlScalar(aggregate);
  if (aggregate.expr === undefined) return { name, run: (spans) => ({ type: 'int', value: spans.length }) };
  const read = compileField(aggregate.expr, fields);
  const fold = FOLDS[aggregate.operator];
  return {
    name,
    run: (spans) => {
      const numbers = spans.map(read).filter(({ type }) => isNumeric(type));
      return numbers.length === 0 ? NIL : fold(numbers);
    },
  };
}

/** Of at least one number. */
const FOLDS: Readonly<Record<traceql.Aggregate['operator'], (numbers: readonly Static[]) => Static>> = {
  count: (numbers) => ({ type: 'int', value: numbers.length }),
  min: (numbers) => numbers.reduce((least, each) => (isLess(each, least) ? each : least)),
  max: (numbers) => numbers.reduce((most, each) => (isLess(most, each) ? each : most)),
  sum,
  avg: (numbers) => {
    const total = sum(numbers);
    if (total.type === 'duration')
      return { type: 'duration', value: toInteger(BigInt(total.value) / BigInt(numbers.length)) };
    return { type: 'float', value: toFloat(total) / numbers.length };
  },
};

function isLess(left: Static, right: Static): boolean {
  return (left.value as Integer) < (right.value as Integer);
}

/** Integers and durations add up exactly; a mixture becomes a float. */
function sum(numbers: readonly Static[]): Static {
  const type = numbers[0]?.type;
  if ((type === 'int' || type === 'duration') && numbers.every((each) => each.type === type)) {
    return { type, value: toInteger(numbers.reduce((total, { value }) => total + BigInt(value as Integer), 0n)) };
  }
  return { type: 'float', value: numbers.reduce((total, each) => total + toFloat(each), 0) };
}
