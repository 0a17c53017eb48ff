import { type AttributeEntry, type ExemplarTable, ExplicitHistogram, ExponentialHistogram } from '@signalbox/records';

export interface Exemplar {
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
  /** Nanoseconds since 1970. */
  readonly time: bigint;
  readonly value: number;
}

export type HistogramKind =
  | { readonly kind: 'explicit'; readonly bounds: readonly number[] }
  | { readonly kind: 'exponential'; readonly maxSize: number };

/** What is counted of the spans with the same dimensions. */
export class SpanSeries {
  readonly attributes: readonly AttributeEntry[];
  readonly histogram: ExplicitHistogram | ExponentialHistogram | null;
  calls = 0;
  exemplars: Exemplar[] = [];
  /** Milliseconds since 1970. */
  updatedAt = 0;

  constructor(attributes: readonly AttributeEntry[], kind: HistogramKind | null) {
    this.attributes = attributes;
    this.histogram =
      kind === null
        ? null
        : kind.kind === 'explicit'
          ? new ExplicitHistogram(kind.bounds)
          : new ExponentialHistogram(kind.maxSize);
  }

  add(duration: number, weight: number): void {
    this.calls += weight;
    this.histogram?.record(duration, weight);
  }
}

/** Writes exemplars to the row under construction. */
export function writeExemplars(table: ExemplarTable, exemplars: readonly Exemplar[]): void {
  for (const { traceId, spanId, time, value } of exemplars) {
    const entry = table.begin();
    table.traceId.set(traceId, entry * 16);
    table.spanId.set(spanId, entry * 8);
    table.time.values[entry] = time;
    table.value.setDouble(entry, value);
    table.end();
  }
}
