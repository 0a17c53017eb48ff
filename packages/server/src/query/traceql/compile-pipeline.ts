import { applyOperator, printTraceqlField, staticKey, TRUE, type traceql } from '@signalbox/query-language';
import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import { compileAggregate } from './compile-aggregate.ts';
import { compileField } from './compile-field.ts';
import type { SpanFields } from './span-fields.ts';
import type { Spanset, SpansetStage } from './spanset.ts';
import { relate } from './structural.ts';
import type { TraceSpan } from './trace-span.ts';

/** Compiles the stages of a pipeline into one; what they read is added to the fields. */
export function compilePipeline({ stages }: traceql.Pipeline, fields: SpanFields): SpansetStage {
  const compiled = stages.map((stage) => compileStage(stage, fields));
  return (spansets) => {
    let current = spansets;
    for (const run of compiled) {
      current = run(current);
      if (current.length === 0) break;
    }
    return current;
  };
}

/** Whether the query needs spans that it does not find: their places in the tree depend on all spans of the trace. */
export function isStructural({ stages }: traceql.Pipeline): boolean {
  return stages.some(
    (stage) =>
      stage.kind === 'spansetOperation' &&
      ((stage.operator !== '&&' && stage.operator !== '||') ||
        [stage.left, stage.right].some((side) =>
          isStructural(side.kind === 'pipeline' ? side : { kind: 'pipeline', stages: [side], range: side.range }),
        )),
  );
}

function compileStage(stage: traceql.Stage, fields: SpanFields): SpansetStage {
  switch (stage.kind) {
    case 'spansetFilter':
      return compileFilter(stage, fields);
    case 'spansetOperation':
      return compileOperation(stage, fields);
    case 'scalarFilter':
      return compileScalarFilter(stage, fields);
    case 'groupBy':
      return compileGroupBy(stage, fields);
    case 'coalesce':
      return (spansets) => [{ spans: [...new Set(spansets.flatMap(({ spans }) => spans))], attributes: [] }];
    case 'select':
      // What is selected was read with the spans.
      return (spansets) => spansets;
    case 'aggregate':
      throw new Error('The type check lets no pipeline pass that ends with an aggregate');
  }
}

function compileFilter({ condition }: traceql.SpansetFilter, fields: SpanFields): SpansetStage {
  const test = compileField(condition, fields);
  return (spansets) =>
    spansets.flatMap((spanset) => {
      const spans = spanset.spans.filter((span) => test(span).value === true);
      return spans.length === 0 ? [] : [{ ...spanset, spans }];
    });
}

function compileOperation(operation: traceql.SpansetOperation, fields: SpanFields): SpansetStage {
  const { operator } = operation;
  const compileSide = (side: traceql.SpansetExpr | traceql.Pipeline): SpansetStage =>
    side.kind === 'pipeline' ? compilePipeline(side, fields) : compileStage(side, fields);
  const left = compileSide(operation.left);
  const right = compileSide(operation.right);
  return (spansets) =>
    spansets.flatMap((spanset) => {
      const lefts = left([spanset]);
      const rights = right([spanset]);
      const spans = combine(operator, lefts, rights);
      return spans.length === 0 ? [] : [{ ...spanset, spans }];
    });
}

function combine(
  operator: traceql.SpansetOperator,
  lefts: readonly Spanset[],
  rights: readonly Spanset[],
): readonly TraceSpan[] {
  if (operator === '&&' || operator === '||') {
    if (operator === '&&' && (lefts.length === 0 || rights.length === 0)) return [];
    return [...new Set([...lefts, ...rights].flatMap(({ spans }) => spans))];
  }
  if (lefts.length > 1 || rights.length > 1) {
    throw new SignalboxError(
      'invalid_argument',
      `${operator} can't tell which of several sets of a trace it is about`,
      {
        hint: 'Put coalesce() before it.',
      },
    );
  }
  return relate(operator, lefts[0]?.spans ?? [], rights[0]?.spans ?? []);
}

function compileScalarFilter({ operator, left, right }: traceql.ScalarFilter, fields: SpanFields): SpansetStage {
  const aggregate = left.kind === 'aggregate' ? left : right;
  const literal = left.kind === 'aggregate' ? right : left;
  if (aggregate.kind !== 'aggregate' || literal.kind !== 'literal') {
    throw new Error('The type check lets only aggregates beside numbers pass');
  }
  const { run, name } = compileAggregate(aggregate, fields);
  return (spansets) =>
    spansets.flatMap((spanset) => {
      const value = run(spanset.spans);
      if (value.type === 'nil') return [];
      const [a, b] = aggregate === left ? [value, literal.value] : [literal.value, value];
      if (applyOperator(operator, a, b) !== TRUE) return [];
      return [{ ...spanset, attributes: [...spanset.attributes, [name, value] as const] }];
    });
}

function compileGroupBy({ expr }: traceql.GroupBy, fields: SpanFields): SpansetStage {
  const read = compileField(expr, fields);
  const name = `by(${printTraceqlField(expr)})`;
  return (spansets) =>
    spansets.flatMap((spanset) => {
      const groups = new Map<string, { attributes: Spanset['attributes']; spans: TraceSpan[] }>();
      for (const span of spanset.spans) {
        const value = read(span);
        const key = staticKey(value);
        const group = groups.get(key);
        if (group === undefined) {
          groups.set(key, { attributes: [...spanset.attributes, [name, value]], spans: [span] });
        } else group.spans.push(span);
      }
      return [...groups.values()];
    });
}
