import { encodeLogs, encodeMetrics, encodeTraces } from '@signalbox/otlp';
import type { LogBatch, MetricBatch, SpanBatch } from '@signalbox/records';
import type { ComponentContext } from '../pipeline/component-context.ts';
import type { ExporterComponent } from '../pipeline/component-factory.ts';
import type { ConsumeResult, Consumer } from '../pipeline/consumer.ts';
import type { BatchOf, Consumers, Signal } from '../pipeline/signal.ts';
import { SignalboxError } from '../pipeline/signalbox-error.ts';
import { retry } from './retry.ts';
import { type SendCounters, sendCounters } from './send-counters.ts';
import type { SendSettings } from './send-settings.ts';
import { SendingQueue } from './sending-queue.ts';

/** Records on their way to a destination, as an `Export…ServiceRequest` in protobuf. */
export interface SendRequest {
  readonly signal: Signal;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Records in it. */
  readonly count: number;
}

/** How a kind of exporter speaks to its destination. */
export interface Destination {
  /** Opens what it needs; the destination need not be there. */
  start(): Promise<void>;
  /**
   * One attempt. Resolves with what the destination did not take for good. Throws `SignalboxError`: `retryable` says whether to try
   * again, `retryAfterMs` when.
   */
  send(request: SendRequest, abort: AbortSignal): Promise<ConsumeResult>;
  close(): Promise<void>;
}

/**
 * What every exporter that sends over the network does around its destination: a queue (on disk unless the user says otherwise),
 * attempts with growing pauses, counting. With a queue a record is acknowledged when it is in the queue, so a slow destination
 * holds nobody up; when there is no room, the refusal concerns this exporter alone.
 */
export class SendingExporter implements ExporterComponent {
  readonly countsItself = true;
  readonly consumers: Consumers;
  readonly #settings: SendSettings;
  readonly #destination: Destination;
  readonly #counters: SendCounters;
  readonly #queue: SendingQueue | null;
  readonly #abort = new AbortController();
  readonly #context: ComponentContext;

  constructor(settings: SendSettings, destination: Destination, context: ComponentContext) {
    this.#settings = settings;
    this.#destination = destination;
    this.#context = context;
    this.#counters = sendCounters(context);
    this.#queue =
      settings.queue &&
      new SendingQueue(settings.queue, context, this.#counters, (request) => this.#send(request, this.#abort.signal));
    this.consumers = {
      traces: this.#consumer<SpanBatch>('traces', encodeTraces),
      metrics: this.#consumer<MetricBatch>('metrics', encodeMetrics),
      logs: this.#consumer<LogBatch>('logs', encodeLogs),
    };
  }

  async start(): Promise<void> {
    await this.#destination.start();
    await this.#queue?.start();
  }

  async shutdown(deadlineMs: number): Promise<void> {
    const endsAt = performance.now() + deadlineMs;
    await this.#queue?.drain(deadlineMs / 2);
    this.#abort.abort(new SignalboxError('cancelled', 'The program stops'));
    await this.#queue?.close(Math.max(0, endsAt - performance.now()));
    await this.#destination.close();
  }

  #consumer<Batch extends BatchOf[Signal]>(
    signal: Signal,
    encode: (batch: Batch) => Uint8Array<ArrayBuffer>,
  ): Consumer<Batch> {
    return {
      consume: (batch, abort) => {
        const request = { signal, bytes: encode(batch), count: batch.rowCount };
        if (this.#queue !== null) return this.#queue.add(request, abort);
        return this.#send(
          request,
          abort === undefined ? this.#abort.signal : AbortSignal.any([abort, this.#abort.signal]),
        );
      },
    };
  }

  async #send(request: SendRequest, abort: AbortSignal): Promise<ConsumeResult> {
    const { signal, count } = request;
    try {
      const result = await retry((attempt) => this.#destination.send(request, attempt), {
        retry: this.#settings.retry,
        timeoutMs: this.#settings.timeoutMs,
        abort,
        onRetry: (error, pauseMs) =>
          this.#context.log.debug('Trying again', { error: error.message, pause_ms: Math.round(pauseMs) }),
      });
      this.#counters.sent[signal].add(count - result.rejected);
      if (result.rejected > 0) {
        this.#counters.failed[signal].add(result.rejected);
        this.#context.log.warn('The destination rejected records', { records: result.rejected, reason: result.reason });
      }
      return result;
    } catch (error) {
      if (!abort.aborted) this.#counters.failed[signal].add(count);
      throw error;
    }
  }
}
