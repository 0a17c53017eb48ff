import { type Attributes, type Context, type HrTime, TraceFlags, trace, ValueType } from '@opentelemetry/api';
import {
  AggregationTemporality,
  type DataPoint,
  DataPointType,
  type Histogram,
  InstrumentType,
  type MetricData,
} from '@opentelemetry/sdk-metrics';
import type { ExemplarFilter } from '../options.ts';
import { wallClock } from '../wall-clock.ts';
import type { HistogramCell, SumCell } from './cells.ts';
import type { Exemplar } from './exemplar-reservoir.ts';

export interface CellDescriptor {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
  readonly type: InstrumentType.HISTOGRAM | InstrumentType.COUNTER | InstrumentType.UP_DOWN_COUNTER;
  /** Empty unless it is a histogram. */
  readonly boundaries: readonly number[];
  readonly exemplars: ExemplarFilter;
}

/** What the official collectors are to a storage: identity, and a preference. */
export interface Collector {
  selectAggregationTemporality(type: InstrumentType): AggregationTemporality;
}

/** The totals of one series, for the cumulative collectors together or for one delta collector. */
interface Totals {
  start: HrTime;
  count: number;
  sum: number;
  min: number;
  max: number;
  readonly counts: number[];
}

interface HeldExemplar extends Exemplar {
  /** Reading of `performance.now()`. */
  readonly at: number;
}

interface Series {
  readonly attributes: Attributes;
  readonly totals: readonly Totals[];
  /** One slot for each bucket; empty for sums. */
  readonly exemplars: (HeldExemplar | undefined)[];
  /** Measurements offered to each slot since the last collection. */
  readonly offered: number[];
}

/**
 * The series of one built-in instrument, in the place of the official `SyncMetricStorage`: registered with the official
 * meter's own registry, so that every reader, the application's too, collects it with everything else, in the temporality
 * it prefers. Unlike that one it knows its series by reference: recording sorts and hashes no attributes (a third of the
 * cost of a stock HTTP span), and keeps exemplars, which SDK 2.12 does not collect.
 */
export class CellStorage {
  readonly #descriptor: CellDescriptor;
  readonly #exemplarsOf: WeakMap<object, readonly Exemplar[]>;
  readonly #series: Series[] = [];
  /** For each collector, which of a series' totals are its. */
  readonly #totalsIndex = new Map<Collector, number>();
  readonly #temporalities: AggregationTemporality[] = [];
  /** Readings of `performance.now()`. */
  readonly #lastCollection = new Map<Collector, number>();

  /** `exemplarsOf` receives, for each point that is collected, its exemplars. */
  constructor(
    descriptor: CellDescriptor,
    collectors: readonly Collector[],
    exemplarsOf: WeakMap<object, readonly Exemplar[]>,
  ) {
    this.#descriptor = descriptor;
    this.#exemplarsOf = exemplarsOf;
    let cumulative: number | undefined;
    for (const collector of collectors) {
      const temporality = collector.selectAggregationTemporality(descriptor.type);
      if (temporality === AggregationTemporality.CUMULATIVE && cumulative !== undefined) {
        this.#totalsIndex.set(collector, cumulative);
        continue;
      }
      const index = this.#temporalities.push(temporality) - 1;
      if (temporality === AggregationTemporality.CUMULATIVE) cumulative = index;
      this.#totalsIndex.set(collector, index);
    }
  }

  createHistogramCell(attributes: Attributes): HistogramCell {
    const series = this.#addSeries(attributes);
    const { boundaries, exemplars } = this.#descriptor;
    return {
      record(value, context) {
        // As the official instrument: what a histogram cannot hold is ignored.
        if (!(value >= 0)) return;
        let bucket = 0;
        while (bucket < boundaries.length && value > (boundaries[bucket] as number)) bucket += 1;
        for (const totals of series.totals) {
          totals.counts[bucket] = (totals.counts[bucket] as number) + 1;
          totals.count += 1;
          totals.sum += value;
          if (value < totals.min) totals.min = value;
          if (value > totals.max) totals.max = value;
        }
        if (exemplars !== 'always_off' && context !== undefined)
          offerExemplar(series, bucket, value, context, exemplars);
      },
    };
  }

