import type { StatsdSample } from '@signalbox/protocols';
import {
  type AttributeEntry,
  ExplicitHistogram,
  ExponentialHistogram,
  HistogramPresence,
  type MetricBuilder,
  MetricType,
  type NewMetric,
  Temporality,
} from '@signalbox/records';
import type { CounterType } from './statsd-settings.ts';

/** Where and when a series is written. */
export interface SeriesRow {
  readonly builder: MetricBuilder;
  /** Row of the metric. */
  readonly metric: number;
  readonly attributes: readonly AttributeEntry[];
  readonly startMs: number;
  readonly endMs: number;
}

/** What the values of one name, type and set of tags from one sender make in an interval. */
export interface StatsdSeries {
  readonly metric: Omit<NewMetric, 'name'>;
  /** Numbers that it will write, and attributes more than once: what its memory follows. */
  readonly size: number;
  /** @param time in nanoseconds since 1970, of no other sample */
  add(sample: StatsdSample, time: bigint): void;
  write(row: SeriesRow): void;
}

const INT64_END = 2 ** 63;

export class CounterSeries implements StatsdSeries {
  readonly metric: StatsdSeries['metric'];
  readonly size = 1;
  readonly #type: CounterType;
  #sum = 0;
  #timeSeconds: number | null = null;

  constructor(type: CounterType, monotonic: boolean) {
    this.#type = type;
    this.metric = { type: MetricType.Sum, temporality: Temporality.Delta, monotonic };
  }

  add({ value, sampleRate, timeSeconds }: StatsdSample): void {
    const counted = value / sampleRate;
    this.#sum += this.#type === 'float' ? counted : this.#type === 'int' ? Math.trunc(counted) : roundByChance(counted);
    this.#timeSeconds ??= timeSeconds;
  }

