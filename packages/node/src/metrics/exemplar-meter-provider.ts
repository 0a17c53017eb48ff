import { context, type Histogram, type Meter, type MeterOptions, type MetricOptions } from '@opentelemetry/api';
import {
  DataPointType,
  MeterProvider,
  type MeterProviderOptions,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import type { ExemplarFilter } from '../options.ts';
import { type Exemplar, HistogramExemplars, seriesKey } from './exemplar-reservoir.ts';

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

  /** Empties the reservoirs into exemplars for the histogram points of `metrics`; undefined when there are none. */
  takeExemplars(metrics: ResourceMetrics): PointExemplars | undefined {
    const byPoint: Exemplar[][] = [];
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
          const exemplars = taken?.get(seriesKey(point.attributes)) ?? [];
          found ||= exemplars.length > 0;
          byPoint.push(exemplars);
        }
      }
    }
    return found ? byPoint : undefined;
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
