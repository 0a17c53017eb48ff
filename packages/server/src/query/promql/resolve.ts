import type {
  Call,
  DurationExpr,
  Expr,
  MatrixSelector,
  NumberLiteral,
  TimeModifiers,
  VectorSelector,
} from '@signalbox/query-language';
import { executionError } from './promql-error.ts';

/** The time range of a query, in ms since 1970. @property stepMs 0: it has one time. */
export interface QueryRange {
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
}

/**
 * A copy of the expression that no longer depends on the query's range: `@ start()`, `start()`, `step()` and durations that are
 * computed stand as numbers in it. Parentheses around arguments are left out. Throws PromqlError for durations that make no sense.
 */
export function resolve(expr: Expr, range: QueryRange): Expr {
  switch (expr.kind) {
    case 'number':
    case 'string':
      return expr;
    case 'vectorSelector':
      return resolveSelector(expr, range);
    case 'matrixSelector': {
      const resolved: MatrixSelector = {
        ...expr,
        selector: resolveSelector(expr.selector, range),
        rangeMs: expr.rangeExpr ? durationMs(expr.rangeExpr, range, false) : expr.rangeMs,
        rangeExpr: undefined,
      };
      return resolved;
    }
    case 'subquery':
      return {
        ...expr,
        ...resolveModifiers(expr, range),
        expr: resolve(expr.expr, range),
        rangeMs: expr.rangeExpr ? durationMs(expr.rangeExpr, range, false) : expr.rangeMs,
        rangeExpr: undefined,
        stepMs: expr.stepExpr ? durationMs(expr.stepExpr, range, false) : expr.stepMs,
        stepExpr: undefined,
      };
    case 'call':
      return resolveCall(expr, range);
    case 'aggregation':
      return {
        ...expr,
        expr: withoutParens(resolve(expr.expr, range)),
        parameter: expr.parameter && withoutParens(resolve(expr.parameter, range)),
      };
    case 'binary':
      return { ...expr, left: resolve(expr.left, range), right: resolve(expr.right, range) };
    case 'unary':
    case 'paren':
      return { ...expr, expr: resolve(expr.expr, range) };
  }
}

function withoutParens(expr: Expr): Expr {
  return expr.kind === 'paren' ? withoutParens(expr.expr) : expr;
}

function resolveCall(call: Call, range: QueryRange): Expr {
  const number = (value: number): NumberLiteral => ({ kind: 'number', value, isDuration: false, range: call.range });
  switch (call.name) {
    case 'start':
      return number(range.startMs / 1000);
    case 'end':
      return number(range.endMs / 1000);
    case 'range':
      return number((range.endMs - range.startMs) / 1000);
    case 'step':
      return number(range.startMs === range.endMs ? 0 : range.stepMs / 1000);
    default:
      return { ...call, args: call.args.map((argument) => withoutParens(resolve(argument, range))) };
  }
}

function resolveSelector(selector: VectorSelector, range: QueryRange): VectorSelector {
  return { ...selector, ...resolveModifiers(selector, range) };
}

function resolveModifiers({ at, offsetMs, offsetExpr }: TimeModifiers, range: QueryRange): TimeModifiers {
  return {
    at: at === 'start' ? range.startMs : at === 'end' ? range.endMs : at,
    offsetMs: offsetExpr ? durationMs(offsetExpr, range, true) : Math.trunc(offsetMs),
    offsetExpr: undefined,
  };
}

function durationMs(expr: DurationExpr, range: QueryRange, canBeNegative: boolean): number {
  const seconds = evaluate(expr, range);
  const { start, end } = expr.range;
  const fail = (reason: string): never => {
    throw executionError(`${start}:${end}: ${reason}`);
  };
  if (!Number.isFinite(seconds)) fail('duration is NaN or infinite');
  if (seconds <= 0 && !canBeNegative) fail('duration must be greater than 0');
  if (Math.abs(seconds) > 2 ** 63 / 1e9) fail('duration is out of range');
  return Math.trunc(seconds * 1000);
}

function evaluate(expr: DurationExpr | NumberLiteral, range: QueryRange): number {
  if (expr.kind === 'number') return expr.value;
  const left = expr.left ? evaluate(expr.left, range) : 0;
  const right = expr.right ? evaluate(expr.right, range) : 0;
  switch (expr.operator) {
    case 'step':
      return range.stepMs / 1000;
    case 'range':
      return (range.endMs - range.startMs) / 1000;
    case 'min_of':
      return Math.min(left, right);
    case 'max_of':
      return Math.max(left, right);
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '^':
      return left ** right;
    default:
      if (right === 0) {
        const what = expr.operator === '/' ? 'division' : 'modulo';
        throw executionError(`${expr.range.start}:${expr.range.end}: ${what} by zero`);
      }
      return expr.operator === '/' ? left / right : left % right;
  }
}
