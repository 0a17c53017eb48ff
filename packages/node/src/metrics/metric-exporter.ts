import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import {
  type AggregationOption,
  AggregationTemporality,
  AggregationType,
  InstrumentType,
  type PushMetricExporter,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import type { OtlpExporter } from '../export/otlp-exporter.ts';

const flushTimeoutMillis = 30_000;

export interface MetricExporterSettings {
  readonly exponentialHistograms: boolean;
  readonly temporality: 'cumulative' | 'delta' | 'lowmemory';
}

/** The official reader's exporter interface over our `OtlpExporter`. */
export class QueueMetricExporter implements PushMetricExporter {
  readonly #exporter: OtlpExporter<ResourceMetrics>;
  readonly #settings: MetricExporterSettings;

  constructor(exporter: OtlpExporter<ResourceMetrics>, settings: MetricExporterSettings) {
    this.#exporter = exporter;
    this.#settings = settings;
  }

  export(metrics: ResourceMetrics, done: (result: ExportResult) => void): void {
    this.#exporter.send(metrics, countDataPoints(metrics));
    // Handed over, not delivered: retries, losses and their reporting are the exporter's business.
    done({ code: ExportResultCode.SUCCESS });
  }

  selectAggregationTemporality(type: InstrumentType): AggregationTemporality {
    return selectTemporality(this.#settings, type);
  }

  selectAggregation(type: InstrumentType): AggregationOption {
    return type === InstrumentType.HISTOGRAM && this.#settings.exponentialHistograms
      ? { type: AggregationType.EXPONENTIAL_HISTOGRAM }
      : { type: AggregationType.DEFAULT };
  }

  forceFlush(): Promise<void> {
    return this.#exporter.drain(Date.now() + flushTimeoutMillis);
  }

  shutdown(): Promise<void> {
    return this.forceFlush();
  }
}

/** https://opentelemetry.io/docs/specs/otel/metrics/sdk_exporters/otlp/#additional-environment-variable-configuration */
export function selectTemporality(
  { temporality }: Pick<MetricExporterSettings, 'temporality'>,
  type: InstrumentType,
): AggregationTemporality {
  if (temporality === 'cumulative') return AggregationTemporality.CUMULATIVE;
  const delta =
    type === InstrumentType.COUNTER ||
    type === InstrumentType.HISTOGRAM ||
    (type === InstrumentType.OBSERVABLE_COUNTER && temporality === 'delta');
  return delta ? AggregationTemporality.DELTA : AggregationTemporality.CUMULATIVE;
}

export function countDataPoints(metrics: ResourceMetrics): number {
  let count = 0;
  for (const scope of metrics.scopeMetrics) for (const metric of scope.metrics) count += metric.dataPoints.length;
  return count;
}
