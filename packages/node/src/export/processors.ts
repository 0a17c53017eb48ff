import { TraceFlags } from '@opentelemetry/api';
import type { LogRecordProcessor, SdkLogRecord } from '@opentelemetry/sdk-logs';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace';
import type { BatchQueue } from './batch-queue.ts';

const flushTimeoutMillis = 30_000;

/** Feeds sampled spans to a queue. */
export class QueueSpanProcessor implements SpanProcessor {
  readonly #queue: BatchQueue<ReadableSpan>;

  constructor(queue: BatchQueue<ReadableSpan>) {
    this.#queue = queue;
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    if ((span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0) this.#queue.add(span);
  }

  forceFlush(): Promise<void> {
    return this.#queue.flush(Date.now() + flushTimeoutMillis);
  }

  shutdown(): Promise<void> {
    return this.forceFlush();
  }
}

/** Feeds log records to a queue; `onEmit` is told of each first, and must not throw. */
export class QueueLogRecordProcessor implements LogRecordProcessor {
  readonly #queue: BatchQueue<SdkLogRecord>;

  readonly #onEmit: ((record: SdkLogRecord) => void) | undefined;

  constructor(queue: BatchQueue<SdkLogRecord>, onEmit?: (record: SdkLogRecord) => void) {
    this.#queue = queue;
    this.#onEmit = onEmit;
  }

  onEmit(record: SdkLogRecord): void {
    this.#onEmit?.(record);
    this.#queue.add(record);
  }

  forceFlush(): Promise<void> {
    return this.#queue.flush(Date.now() + flushTimeoutMillis);
  }

  shutdown(): Promise<void> {
    return this.forceFlush();
  }
}