  write({ builder, metric, attributes, startMs, endMs }: SeriesRow): void {
    const { numberPoints } = builder.batch;
    const timeMs = this.#timeSeconds === null ? endMs : this.#timeSeconds * 1000;
    const row = builder.point(numberPoints, metric, attributes, Math.min(startMs, timeMs), timeMs);
    if (this.#type === 'float') {
      numberPoints.value.setDouble(row, this.#sum);
    } else {
      const bits = BigInt.asUintN(64, wholeOf(this.#sum));
      numberPoints.value.setIntWords(row, Number(bits & 0xffff_ffffn), Number(bits >> 32n));
    }
    numberPoints.end();
  }
}

export class GaugeSeries implements StatsdSeries {
  readonly metric = { type: MetricType.Gauge };
  readonly size = 1;
  #value = 0;
  #time = 0n;

  add({ value, relative, timeSeconds }: StatsdSample, time: bigint): void {
    this.#value = relative ? this.#value + value : value;
    this.#time = timeSeconds === null ? time : BigInt(timeSeconds) * 1_000_000_000n;
  }

  write({ builder, metric, attributes }: SeriesRow): void {
    const { numberPoints } = builder.batch;
    const row = builder.point(numberPoints, metric, attributes, 0, 0);
    numberPoints.time.values[row] = this.#time;
    numberPoints.value.setDouble(row, this.#value);
    numberPoints.end();
  }
}

/** Every value a point of a gauge. */
export class ValueSeries implements StatsdSeries {
  readonly metric = { type: MetricType.Gauge };
  readonly #attributes: number;
  readonly #values: number[] = [];
  readonly #times: bigint[] = [];

  constructor(attributes: number) {
    this.#attributes = attributes;
  }

  get size(): number {
    return this.#values.length * (2 + this.#attributes);
  }

  add({ value }: StatsdSample, time: bigint): void {
    this.#values.push(value);
    this.#times.push(time);
  }

  write({ builder, metric, attributes }: SeriesRow): void {
    const { numberPoints } = builder.batch;
    for (const [i, value] of this.#values.entries()) {
      const row = builder.point(numberPoints, metric, attributes, 0, 0);
      numberPoints.time.values[row] = this.#times[i] as bigint;
      numberPoints.value.setDouble(row, value);
      numberPoints.end();
    }
  }
}

export class SummarySeries implements StatsdSeries {
  readonly metric = { type: MetricType.Summary };
  readonly #percentiles: readonly number[];
  readonly #values: { readonly value: number; readonly weight: number }[] = [];

  constructor(percentiles: readonly number[]) {
    this.#percentiles = percentiles;
  }

  get size(): number {
    return this.#values.length + this.#percentiles.length * 2;
  }

  add({ value, sampleRate }: StatsdSample): void {
    this.#values.push({ value, weight: 1 / sampleRate });
  }

  write({ builder, metric, attributes, startMs, endMs }: SeriesRow): void {
    const { summaryPoints } = builder.batch;
    const row = builder.point(summaryPoints, metric, attributes, startMs, endMs);
    let count = 0;
    let sum = 0;
    for (const { value, weight } of this.#values) {
      count += weight;
      sum += value * weight;
    }
    summaryPoints.valueCount.values[row] = wholeOf(count);
    summaryPoints.sum[row] = sum;
    this.#values.sort((a, b) => a.value - b.value);
    for (const percentile of this.#percentiles) {
      summaryPoints.quantiles.push(percentile / 100);
      summaryPoints.quantileValues.push(this.#quantile((percentile / 100) * count));
    }
    summaryPoints.end();
  }

  /** The first of the sorted values that, with those below it, weighs at least so much. */
  #quantile(weighing: number): number {
    let weighed = 0;
    for (const { value, weight } of this.#values) {
      weighed += weight;
      if (weighed >= weighing) return value;
    }
    return this.#values.at(-1)?.value ?? 0;
  }
}

/** Of given bounds, or exponential. */
export class HistogramSeries implements StatsdSeries {
  readonly metric: StatsdSeries['metric'];
  readonly #histogram: ExplicitHistogram | ExponentialHistogram;
  readonly #bounds: number;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;

  /** @param shape upper bounds, or how many buckets an exponential histogram may have for each sign */
  constructor(shape: readonly number[] | number) {
    const exponential = typeof shape === 'number';
    this.#histogram = exponential ? new ExponentialHistogram(shape) : new ExplicitHistogram(shape);
    this.#bounds = exponential ? 0 : shape.length;
    const type = exponential ? MetricType.ExponentialHistogram : MetricType.Histogram;
    this.metric = { type, temporality: Temporality.Delta };
  }

  get size(): number {
    return this.#histogram instanceof ExponentialHistogram ? this.#histogram.size : this.#bounds * 2 + 1;
  }

  add({ value, sampleRate }: StatsdSample): void {
    this.#histogram.record(value, Math.trunc(1 / sampleRate));
    this.#min = Math.min(this.#min, value);
    this.#max = Math.max(this.#max, value);
  }

  write({ builder, metric, attributes, startMs, endMs }: SeriesRow): void {
    const { histogramPoints, exponentialHistogramPoints } = builder.batch;
    const histogram = this.#histogram;
    const table = histogram instanceof ExponentialHistogram ? exponentialHistogramPoints : histogramPoints;
    const row = builder.point(table, metric, attributes, startMs, endMs);
    if (histogram instanceof ExponentialHistogram) histogram.write(exponentialHistogramPoints, row);
    else histogram.write(histogramPoints, row);
    table.min[row] = this.#min;
    table.max[row] = this.#max;
    table.presence[row] = HistogramPresence.Sum | HistogramPresence.Min | HistogramPresence.Max;
    table.end();
  }
}

/** Up as often as the fraction says, so that fractions are not lost in the long run. */
function roundByChance(value: number): number {
  const below = Math.floor(value);
  return Math.random() < value - below ? below + 1 : below;
}

/** What fits 64 bits with a sign. */
function wholeOf(value: number): bigint {
  if (value >= INT64_END) return 2n ** 63n - 1n;
  return value <= -INT64_END ? -(2n ** 63n) : BigInt(Math.trunc(value));
}
