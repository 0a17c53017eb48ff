import { MetricType } from '@signalbox/records';
import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import { PromqlError } from '../promql/promql-error.ts';
import type { Queryable, RawSeries, Selection as Wanted } from '../promql/queryable.ts';
import type { QueryContext } from '../query-context.ts';
import { classicSeries } from './classic-series.ts';
import { mergeSeries } from './merge-series.ts';
import { nanoRange } from './nano-range.ts';
import { nativeSeries } from './native-series.ts';
import { numberSeries } from './number-series.ts';
import { type ReadOptions, tooManySamples } from './read-points.ts';
import { type Selection, selectSeries } from './select-series.ts';
import type { SeriesCatalog } from './series-catalog.ts';
import { selectSpanMetrics } from './span-metrics/select-span-metrics.ts';
import { spanMetricSeries } from './span-metrics/span-metric-series.ts';
import { selectTargets, targetInfoSeries } from './target-info.ts';

export interface StoreQueryableOptions {
  /** Samples that all selectors together may read. */
  readonly maxSamples: number;
  /** Gives the start times of samples: `EngineOptions.usesStartTimes`. */
  readonly usesStartTimes?: boolean;
}

/** PromQL's data from the store, for one request. */
export class StoreQueryable implements Queryable {
  readonly #context: QueryContext;
  readonly #catalog: SeriesCatalog;
  readonly #maxSamples: number;
  readonly #withStarts: boolean;
  /** Samples that all selectors together have read. */
  samplesRead = 0;
  /** Series that selectors have found, each as often as it was. */
  seriesRead = 0;
  /** How long it took until the last of the selectors that were asked for at once had all, in ms. */
  readMs = 0;

  constructor(context: QueryContext, catalog: SeriesCatalog, { maxSamples, usesStartTimes }: StoreQueryableOptions) {
    this.#context = context;
    this.#catalog = catalog;
    this.#maxSamples = maxSamples;
    this.#withStarts = usesStartTimes ?? false;
  }

  async select({ matchers, startMs, endMs }: Wanted, signal?: AbortSignal): Promise<readonly RawSeries[]> {
    const context =
      signal === undefined
        ? this.#context
        : { ...this.#context, signal: AbortSignal.any([signal, this.#context.signal]) };
    const startedAt = performance.now();
    try {
      const selection = await selectSeries(context, this.#catalog, matchers, nanoRange(startMs, endMs));
      const options = {
        range: { fromMs: startMs, toMs: endMs },
        withStarts: this.#withStarts,
        memory: this.#catalog.points,
        maxPoints: Math.max(0, this.#maxSamples - this.samplesRead),
      };
      const read = await readSelection(context, selection, options);
      const targets = await selectTargets(context, this.#catalog, matchers, nanoRange(startMs, endMs));
      if (targets.length > 0) read.push(await targetInfoSeries(context, targets, options));
      const spanMetrics = await selectSpanMetrics(context, this.#catalog, matchers, options.range);
      if (spanMetrics.length > 0) read.push(await spanMetricSeries(context, spanMetrics, options));
      const series = mergeSeries(read.map((group) => group.filter(({ times }) => times.length > 0)));
      this.samplesRead += series.reduce((sum, { times }) => sum + times.length, 0);
      this.seriesRead += series.length;
      this.readMs = Math.max(this.readMs, performance.now() - startedAt);
      if (this.samplesRead > this.#maxSamples) throw tooManySamples(this.#maxSamples);
      return series;
    } catch (error) {
      throw inPromqlTerms(error);
    }
  }
}

async function readSelection(
  context: QueryContext,
  { groups, hasBound, isWhole }: Selection,
  options: Omit<ReadOptions, 'isDelta'>,
): Promise<RawSeries[][]> {
  return await Promise.all(
    groups.map((group) => {
      const all = { ...options, isDelta: group.isDelta, isWhole };
      switch (group.type) {
        case MetricType.Histogram:
        case MetricType.Summary:
          return classicSeries(context, group, hasBound, all);
        case MetricType.ExponentialHistogram:
          return nativeSeries(context, group, all);
        default:
          return numberSeries(context, group, all);
      }
    }),
  );
}

const kinds: Readonly<Partial<Record<SignalboxError['code'], PromqlError['kind']>>> = {
  cancelled: 'canceled',
  timeout: 'timeout',
  too_large: 'execution',
};

/** Errors of the store that are about the query as the engine's own; others stay what they are. */
function inPromqlTerms(error: unknown): unknown {
  if (!(error instanceof SignalboxError)) return error;
  const kind = kinds[error.code];
  if (kind === undefined) return error;
  const message = error.hint === undefined ? error.message : `${error.message}. ${error.hint}`;
  return new PromqlError(kind, message, { cause: error });
}
