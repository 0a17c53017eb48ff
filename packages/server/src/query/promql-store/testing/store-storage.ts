import { MetricType } from '@signalbox/records';
import type { FloatHistogram } from '../../promql/histogram/float-histogram.ts';
import type { Labels } from '../../promql/labels.ts';
import type { MemorySample } from '../../promql/memory-series.ts';
import type { Queryable } from '../../promql/queryable.ts';
import type { TestStorage } from '../../promql/testing/promqltest.ts';
import type { TestStore } from '../../testing/test-store.ts';
import { defaultZeroThreshold } from '../native-series.ts';
import { SeriesCatalog } from '../series-catalog.ts';
import { StoreQueryable } from '../store-queryable.ts';
import { DEFAULT_TRANSLATION, type Translation } from '../translation.ts';

/** Names and labels as they are. */
export const untranslated: Translation = { ...DEFAULT_TRANSLATION, strategy: 'NoTranslation' };

const limits = { maxCached: 100_000, maxSeries: 100_000 };
const periodMs = 21_600_000;

/** Keeps the samples of a script in the real store. What OTLP has no form for, it refuses. */
export class StoreStorage implements TestStorage {
  readonly #store: TestStore;
  readonly #catalog = new SeriesCatalog(untranslated, limits);
  readonly #ids = new Map<string, bigint>();

  /** Empties the store. */
  static async create(store: TestStore): Promise<StoreStorage> {
    for (const table of ['series', 'number_points', 'exponential_histogram_points']) {
      await store.connection.command(`TRUNCATE TABLE ${table}`);
    }
    return new StoreStorage(store);
  }

  private constructor(store: TestStore) {
    this.#store = store;
  }

  get queryable(): Queryable {
    const source = new StoreQueryable(this.#store.context(), this.#catalog, { maxSamples: 10_000_000 });
    return {
      async select(selection, signal) {
        const found = await source.select(selection, signal);
        // OTLP has no zero bucket without a width; scripts have.
        for (const histogram of found.flatMap(({ histograms = [] }) => histograms)) {
          if (histogram?.zeroThreshold === defaultZeroThreshold) histogram.zeroThreshold = 0;
        }
        return found;
      },
    };
  }

  async add(series: readonly { readonly labels: Labels; readonly samples: readonly MemorySample[] }[]): Promise<void> {
    for (const { labels, samples } of series) {
      const numbers = samples.filter(({ value }) => typeof value !== 'object');
      const histograms = samples.filter(({ value }) => typeof value === 'object');
      if (histograms.length > 0) await this.#add(labels, MetricType.ExponentialHistogram, samples);
      else if (numbers.length > 0) await this.#add(labels, MetricType.Gauge, samples);
    }
  }

  async #add(labels: Labels, type: MetricType, samples: readonly MemorySample[]): Promise<void> {
    const name = labels.get('__name__');
    const key = `${type} ${labels.key}`;
    const id = this.#ids.get(key) ?? (BigInt(this.#ids.size + 1) * 0x9e37_79b9_7f4a_7c15n) % 2n ** 64n;
    this.#ids.set(key, id);
    const attributes = Object.fromEntries(labels.entries().filter(([label]) => label !== '__name__'));
    const periods = new Set(samples.map(({ timeMs }) => Math.floor(timeMs / periodMs)));
    await this.#store.insertSeries(
      Array.from(periods, (period) => ({ id, name, type, attributes, time: BigInt(period * periodMs) * 1_000_000n })),
    );
    const nanos = (timeMs: number): bigint => BigInt(timeMs) * 1_000_000n;
    const common = { metric_name: 'String', series_id: 'UInt64', time: 'Int64', flags: 'UInt32' };
    const convert = { time: "fromUnixTimestamp64Nano(time, 'UTC')" };
    const point = ({ timeMs, value }: MemorySample): object => ({
      metric_name: name,
      series_id: id,
      time: nanos(timeMs),
      flags: value === 'stale' ? 1 : 0,
    });
    if (type === MetricType.Gauge) {
      const rows = samples.map((sample) => ({ ...point(sample), value: jsonNumber(sample.value) }));
      await this.#store.insert('number_points', { ...common, value: 'Float64' }, rows, convert);
      return;
    }
    const rows = samples.map((sample) => {
      if (typeof sample.value === 'number')
        throw new Error('A series of both numbers and histograms has no form in OTLP');
      return { ...point(sample), ...(sample.value === 'stale' ? {} : exponentialHistogram(sample.value)) };
    });
    await this.#store.insert('exponential_histogram_points', { ...common, ...histogramColumns }, rows, convert);
  }
}

function jsonNumber(value: MemorySample['value']): number | string {
  return typeof value !== 'number' ? 0 : Number.isFinite(value) && !Object.is(value, -0) ? value : String(value);
}

const histogramColumns = {
  count: 'UInt64',
  sum: 'Float64',
  scale: 'Int32',
  zero_count: 'UInt64',
  zero_threshold: 'Float64',
  positive_offset: 'Int32',
  positive_counts: 'Array(UInt64)',
  negative_offset: 'Int32',
  negative_counts: 'Array(UInt64)',
};

function exponentialHistogram(histogram: FloatHistogram): object {
  const all = [histogram.count, histogram.zeroCount, ...histogram.positive.counts, ...histogram.negative.counts];
  if (histogram.hasCustomBuckets || !all.every(Number.isSafeInteger)) {
    throw new Error('OTLP has no histograms with custom buckets or broken counts');
  }
  const dense = ({ indexes, counts }: FloatHistogram['positive']): { offset: number; counts: number[] } => {
    const first = indexes[0] ?? 1;
    const filled = new Array<number>(Math.max(0, (indexes.at(-1) ?? 0) - first + 1)).fill(0);
    for (const [at, index] of indexes.entries()) filled[index - first] = counts[at];
    return { offset: first - 1, counts: filled };
  };
  const positive = dense(histogram.positive);
  const negative = dense(histogram.negative);
  return {
    count: histogram.count,
    sum: jsonNumber(histogram.sum),
    scale: histogram.schema,
    zero_count: histogram.zeroCount,
    zero_threshold: histogram.zeroThreshold,
    positive_offset: positive.offset,
    positive_counts: positive.counts,
    negative_offset: negative.offset,
    negative_counts: negative.counts,
  };
}
