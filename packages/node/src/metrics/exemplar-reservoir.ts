import { type Attributes, type Context, type HrTime, TraceFlags, trace } from '@opentelemetry/api';
import type { ExemplarFilter } from '../options.ts';
import { wallClock } from '../wall-clock.ts';

const maxSeries = 2000;
const fixedSize = 20;

/** One measurement kept as an example. Trace and span id are lower-case hex, absent outside a trace. */
export interface Exemplar {
  readonly value: number;
  readonly time: HrTime;
  readonly traceId?: string;
  readonly spanId?: string;
}

interface Series {
  readonly attributes: Attributes;
  readonly slots: (Exemplar | undefined)[];
  /** Measurements offered to each slot since the last collection. */
  readonly offered: number[];
}

/**
 * Exemplars of one histogram, by series: for explicit buckets one slot per bucket, otherwise a fixed number
 * (https://opentelemetry.io/docs/specs/otel/metrics/sdk/#exemplarreservoir). Within a slot every measurement since the
 * last collection has the same chance to be kept.
 */
export class HistogramExemplars {
  readonly #filter: ExemplarFilter;
  /** Undefined for exponential histograms. */
  readonly #boundaries: readonly number[] | undefined;
  #series = new Map<string, Series>();

  constructor(filter: ExemplarFilter, boundaries: readonly number[] | undefined) {
    this.#filter = filter;
    this.#boundaries = boundaries;
  }

  offer(value: number, attributes: Attributes, context: Context): void {
    if (this.#filter === 'always_off') return;
    const spanContext = trace.getSpanContext(context);
    const sampled = spanContext !== undefined && (spanContext.traceFlags & TraceFlags.SAMPLED) !== 0;
    if (!sampled && this.#filter === 'trace_based') return;
    const series = this.#find(attributes);
    if (series === undefined) return;
    const slot = this.#slot(series, value);
    if (slot < 0) return;
    series.slots[slot] = {
      value,
      time: wallClock.now(),
      ...(spanContext !== undefined && { traceId: spanContext.traceId, spanId: spanContext.spanId }),
    };
  }

  /** The exemplars since the last call, by `seriesKey` of their attributes. */
  take(): Map<string, Exemplar[]> {
    const taken = this.peek();
    this.#series = new Map();
    return taken;
  }

  /** The same, which the next call will still find. */
  peek(): Map<string, Exemplar[]> {
    const taken = new Map<string, Exemplar[]>();
    for (const { attributes, slots } of this.#series.values()) {
      const key = seriesKey(attributes);
      const kept = slots.filter((exemplar) => exemplar !== undefined);
      taken.set(key, [...(taken.get(key) ?? []), ...kept]);
    }
    return taken;
  }

  #find(attributes: Attributes): Series | undefined {
    // Unsorted on purpose: a call site names its attributes in one order, and `take` joins those that differ only in it.
    let key = '';
    for (const name in attributes) key += `${name}\u0000${String(attributes[name])}\u0000`;
    let series = this.#series.get(key);
    if (series === undefined && this.#series.size < maxSeries) {
      const size = this.#boundaries === undefined ? fixedSize : this.#boundaries.length + 1;
      series = {
        attributes: { ...attributes },
        slots: new Array(size).fill(undefined),
        offered: new Array(size).fill(0),
      };
      this.#series.set(key, series);
    }
    return series;
  }

  /** Where the measurement goes, or -1 when chance is against it. */
  #slot({ offered }: Series, value: number): number {
    if (this.#boundaries !== undefined) {
      let bucket = 0;
      while (bucket < this.#boundaries.length && value > (this.#boundaries[bucket] ?? 0)) bucket += 1;
      const seen = (offered[bucket] ?? 0) + 1;
      offered[bucket] = seen;
      return Math.random() * seen < 1 ? bucket : -1;
    }
    const seen = offered[0] ?? 0;
    offered[0] = seen + 1;
    if (seen < fixedSize) return seen;
    const slot = Math.floor(Math.random() * (seen + 1));
    return slot < fixedSize ? slot : -1;
  }
}

/** The same text for the same set of attributes, whatever their order. */
export function seriesKey(attributes: Attributes): string {
  return JSON.stringify(Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1)));
}
