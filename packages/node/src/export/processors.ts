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

/** Tells of each log record as it is emitted; what is told must not throw. */
export class ObservedLogRecordProcessor implements LogRecordProcessor {
  readonly onEmit: (record: SdkLogRecord) => void;

  constructor(onEmit: (record: SdkLogRecord) => void) {
    this.onEmit = onEmit;
  }

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {}
}

/** Feeds log records to a queue. */
export class QueueLogRecordProcessor implements LogRecordProcessor {
  readonly #queue: BatchQueue<SdkLogRecord>;

  constructor(queue: BatchQueue<SdkLogRecord>) {
    this.#queue = queue;
  }

  onEmit(record: SdkLogRecord): void {
    this.#queue.add(record);
  }

  forceFlush(): Promise<void> {
    return this.#queue.flush(Date.now() + flushTimeoutMillis);
  }

  shutdown(): Promise<void> {
    return this.forceFlush();
  }
}
