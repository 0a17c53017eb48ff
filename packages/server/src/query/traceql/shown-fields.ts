import { fieldsOf, NIL, printTraceqlField, type Static, type traceql } from '@signalbox/query-language';
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
  for (const field of fieldsOfPipeline(pipeline)) {
    const text = printTraceqlField(field);
    if (shown.has(text)) continue;
    const values = fields.reader(field);
    shown.set(text, { key: field.name, field, read: (span) => values(span)[0] ?? NIL });
  }
  return [...shown.values()];
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
