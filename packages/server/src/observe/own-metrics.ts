import { decodeMetrics } from '@signalbox/otlp';
import type { MetricBatch } from '@signalbox/records';
import type { Component } from '../pipeline/component.ts';
import type { Consumer } from '../pipeline/consumer.ts';
import type { Logger } from '../pipeline/logger.ts';
import type { TelemetryAttributes } from '../pipeline/telemetry.ts';
import type { TelemetryMetric, TelemetryRegistry, TelemetrySeries } from '../pipeline/telemetry-registry.ts';

export interface OwnMetricsOptions {
  readonly registry: TelemetryRegistry;
  /** The store itself, not a pipeline: what is counted here is counted nowhere, so that it does not grow by being looked at. */
  readonly store: Consumer<MetricBatch>;
  /** Attributes of the resource. */
  readonly resource: ReadonlyMap<string, string>;
  readonly log: Logger;
  /** Milliseconds between two points. Default: 15 seconds. */
  readonly intervalMs?: number;
}

const CUMULATIVE = 2;

/** Stores what the program counts about itself like the metrics of any other service. */
export class OwnMetrics implements Component {
  readonly #options: OwnMetricsOptions;
  readonly #startedMs = Date.now();
  #timer: NodeJS.Timeout | null = null;
  #storing: Promise<void> = Promise.resolve();

  constructor(options: OwnMetricsOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#timer = setInterval(() => {
      this.#storing = this.#storing.then(() => this.#storePoints());
    }, this.#options.intervalMs ?? 15_000);
    this.#timer.unref();
  }

  /** Stores the last points. */
  async shutdown(): Promise<void> {
    if (this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
    this.#storing = this.#storing.then(() => this.#storePoints());
    await this.#storing;
  }

  async #storePoints(): Promise<void> {
    const { registry, store, log } = this.#options;
    try {
      const request = this.#request(registry.collect());
      await store.consume(decodeMetrics(new TextEncoder().encode(JSON.stringify(request)), 'json').batch);
    } catch (error) {
      log.warn('Metrics of the program itself could not be stored', { error: (error as Error).message });
    }
  }

  /** An `ExportMetricsServiceRequest`. */
  #request(metrics: readonly TelemetryMetric[]): object {
    const [startTimeUnixNano, timeUnixNano] = [`${this.#startedMs}000000`, `${Date.now()}000000`];
    const point = (series: TelemetrySeries, bounds: readonly number[]) => ({
      startTimeUnixNano,
      timeUnixNano,
      attributes: keyValues(Object.entries(series.attributes as TelemetryAttributes)),
      ...('value' in series
        ? { asDouble: series.value }
        : {
            count: String(series.count),
            sum: series.sum,
            bucketCounts: series.buckets.map(String),
            explicitBounds: bounds,
          }),
    });
    return {
      resourceMetrics: [
        {
          resource: { attributes: keyValues([...this.#options.resource]) },
          scopeMetrics: [
            {
              scope: { name: 'signalbox' },
              metrics: metrics.map(({ name, description, kind, bounds, series }) => {
                const dataPoints = series.map((one) => point(one, bounds));
                const cumulative = { aggregationTemporality: CUMULATIVE, dataPoints };
                return {
                  name,
                  description,
                  ...(kind === 'gauge' ? { gauge: { dataPoints } } : {}),
                  ...(kind === 'counter' ? { sum: { ...cumulative, isMonotonic: true } } : {}),
                  ...(kind === 'histogram' ? { histogram: cumulative } : {}),
                };
              }),
            },
          ],
        },
      ],
    };
  }
}

function keyValues(pairs: readonly (readonly [string, string])[]): object[] {
  return pairs.map(([key, value]) => ({ key, value: { stringValue: value } }));
}
