import type { Attributes, ObservableGauge } from '@opentelemetry/api';
import type { InstrumentationContext } from '../instrumentation.ts';
import { maxSeries, overflowAttributes } from '../metrics/cells.ts';
import { version } from '../version.ts';

/** A metric of Temporal's SDK, or of a workflow or activity that uses its `metricMeter`. */
export interface TemporalMetric {
  readonly name: string;
  readonly unit?: string;
  readonly description?: string;
  readonly kind: string;
}

/** https://typescript.temporal.io/api/interfaces/worker.BufferedMetricUpdate */
export interface TemporalMetricUpdate {
  readonly metric: TemporalMetric;
  /** What is added, for counters; else the value itself. */
  readonly value: number;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}

/** What of https://typescript.temporal.io/api/classes/worker.MetricsBuffer is used. */
export interface TemporalMetricsBuffer {
  retrieveUpdates(): Iterable<TemporalMetricUpdate>;
}

type RecordValue = (value: number, attributes: TemporalMetricUpdate['attributes']) => void;

/** Milliseconds: seldom enough to cost nothing, often enough for a buffer of 10,000 updates. */
const drainMillis = 1000;

/** Upper bounds in seconds. Tasks are there in milliseconds, while activities and workflows may take days. */
const boundaries = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 10_800,
  86_400,
];
/** Of a histogram that says no unit of time: those of the specification. */
const otherBoundaries = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000];

/**
 * Brings the metrics of Temporal's SDK, under the names and tags that it gives them, into those of this process. Its core hands
 * out what was recorded; it is asked every second, and before metrics are collected.
 */
export class TemporalMetrics {
  readonly #instrumentation: InstrumentationContext;
  readonly #records = new Map<string, RecordValue>();
  readonly #buffers = new Map<TemporalMetricsBuffer, NodeJS.Timeout>();
  readonly #drain: (buffer: TemporalMetricsBuffer) => void;

  constructor(instrumentation: InstrumentationContext) {
    this.#instrumentation = instrumentation;
    this.#drain = instrumentation.protect<[TemporalMetricsBuffer], void>(
      (buffer) => {
        for (const { metric, value, attributes } of buffer.retrieveUpdates()) this.#recordOf(metric)(value, attributes);
      },
      () => {},
    );
    instrumentation.onExit(() => this.#drainAll());
  }

  follow(buffer: TemporalMetricsBuffer): void {
    this.#buffers.set(buffer, setInterval(() => this.#drain(buffer), drainMillis).unref());
  }

  stop(): void {
    this.#drainAll();
    for (const timer of this.#buffers.values()) clearInterval(timer);
    this.#buffers.clear();
  }

  #drainAll(): void {
    for (const buffer of this.#buffers.keys()) this.#drain(buffer);
  }

  #recordOf(metric: TemporalMetric): RecordValue {
    const key = `${metric.kind} ${metric.name}`;
    let record = this.#records.get(key);
    if (record === undefined) {
      record = this.#create(metric);
      this.#records.set(key, record);
    }
    return record;
  }

  #create({ name, kind, unit = '', description = '' }: TemporalMetric): RecordValue {
    const { cells, warn } = this.#instrumentation;
    const options = { unit, description };
    if (kind === 'gauge') return this.#gauge(name, unit, description);
    if (kind === 'histogram') {
      const series = cells.histogram(name, { ...options, boundaries: boundariesIn(unit) }, attributesOf);
      return (value, attributes) => series(keyOf(attributes)).record(value);
    }
    if (kind !== 'counter' && kind !== 'up-down-counter') {
      warn(`Temporal's metric ${name} is a ${kind}, which is not known here and not recorded`);
      return () => {};
    }
    const series =
      kind === 'counter'
        ? cells.counter(name, options, attributesOf)
        : cells.upDownCounter(name, options, attributesOf);
    return (value, attributes) => series(keyOf(attributes)).add(value);
  }

  /** The last value of each series. Being asked for it is also the moment to ask for what else was recorded. */
  #gauge(name: string, unit: string, description: string): RecordValue {
    const { meterProvider, warn } = this.#instrumentation;
    const meter = meterProvider.getMeter('@signalbox/node/temporal', version);
    const gauge: ObservableGauge = meter.createObservableGauge(name, { unit, description });
    const series = new Map<string, { readonly attributes: Attributes; value: number }>();
    gauge.addCallback((result) => {
      this.#drainAll();
      for (const { attributes, value } of series.values()) result.observe(value, attributes);
    });
    return (value, tags) => {
      let key = keyOf(tags);
      if (series.size >= maxSeries && !series.has(key)) {
        warn(
          `${name} has more than ${maxSeries} series; of further ones only the last is kept, under otel.metric.overflow`,
        );
        key = '';
      }
      const known = series.get(key);
      if (known !== undefined) known.value = value;
      else series.set(key, { attributes: key === '' ? overflowAttributes : { ...tags }, value });
    };
  }
}

/** Core's durations are in seconds or milliseconds, as the buffer was asked for. */
function boundariesIn(unit: string): readonly number[] {
  if (unit === 's' || unit === 'duration') return boundaries;
  return unit === 'ms' ? boundaries.map((seconds) => seconds * 1000) : otherBoundaries;
}

/** The same text for the same tags, whatever their order. */
function keyOf(attributes: TemporalMetricUpdate['attributes']): string {
  return JSON.stringify(Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

function attributesOf(key: string): Attributes {
  return Object.fromEntries(JSON.parse(key) as [string, string | number | boolean][]);
}