  createSumCell(attributes: Attributes): SumCell {
    const series = this.#addSeries(attributes);
    const isMonotonic = this.#descriptor.type === InstrumentType.COUNTER;
    return {
      add(value) {
        if (!Number.isFinite(value) || (isMonotonic && value < 0)) return;
        for (const totals of series.totals) {
          totals.count += 1;
          totals.sum += value;
        }
      },
    };
  }

  /** Called by the official collectors. Undefined when nothing has ever been recorded (or, for delta, since last time). */
  collect(collector: Collector, collectionTime: HrTime): MetricData | undefined {
    const index = this.#totalsIndex.get(collector);
    if (index === undefined) return undefined;
    const previous = this.#lastCollection.get(collector) ?? 0;
    this.#lastCollection.set(collector, performance.now());
    const isDelta = this.#temporalities[index] === AggregationTemporality.DELTA;
    const points: DataPoint<number | Histogram>[] = [];
    for (const { attributes, totals, exemplars, offered } of this.#series) {
      const own = totals[index];
      if (own === undefined || own.count === 0) continue;
      const point = { attributes, startTime: own.start, endTime: collectionTime, value: this.#valueOf(own) };
      points.push(point);
      const recent = exemplars.filter((held) => held !== undefined).filter(({ at }) => at > previous);
      if (recent.length > 0) this.#exemplarsOf.set(point, recent);
      offered.fill(0);
      if (isDelta) reset(own, collectionTime);
    }
    if (points.length === 0) return undefined;
    const { name, description, unit, type } = this.#descriptor;
    const common = {
      descriptor: { name, description, unit, valueType: ValueType.DOUBLE },
      aggregationTemporality: isDelta ? AggregationTemporality.DELTA : AggregationTemporality.CUMULATIVE,
    };
    return type === InstrumentType.HISTOGRAM
      ? { ...common, dataPointType: DataPointType.HISTOGRAM, dataPoints: points as DataPoint<Histogram>[] }
      : {
          ...common,
          dataPointType: DataPointType.SUM,
          isMonotonic: type === InstrumentType.COUNTER,
          dataPoints: points as DataPoint<number>[],
        };
  }

  getInstrumentDescriptor(): Pick<CellDescriptor, 'name' | 'description' | 'unit' | 'type'> {
    return this.#descriptor;
  }

  /** The official registry offers a longer description here when two instruments share a name; ours stays. */
  updateDescription(): void {}

  #valueOf({ count, sum, min, max, counts }: Totals): number | Histogram {
    if (this.#descriptor.type !== InstrumentType.HISTOGRAM) return sum;
    return { buckets: { boundaries: [...this.#descriptor.boundaries], counts: [...counts] }, sum, count, min, max };
  }

  #addSeries(attributes: Attributes): Series {
    const buckets = this.#descriptor.type === InstrumentType.HISTOGRAM ? this.#descriptor.boundaries.length + 1 : 0;
    const start = wallClock.now();
    const series: Series = {
      attributes,
      totals: this.#temporalities.map(() => ({
        start,
        count: 0,
        sum: 0,
        min: Number.POSITIVE_INFINITY,
        max: Number.NEGATIVE_INFINITY,
        counts: new Array<number>(buckets).fill(0),
      })),
      exemplars: new Array<HeldExemplar | undefined>(buckets).fill(undefined),
      offered: new Array<number>(buckets).fill(0),
    };
    this.#series.push(series);
    return series;
  }
}

function reset(totals: Totals, start: HrTime): void {
  totals.start = start;
  totals.count = 0;
  totals.sum = 0;
  totals.min = Number.POSITIVE_INFINITY;
  totals.max = Number.NEGATIVE_INFINITY;
  totals.counts.fill(0);
}

/** Every measurement of a bucket since the last collection has the same chance to be the one that is kept. */
function offerExemplar(
  { exemplars, offered }: Series,
  bucket: number,
  value: number,
  context: Context,
  filter: ExemplarFilter,
): void {
  const spanContext = trace.getSpanContext(context);
  const isSampled = spanContext !== undefined && (spanContext.traceFlags & TraceFlags.SAMPLED) !== 0;
  if (!isSampled && filter === 'trace_based') return;
  const seen = (offered[bucket] ?? 0) + 1;
  offered[bucket] = seen;
  if (seen > 1 && Math.random() * seen >= 1) return;
  exemplars[bucket] = {
    value,
    time: wallClock.now(),
    at: performance.now(),
    ...(spanContext !== undefined && { traceId: spanContext.traceId, spanId: spanContext.spanId }),
  };
}
