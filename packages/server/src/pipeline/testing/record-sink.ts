import { decodeLogs, decodeMetrics, decodeTraces } from '@signalbox/otlp';
import {
  type LogBatch,
  type LogObject,
  logObjects,
  type MetricBatch,
  type MetricPointObject,
  metricPointObjects,
  type SpanBatch,
  type SpanObject,
  spanObjects,
} from '@signalbox/records';
import { ALL_ACCEPTED, type ConsumeResult } from '../consumer.ts';
import type { BatchOf, Consumers, Signal } from '../signal.ts';

/** Ends a pipeline in memory: keeps the records that it is given as objects, and answers as it is told to. */
export class RecordSink {
  readonly spans: SpanObject[] = [];
  readonly points: MetricPointObject[] = [];
  readonly logs: LogObject[] = [];
  /** Number of rows of each batch, in order of arrival. */
  readonly batchSizes: number[] = [];
  /** Decides what becomes of a batch: a result, a refusal to throw, or a promise of them. What it refuses is not kept. */
  respond: (batch: BatchOf[Signal]) => ConsumeResult | Promise<ConsumeResult> = () => ALL_ACCEPTED;

  readonly consumers: Required<Consumers> = {
    traces: { consume: (batch) => this.#take(batch, () => this.spans.push(...spanObjects(batch))) },
    metrics: { consume: (batch) => this.#take(batch, () => this.points.push(...metricPointObjects(batch))) },
    logs: { consume: (batch) => this.#take(batch, () => this.logs.push(...logObjects(batch))) },
  };

  async #take(batch: BatchOf[Signal], keep: () => void): Promise<ConsumeResult> {
    const result = await this.respond(batch);
    this.batchSizes.push(batch.rowCount);
    keep();
    return result;
  }
}

/** A batch of an `ExportTraceServiceRequest` in OTLP/JSON. */
export function spansOf(request: object): SpanBatch {
  return decodeTraces(jsonBytes(request), 'json').batch;
}

/** A batch of an `ExportMetricsServiceRequest` in OTLP/JSON. */
export function pointsOf(request: object): MetricBatch {
  return decodeMetrics(jsonBytes(request), 'json').batch;
}

/** A batch of an `ExportLogsServiceRequest` in OTLP/JSON. */
export function logsOf(request: object): LogBatch {
  return decodeLogs(jsonBytes(request), 'json').batch;
}

function jsonBytes(value: object): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(value));
}
