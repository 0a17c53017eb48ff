import type { traceql } from '@signalbox/query-language';
import type { SqlParameters } from '../sql-parameters.ts';
import { isRoot } from '../traces/trace-search-request.ts';
import { anchored } from './compile-field.ts';
import {
  type ConditionContext,
  conjunction,
  disjunction,
  isAny,
  type SpanCondition,
  spanCondition,
} from './span-condition.ts';

const EVERY_SPAN: SpanCondition = { sql: '1', isExact: true };

/** The expressions whose fields decide which spans a pipeline looks at. */
export function conditionsOf({ stages }: traceql.Pipeline): readonly traceql.FieldExpr[] {
  return stages.flatMap((stage): readonly traceql.FieldExpr[] => {
    if (stage.kind === 'spansetFilter') return [stage.condition];
    if (stage.kind !== 'spansetOperation') return [];
    return [stage.left, stage.right].flatMap((side) => conditionsOf(asPipeline(side)));
  });
}

function asPipeline(side: traceql.SpansetExpr | traceql.Pipeline): traceql.Pipeline {
  return side.kind === 'pipeline' ? side : { kind: 'pipeline', stages: [side], range: side.range };
}

/**
 * A condition that some span of each trace fulfils which the pipeline finds. Exact only of a pipeline that begins with a
 * filter of spans.
 */
export function candidateCondition(pipeline: traceql.Pipeline, context: ConditionContext): SpanCondition {
  const [first] = pipeline.stages;
  if (first?.kind === 'spansetFilter') {
    const own = filtersAtStart(pipeline, context);
    return isAny(own) ? (rootCondition(first.condition, context.parameters) ?? own) : own;
  }
  if (first?.kind !== 'spansetOperation') return EVERY_SPAN;
  const [left, right] = [first.left, first.right].map((side) => candidateCondition(asPipeline(side), context)) as [
    SpanCondition,
    SpanCondition,
  ];
  if (first.operator === '||') return { ...disjunction(left, right), isExact: false };
  // Both sides must find something, except that the left side of what is negated must not.
  const [wanted, other] = first.operator === '&&' ? [left, right] : [right, left];
  const isEnough = !isAny(wanted) || first.operator.startsWith('!');
  return { ...(isEnough ? wanted : other), isExact: false };
}

/** A condition that all spans fulfil which the pipeline looks at, unless it is about their places in the tree. */
export function readCondition(pipeline: traceql.Pipeline, context: ConditionContext): SpanCondition {
  const [first] = pipeline.stages;
  if (first?.kind === 'spansetFilter') return filtersAtStart(pipeline, context);
  if (first?.kind !== 'spansetOperation') return EVERY_SPAN;
  const [left, right] = [first.left, first.right].map((side) => readCondition(asPipeline(side), context));
  return disjunction(left ?? EVERY_SPAN, right ?? EVERY_SPAN);
}

/**
 * Texts that attributes of spans must be equal to, by their keys, in the filters that a pipeline begins with. An array that
 * has the text as an element passes as well.
 */
export function textsAtStart({ stages }: traceql.Pipeline): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  const visit = (expr: traceql.FieldExpr): void => {
    if (expr.kind !== 'binary') return;
    const { left, operator, right } = expr;
    if (operator === '&&') {
      visit(left);
      visit(right);
    }
    if (operator !== '=' || left.kind !== 'attribute' || left.scope !== 'span' || right.kind !== 'literal') return;
    if (right.value.type === 'string' && right.value.value !== '') texts.set(left.name, right.value.value);
  };
  for (const stage of stages) {
    if (stage.kind !== 'spansetFilter') break;
    visit(stage.condition);
  }
  return texts;
}

/** What passes the filters that a pipeline begins with has passed all of them. */
function filtersAtStart({ stages }: traceql.Pipeline, context: ConditionContext): SpanCondition {
  let condition = EVERY_SPAN;
  for (const stage of stages) {
    if (stage.kind !== 'spansetFilter') break;
    condition = conjunction(condition, spanCondition(stage.condition, context));
  }
  return condition;
}

/** What `rootName` and `rootServiceName` ask of a trace, as a condition on its root; undefined: nothing. */
function rootCondition(expr: traceql.FieldExpr, parameters: SqlParameters): SpanCondition | undefined {
  if (expr.kind !== 'binary') return undefined;
  if (expr.operator === '&&') {
    return rootCondition(expr.left, parameters) ?? rootCondition(expr.right, parameters);
  }
  const { left, operator, right } = expr;
  if (left.kind !== 'intrinsic' || right.kind !== 'literal' || right.value.type !== 'string') return undefined;
  const column = left.name === 'rootName' ? 'name' : left.name === 'rootServiceName' ? 'service' : undefined;
  if (column === undefined || right.value.value === '') return undefined;
  const { value } = right.value;
  if (operator === '=') return { sql: `(${isRoot} AND ${column} = ${parameters.string(value)})`, isExact: false };
  if (operator !== '=~') return undefined;
  return { sql: `(${isRoot} AND match(${column}, ${parameters.string(anchored(value))}))`, isExact: false };
}
