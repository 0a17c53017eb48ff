import {
  context,
  type Histogram,
  type Meter,
  type MeterOptions,
  type MetricOptions,
  ValueType,
} from '@opentelemetry/api';
import {
  type AggregationOption,
  AggregationType,
  type DataPoint,
  DataPointType,
  type InstrumentType,
  MeterProvider,
  type MeterProviderOptions,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import type { ExemplarFilter } from '../options.ts';
import { type CellDescriptor, CellStorage, type Collector } from './cell-storage.ts';
import { type Exemplar, HistogramExemplars, seriesKey } from './exemplar-reservoir.ts';

/** The part of the (pinned) official provider's internals that has storages registered and collected. */
interface MeterProviderState {
  readonly viewRegistry: { findViews(instrument: object, scope: object): readonly unknown[] };
  readonly metricCollectors: readonly (Collector & { selectAggregation(type: InstrumentType): AggregationOption })[];
  getMeterSharedState(scope: object): { readonly metricStorageRegistry: { register(storage: CellStorage): void } };
}

/** Boundaries of the specification's default explicit bucket histogram. */
const defaultBoundaries = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000];

export interface ExemplarOptions {
  readonly filter: ExemplarFilter;
  readonly exponentialHistograms: boolean;
}

/** Exemplars by data point, in the order in which the data points appear in the request. */
export type PointExemplars = readonly (readonly Exemplar[])[];

/**
 * The official MeterProvider plus exemplars, which SDK 2.12 specifies classes for but never calls: its aggregators see a
 * value without context, and its serializers write no exemplars. So every histogram made by this provider, the
 * application's as well as ours, also offers its measurements to a reservoir here, and `withExemplars` adds what the
 * reservoirs hold to the encoded request. Everything else (aggregation, temporality, limits) stays the official code.
 */
export class ExemplarMeterProvider extends MeterProvider {
  readonly #options: ExemplarOptions;
  readonly #meters = new WeakSet<Meter>();
  readonly #reservoirs = new Map<string, HistogramExemplars>();
  /** Of points that come from cells, whose storage keeps its own. */
  readonly #exemplarsOfPoints = new WeakMap<object, readonly Exemplar[]>();

  constructor(options: MeterProviderOptions, exemplars: ExemplarOptions) {
    super(options);
    this.#options = exemplars;
  }

  override getMeter(name: string, version?: string, options?: MeterOptions): Meter {
    const meter = super.getMeter(name, version, options);
    if (this.#options.filter === 'always_off' || this.#meters.has(meter)) return meter;
    this.#meters.add(meter);
    const createHistogram = meter.createHistogram;
    meter.createHistogram = (instrument, instrumentOptions) => {
      const histogram: Histogram = createHistogram.call(meter, instrument, instrumentOptions);
      return this.#observe(histogram, this.#reservoirOf(name, version, instrument, instrumentOptions));
    };
    return meter;
  }

  /**
   * A storage of cached series for an instrument of ours, collected by every reader. Undefined when the official
   * instrument has to be used instead, because a view or a reader asks for another aggregation than the default.
   */
  createCellStorage(
    scope: { readonly name: string; readonly version: string },
    instrument: Omit<CellDescriptor, 'exemplars'>,
  ): CellStorage | undefined {
    // biome-ignore lint/complexity/useLiteralKeys: the bracket is how TypeScript lets private members through.
    const shared: MeterProviderState = this['_sharedState'];
    const official = { ...instrument, valueType: ValueType.DOUBLE, advice: {} };
    if (shared.viewRegistry.findViews(official, scope).length > 0) return undefined;
    const collectors = shared.metricCollectors;
    const usual: readonly AggregationType[] = [AggregationType.DEFAULT, AggregationType.EXPLICIT_BUCKET_HISTOGRAM];
    if (collectors.some((collector) => !usual.includes(collector.selectAggregation(instrument.type).type)))
      return undefined;
    const descriptor: CellDescriptor = { ...instrument, exemplars: this.#options.filter };
    const storage = new CellStorage(descriptor, collectors, this.#exemplarsOfPoints);
    const registry = shared.getMeterSharedState(scope).metricStorageRegistry;
    registry.register(storage);
    return storage;
  }

  /** Exemplars of one point, for points that come from cells. */
  exemplarsOf(point: object): readonly Exemplar[] | undefined {
    return this.#exemplarsOfPoints.get(point);
  }

  /** Empties the reservoirs into exemplars for the histogram points of `metrics`; undefined when there are none. */
  takeExemplars(metrics: ResourceMetrics): PointExemplars | undefined {
    const byPoint: (readonly Exemplar[])[] = [];
    let found = false;
    for (const { scope, metrics: data } of metrics.scopeMetrics) {
      for (const metric of data) {
        if (
          metric.dataPointType !== DataPointType.HISTOGRAM &&
          metric.dataPointType !== DataPointType.EXPONENTIAL_HISTOGRAM
        )
          continue;
        const taken = this.#reservoirs.get(reservoirKey(scope.name, scope.version, metric.descriptor.name))?.take();
        for (const point of metric.dataPoints) {
          const exemplars = this.exemplarsOf(point) ?? taken?.get(seriesKey(point.attributes)) ?? [];
          found ||= exemplars.length > 0;
          byPoint.push(exemplars);
        }
      }
    }
    return found ? byPoint : undefined;
  }

  /** Exemplars of one point of a histogram that another reader has collected, without taking them from the first. */
  peekExemplars(
    scope: string,
    version: string | undefined,
    metric: string,
    point: DataPoint<unknown>,
  ): readonly Exemplar[] {
    const held = this.exemplarsOf(point);
    if (held !== undefined) return held;
    return (
      this.#reservoirs
        .get(reservoirKey(scope, version, metric))
        ?.peek()
        .get(seriesKey(point.attributes)) ?? []
    );
  }

  #reservoirOf(
    scope: string,
    version: string | undefined,
    instrument: string,
    options: MetricOptions | undefined,
  ): HistogramExemplars {
    const key = reservoirKey(scope, version, instrument);
    let reservoir = this.#reservoirs.get(key);
    if (reservoir === undefined) {
      const boundaries = options?.advice?.explicitBucketBoundaries ?? defaultBoundaries;
      reservoir = new HistogramExemplars(
        this.#options.filter,
        this.#options.exponentialHistograms ? undefined : boundaries,
      );
      this.#reservoirs.set(key, reservoir);
    }
    return reservoir;
  }

  #observe(histogram: Histogram, reservoir: HistogramExemplars): Histogram {
    const record = histogram.record;
    histogram.record = (value, attributes, recordContext) => {
      // What the official instrument ignores (negative, not a number) must not become an exemplar.
      if (value >= 0) reservoir.offer(value, attributes ?? {}, recordContext ?? context.active());
      record.call(histogram, value, attributes, recordContext);
    };
    return histogram;
  }
}

function reservoirKey(scope: string, version: string | undefined, instrument: string): string {
  return `${scope}\u0000${version ?? ''}\u0000${instrument}`;
}
