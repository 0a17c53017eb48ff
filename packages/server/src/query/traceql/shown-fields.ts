import { fieldsOf, NIL, printTraceqlField, type Static, type traceql } from '@signalbox/query-language';
import { valueTest } from './compile-field.ts';
import type { SpanFields } from './span-fields.ts';
import type { TraceSpan } from './trace-span.ts';

/** A field of spans in answers to searches. */
export interface ShownField {
  /** Name of the attribute without its scope, or of the intrinsic. */
  readonly key: string;
  readonly field: traceql.Field;
  readonly read: (span: TraceSpan) => Static;
}

/** Every field that the pipeline mentions: what was asked for is shown. */
export function shownFields(pipeline: traceql.Pipeline, fields: SpanFields): ShownField[] {
  const shown = new Map<string, ShownField>();
  const tests = valueTests(pipeline);
  for (const field of fieldsOfPipeline(pipeline)) {
    const text = printTraceqlField(field);
    if (shown.has(text)) continue;
    const values = fields.reader(field);
    const wanted = tests.get(text) ?? [];
    // Of several events or links, one that the query looks for tells more than the first.
    const read = (span: TraceSpan): Static => {
      const all = values(span);
      const found = all.length > 1 && all.findLast((value) => wanted.some((test) => test(value)));
      return found || all[0] || NIL;
    };
    shown.set(text, { key: field.name, field, read });
  }
  return [...shown.values()];
}

/** By field, what the pipeline compares its values with. */
function valueTests(pipeline: traceql.Pipeline): ReadonlyMap<string, ((value: Static) => boolean)[]> {
  const tests = new Map<string, ((value: Static) => boolean)[]>();
  const visit = (expr: traceql.FieldExpr): void => {
    if (expr.kind === 'unary') visit(expr.expr);
    if (expr.kind !== 'binary') return;
    const test = valueTest(expr);
    if (test && (expr.left.kind === 'attribute' || expr.left.kind === 'intrinsic')) {
      const text = printTraceqlField(expr.left);
      tests.set(text, [...(tests.get(text) ?? []), test]);
    }
    visit(expr.left);
    visit(expr.right);
  };
  const visitStages = (stages: readonly traceql.Stage[]): void => {
    for (const stage of stages) {
      if (stage.kind === 'spansetFilter') visit(stage.condition);
      if (stage.kind === 'spansetOperation') {
        for (const side of [stage.left, stage.right]) visitStages(side.kind === 'pipeline' ? side.stages : [side]);
      }
    }
  };
  visitStages(pipeline.stages);
  return tests;
}

function fieldsOfPipeline({ stages }: traceql.Pipeline): readonly traceql.Field[] {
  return stages.flatMap(fieldsOfStage);
}

function fieldsOfStage(stage: traceql.Stage): readonly traceql.Field[] {
  switch (stage.kind) {
    case 'spansetFilter':
      return fieldsOf(stage.condition);
    case 'spansetOperation':
      return [stage.left, stage.right].flatMap((side) =>
        side.kind === 'pipeline' ? fieldsOfPipeline(side) : fieldsOfStage(side),
      );
    case 'scalarFilter':
      return [stage.left, stage.right].flatMap((side) => (side.kind === 'aggregate' ? fieldsOfStage(side) : []));
    case 'groupBy':
      return fieldsOf(stage.expr);
    case 'select':
      return stage.fields;
    case 'aggregate':
      return stage.expr === undefined ? [] : fieldsOf(stage.expr);
    case 'coalesce':
      return [];
  }
}
