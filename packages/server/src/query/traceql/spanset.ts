import type { Static } from '@signalbox/query-language';
import type { TraceSpan } from './trace-span.ts';

/** A set of spans of one trace, and what stages of the pipeline said about it, by their texts: `count()`, `by(name)`. */
export interface Spanset {
  readonly spans: readonly TraceSpan[];
  readonly attributes: readonly (readonly [name: string, value: Static])[];
}

/** Stages turn the sets of one trace into others; a trace without a set is no result. */
export type SpansetStage = (spansets: readonly Spanset[]) => readonly Spanset[];
