import { decodeLogs, decodeMetrics, decodeTraces, encodeLogs, encodeMetrics, encodeTraces } from '@signalbox/otlp';
import type { SettingsMap } from '../../config/settings-map.ts';
import type { ProcessorFactory } from '../../pipeline/component-factory.ts';
import { SIGNALS } from '../../pipeline/signal.ts';
import { BatchProcessor, type BatchSettings } from './batch-processor.ts';

/** `batch`: one queue for each pipeline that names it. */
export const batchFactory: ProcessorFactory = {
  kind: 'processor',
  type: 'batch',
  signals: SIGNALS,
  configure(settings) {
    const read = readSettings(settings);
    return {
      mutatesData: false,
      create(context, { traces, metrics, logs }) {
        if (traces) {
          const codec = { encode: encodeTraces, decode: (b: Uint8Array) => decodeTraces(b, 'protobuf').batch };
          const processor = new BatchProcessor(read, codec, traces, context);
          return component(processor, { traces: processor });
        }
        if (metrics) {
          const codec = { encode: encodeMetrics, decode: (b: Uint8Array) => decodeMetrics(b, 'protobuf').batch };
          const processor = new BatchProcessor(read, codec, metrics, context);
          return component(processor, { metrics: processor });
        }
        if (logs) {
          const codec = { encode: encodeLogs, decode: (b: Uint8Array) => decodeLogs(b, 'protobuf').batch };
          const processor = new BatchProcessor(read, codec, logs, context);
          return component(processor, { logs: processor });
        }
        throw new TypeError('a pipeline without a signal');
      },
    };
  },
};

function readSettings(settings: SettingsMap): BatchSettings {
  const sendBatchSize = settings.integer('send_batch_size', 8192, { min: 0 });
  const sendBatchMaxSize = settings.integer('send_batch_max_size', 0, { min: 0 });
  if (sendBatchMaxSize > 0 && sendBatchMaxSize < sendBatchSize) {
    throw settings.fail('send_batch_max_size', 'it must be at least send_batch_size');
  }
  if (settings.strings('metadata_keys').length > 0) {
    throw settings.fail(
      'metadata_keys',
      'batching by metadata is not supported: requests of all senders share batches',
    );
  }
  settings.integer('metadata_cardinality_limit', null);
  return {
    timeoutMs: settings.duration('timeout', '200ms'),
    sendBatchSize,
    sendBatchMaxSize,
    maxBytes: settings.size('max_size', '512MiB'),
    durable: settings.boolean('durable', true),
  };
}

function component<C extends object>(
  processor: { start(): Promise<void>; shutdown(deadlineMs: number): Promise<void> },
  consumers: C,
) {
  return {
    consumers,
    start: () => processor.start(),
    shutdown: (deadlineMs: number) => processor.shutdown(deadlineMs),
  };
}
