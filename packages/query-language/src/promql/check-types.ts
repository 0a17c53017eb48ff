import {
  type BinaryExpr,
  type Call,
  COMPARISON_OPERATORS,
  type Expr,
  rangeOf,
  SET_OPERATORS,
  type TextRange,
  type ValueType,
  type VectorSelector,
} from './ast.ts';
import { functionSignatures } from './function-signatures.ts';
import { canMatchEmpty } from './matcher.ts';
import { quoteGo } from './quote.ts';

type Note = (range: TextRange, reason: string) => void;

const DOCUMENTED: Readonly<Record<ValueType, string>> = {
  vector: 'instant vector',
  matrix: 'range vector',
  scalar: 'scalar',
  string: 'string',
};

/** The type of an expression's value. */
export function typeOf(expr: Expr): ValueType {
  switch (expr.kind) {
    case 'number':
      return 'scalar';
    case 'string':
      return 'string';
    case 'vectorSelector':
    case 'aggregation':
      return 'vector';
    case 'matrixSelector':
    case 'subquery':
      return 'matrix';
    case 'call':
      return functionSignatures.get(expr.name)?.returns ?? 'vector';
    case 'binary':
      return typeOf(expr.left) === 'scalar' && typeOf(expr.right) === 'scalar' ? 'scalar' : 'vector';
    default:
      return typeOf(expr.expr);
  }
}

/** Checks the types of an expression and all below, and tells `note` of mistakes; settles the matching of binary expressions. */
export function checkTypes(query: string, expr: Expr, note: Note): ValueType {
  const check = (child: Expr) => checkTypes(query, child, note);
  const expect = (child: Expr, wanted: ValueType, context: string) => {
    const type = check(child);
    if (type !== wanted) {
      note(rangeOf(child), `expected type ${DOCUMENTED[wanted]} in ${context}, got ${DOCUMENTED[type]}`);
    }
  };
  switch (expr.kind) {
    case 'aggregation':
      expect(expr.expr, 'vector', 'aggregation expression');
      if (expr.parameter) {
        expect(expr.parameter, expr.operator === 'count_values' ? 'string' : 'scalar', 'aggregation parameter');
      }
      break;
    case 'binary':
      checkBinary(query, expr, check(expr.left), check(expr.right), note);
      break;
    case 'call':
      checkCall(expr, check, note);
      break;
    case 'paren':
      check(expr.expr);
      break;
    case 'unary': {
      const type = check(expr.expr);
      if (type !== 'scalar' && type !== 'vector') {
        const allowed = 'unary expression only allowed on expressions of type scalar or instant vector';
        note(rangeOf(expr), `${allowed}, got ${quoteGo(DOCUMENTED[type])}`);
      }
      break;
    }
    case 'subquery': {
      const type = check(expr.expr);
      if (type !== 'vector') note(expr.range, `subquery is only allowed on instant vector, got ${type} instead`);
      break;
    }
    case 'matrixSelector':
      check(expr.selector);
      break;
    case 'vectorSelector':
      checkSelector(expr, note);
      break;
    default:
  }
  return typeOf(expr);
}

function checkBinary(query: string, expr: BinaryExpr, left: ValueType, right: ValueType, note: Note): void {
  const { operator, matching } = expr;
  const isSet = SET_OPERATORS.has(operator);
  /** Where the operator and its modifiers stand. */
  const place = (): TextRange => {
    let { end: start } = rangeOf(expr.left);
    let end = rangeOf(expr.right).start;
    while (/\s/.test(query[start] ?? '')) start++;
    while (/\s/.test(query[end - 1] ?? '')) end--;
    return { start, end };
  };
  if (expr.returnsBool && !COMPARISON_OPERATORS.has(operator)) {
    note(place(), 'bool modifier can only be used on comparison operators');
  }
  if (COMPARISON_OPERATORS.has(operator) && !expr.returnsBool && left === 'scalar' && right === 'scalar') {
    note(place(), 'comparisons between scalars must use BOOL modifier');
  }
  if (!matching) return;
  if (isSet && matching.cardinality === 'one-to-one') matching.cardinality = 'many-to-many';
  const both = matching.isOn ? matching.labels.find((label) => matching.include.includes(label)) : undefined;
  if (both !== undefined) note(place(), `label ${quoteGo(both)} must not occur in ON and GROUP clause at once`);
  for (const [side, type] of [
    [expr.left, left],
    [expr.right, right],
  ] as const) {
    if (type !== 'scalar' && type !== 'vector') {
      note(rangeOf(side), 'binary expression must contain only scalar and instant vector types');
    }
  }
  const fills = matching.fillLeft !== undefined || matching.fillRight !== undefined;
  if (left !== 'vector' || right !== 'vector') {
    if (matching.labels.length > 0) note(rangeOf(expr), 'vector matching only allowed between instant vectors');
    if (fills) note(rangeOf(expr), 'filling in missing series only allowed between instant vectors');
    expr.matching = undefined;
  } else if (isSet) {
    if (matching.cardinality === 'one-to-many' || matching.cardinality === 'many-to-one') {
      note(rangeOf(expr), `no grouping allowed for ${quoteGo(operator)} operation`);
    }
    if (fills) note(rangeOf(expr), 'filling in missing series not allowed for set operators');
  }
  if ((left === 'scalar' || right === 'scalar') && isSet) {
    note(rangeOf(expr), `set operator ${quoteGo(operator)} not allowed in binary scalar expression`);
  }
}

function checkCall(call: Call, check: (expr: Expr) => ValueType, note: Note): void {
  const signature = functionSignatures.get(call.name);
  if (!signature) return;
  const { parameters, variadic } = signature;
  const given = call.args.length;
  const name = quoteGo(call.name);
  if (variadic === 0) {
    if (given !== parameters.length) {
      note(call.range, `expected ${parameters.length} argument(s) in call to ${name}, got ${given}`);
    }
  } else {
    const least = parameters.length - 1;
    const most = least + variadic;
    if (given < least) note(call.range, `expected at least ${least} argument(s) in call to ${name}, got ${given}`);
    else if (variadic > 0 && given > most) {
      note(call.range, `expected at most ${most} argument(s) in call to ${name}, got ${given}`);
    }
  }
  const [, second] = call.args;
  let unchecked: Expr | undefined;
  if (call.name === 'info' && second) {
    if (second.kind !== 'vectorSelector') note(rangeOf(second), 'expected label selectors only');
    else if (second.name !== '') {
      note(rangeOf(second), 'expected label selectors only, got vector selector instead');
    } else unchecked = second;
  }
  for (const [index, argument] of call.args.entries()) {
    if (index >= parameters.length && variadic === 0) break;
    const wanted = parameters[Math.min(index, parameters.length - 1)] as ValueType;
    const type = argument === unchecked ? 'vector' : check(argument);
    if (type !== wanted) {
      note(
        rangeOf(argument),
        `expected type ${DOCUMENTED[wanted]} in call to function ${name}, got ${DOCUMENTED[type]}`,
      );
    }
  }
}

function checkSelector({ name, matchers, range }: VectorSelector, note: Note): void {
  if (name !== '') {
    const other = matchers.slice(0, -1).find((matcher) => matcher.name === '__name__');
    if (other) note(range, `metric name must not be set twice: ${quoteGo(name)} or ${quoteGo(other.value)}`);
  } else if (matchers.every(canMatchEmpty)) {
    note(range, 'vector selector must contain at least one non-empty matcher');
  }
}
