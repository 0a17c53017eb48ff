import {
  applyOperator,
  FALSE,
  isIpOf,
  NIL,
  negate,
  type PatternMatcher,
  parseIpPrefix,
  type Static,
  TRUE,
  type traceql,
} from '@signalbox/query-language';
import { RE2JS } from 're2js';
import type { SpanFields } from './span-fields.ts';
import type { TraceSpan } from './trace-span.ts';

/** An expression that waits for its span. */
export type CompiledField = (span: TraceSpan) => Static;

const COMPARISONS: ReadonlySet<string> = new Set(['=', '!=', '<', '<=', '>', '>=', '=~', '!~']);

/** Compiles an expression; what it reads is added to the fields. */
export function compileField(expr: traceql.FieldExpr, fields: SpanFields): CompiledField {
  switch (expr.kind) {
    case 'literal':
      return () => expr.value;
    case 'attribute':
    case 'intrinsic': {
      const read = fields.reader(expr);
      return (span) => read(span)[0] ?? NIL;
    }
    case 'existence': {
      const operand = compileField(expr.expr, fields);
      return (span) => ((operand(span).type !== 'nil') === expr.exists ? TRUE : FALSE);
    }
    case 'unary': {
      const operand = compileField(expr.expr, fields);
      return expr.operator === '-' ? (span) => negate(operand(span)) : (span) => not(operand(span));
    }
    case 'cidr':
      return compileCidr(expr, fields);
    case 'binary':
      return compileBinary(expr, fields);
  }
}

function not(value: Static): Static {
  return value.type === 'bool' ? (value.value ? FALSE : TRUE) : NIL;
}

/** A comparison with a field of events or links is true when it is for one of them. */
function compileBinary(expr: traceql.BinaryField, fields: SpanFields): CompiledField {
  const { operator } = expr;
  if (!COMPARISONS.has(operator)) {
    const left = compileField(expr.left, fields);
    const right = compileField(expr.right, fields);
    return (span) => {
      const value = left(span);
      if (operator === '&&' && value.type === 'bool' && !value.value) return FALSE;
      if (operator === '||' && value.type === 'bool' && value.value) return TRUE;
      return applyOperator(operator, value, right(span));
    };
  }
  const matches = patternOf(expr);
  const left = compileOperand(traceIdLiteral(expr.left, expr.right), fields);
  const right = compileOperand(traceIdLiteral(expr.right, expr.left), fields);
  return (span) => {
    const rights = right(span);
    for (const a of left(span)) {
      for (const b of rights) if (applyOperator(operator, a, b, matches) === TRUE) return TRUE;
    }
    return FALSE;
  };
}

/** What is no text is no address. As of a comparison, one of the values is enough. */
function compileCidr({ expr, prefixes }: traceql.CidrTest, fields: SpanFields): CompiledField {
  const patterns = prefixes.flatMap(({ value }) => parseIpPrefix(String(value.value)) ?? []);
  const operand = compileOperand(expr, fields);
  return (span) =>
    operand(span).some(({ type, value }) => type === 'string' && isIpOf(patterns, value)) ? TRUE : FALSE;
}

/** Whether a value of a field fulfils its comparison with a literal; undefined: the expression is no such comparison. */
export function valueTest(expr: traceql.BinaryField): ((value: Static) => boolean) | undefined {
  const { operator } = expr;
  const literal = traceIdLiteral(expr.right, expr.left);
  if (!COMPARISONS.has(operator) || literal.kind !== 'literal') return undefined;
  const matches = patternOf(expr);
  return (value) => applyOperator(operator, value, literal.value, matches) === TRUE;
}

function compileOperand(expr: traceql.FieldExpr, fields: SpanFields): (span: TraceSpan) => readonly Static[] {
  if (expr.kind === 'attribute' || expr.kind === 'intrinsic') return fields.reader(expr);
  if (expr.kind === 'literal') {
    const values = [expr.value];
    return () => values;
  }
  const value = compileField(expr, fields);
  return (span) => [value(span)];
}

/** Trace ids are compared without leading zeros. */
export function traceIdLiteral(expr: traceql.FieldExpr, other: traceql.FieldExpr): traceql.FieldExpr {
  if (other.kind !== 'intrinsic' || other.name !== 'trace:id') return expr;
  if (expr.kind !== 'literal' || expr.value.type !== 'string') return expr;
  return { ...expr, value: { type: 'string', value: expr.value.value.toLowerCase().replace(/^0+/, '') } };
}

const MAX_REMEMBERED = 1_000;

/** Of `=~` and `!~`: RE2's expression, anchored at both ends. */
function patternOf({ operator, right }: traceql.BinaryField): PatternMatcher | undefined {
  if (operator !== '=~' && operator !== '!~') return undefined;
  if (right.kind !== 'literal' || right.value.type !== 'string') return undefined;
  const pattern = RE2JS.compile(anchored(right.value.value));
  const remembered = new Map<string, boolean>();
  return (text) => {
    let matched = remembered.get(text);
    if (matched === undefined) {
      matched = pattern.matcher(text).find();
      if (remembered.size < MAX_REMEMBERED) remembered.set(text, matched);
    }
    return matched;
  };
}

export function anchored(pattern: string): string {
  return `^(?s:${pattern})$`;
}
