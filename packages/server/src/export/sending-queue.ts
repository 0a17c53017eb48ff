import { setTimeout as sleep } from 'node:timers/promises';
import type { ComponentContext } from '../pipeline/component-context.ts';
import { ALL_ACCEPTED, type ConsumeResult } from '../pipeline/consumer.ts';
import { DurableQueue } from '../pipeline/queue/durable-queue.ts';
import { MemoryQueue } from '../pipeline/queue/memory-queue.ts';
import type { QueueEntry, RecordQueue } from '../pipeline/queue/record-queue.ts';
import { SIGNALS, type Signal } from '../pipeline/signal.ts';
import { SignalboxError, toSignalboxError } from '../pipeline/signalbox-error.ts';
import type { SendCounters } from './send-counters.ts';
import type { QueueSettings } from './send-settings.ts';
import type { SendRequest } from './sending-exporter.ts';

const NO_ROOM_RETRY_MS = 5_000;
/** Pause between two looks for room, for those who wait for it. */
const ROOM_POLL_MS = 50;
/** A destination that is away for an hour is not worth a line for each request. */
const WARNING_INTERVAL_MS = 10_000;

/** Requests that wait for their destination, and the workers that send them. */
export class SendingQueue {
  readonly #settings: QueueSettings;
  readonly #context: ComponentContext;
  readonly #counters: SendCounters;
  readonly #send: (request: SendRequest) => Promise<ConsumeResult>;
  #queue: RecordQueue | null = null;
  #workers = new Set<Promise<void>>();
  #stopping = false;
  #warnedAt = Number.NEGATIVE_INFINITY;

  /** @param send tries until it is done, fails for good, or the program stops */
  constructor(
    settings: QueueSettings,
    context: ComponentContext,
    counters: SendCounters,
    send: (request: SendRequest) => Promise<ConsumeResult>,
  ) {
    this.#settings = settings;
    this.#context = context;
    this.#counters = counters;
    this.#send = send;
    const attributes = { exporter: context.id };
    context.telemetry.gauge(
      'otelcol_exporter_queue_size',
      'Requests in the queue',
      () => this.#queue?.length ?? 0,
      attributes,
    );
    context.telemetry.gauge('otelcol_exporter_queue_capacity', 'Its limit', () => settings.size, attributes);
    context.telemetry.gauge(
      'signalbox_exporter_queue_bytes',
      'Bytes of the queue on disk or in memory',
      () => this.#queue?.bytes ?? 0,
      attributes,
    );
  }

  async start(): Promise<void> {
    const { durable, maxBytes } = this.#settings;
    const { log } = this.#context;
    if (durable) {
      this.#queue = DurableQueue.open({
        folder: this.#context.folder(),
        maxBytes,
        onDamage: (file, bytes) => log.warn('The end of a queue file could not be read', { file, bytes }),
      });
      if (this.#queue.length > 0) log.info('Requests of an earlier run are waiting', { requests: this.#queue.length });
    } else {
      this.#queue = new MemoryQueue(maxBytes);
      log.warn('sending_queue::durable is false: a crash loses what was acknowledged and not sent yet', {
        up_to_bytes: maxBytes,
      });
    }
    this.#queue.onEntry = () => this.#wake();
    this.#wake();
  }

  /** Resolves when the request is in the queue. Throws an isolated refusal when there is no room. */
  async add({ signal, bytes, count }: SendRequest, abort?: AbortSignal): Promise<ConsumeResult> {
    const queue = this.#opened();
    while (this.#settings.block && !this.#hasRoom(queue, count, bytes.length)) {
      await sleep(ROOM_POLL_MS, undefined, abort === undefined ? {} : { signal: abort });
    }
    try {
      if (!this.#hasRoom(queue, count, bytes.length)) {
        throw new SignalboxError('resource_exhausted', 'the queue is full', { retryAfterMs: NO_ROOM_RETRY_MS });
      }
      await queue.append(SIGNALS.indexOf(signal), count, bytes);
      return ALL_ACCEPTED;
    } catch (error) {
      this.#counters.enqueueFailed[signal].add(count);
      const { code, message, retryAfterMs } = toSignalboxError(error);
      this.#warn('Records did not fit into the queue', { records: count, error: message });
      throw new SignalboxError(code, `${this.#context.id}: ${message}`, {
        cause: error,
        retryable: true,
        retryAfterMs: retryAfterMs ?? NO_ROOM_RETRY_MS,
        isolated: true,
      });
    }
  }

  /** Waits until all is sent, for at most `deadlineMs`. */
  async drain(deadlineMs: number): Promise<void> {
    const endsAt = performance.now() + deadlineMs;
    while (this.#queue !== null && this.#queue.length > 0 && performance.now() < endsAt) await sleep(10);
  }

  /** Lets workers end (their sends are aborted by now). What is left stays on disk, or is lost and said to be. */
  async close(deadlineMs: number): Promise<void> {
    this.#stopping = true;
    await Promise.race([Promise.allSettled(this.#workers), sleep(deadlineMs, undefined, { ref: false })]);
    const queue = this.#queue;
    if (queue === null) return;
    if (queue.length > 0) {
      const fields = { requests: queue.length, records: queue.records };
      if (this.#settings.durable) this.#context.log.info('Requests stay in the queue until the next start', fields);
      else this.#context.log.error('Requests in the queue are lost', undefined, fields);
    }
    await queue.close();
  }

  #opened(): RecordQueue {
    if (this.#queue === null) throw new SignalboxError('unavailable', `${this.#context.id} has not started yet`);
    return this.#queue;
  }

  #hasRoom(queue: RecordQueue, count: number, size: number): boolean {
    const { sizer } = this.#settings;
    const used = sizer === 'requests' ? queue.length : sizer === 'items' ? queue.records : queue.bytes;
    const added = sizer === 'requests' ? 1 : sizer === 'items' ? count : size;
    return used + added <= this.#settings.size && queue.bytes + size <= queue.maxBytes;
  }

  /** Starts workers up to their number; each ends when there is nothing to take. */
  #wake(): void {
    while (!this.#stopping && this.#workers.size < this.#settings.consumers) {
      const entry = this.#queue?.take();
      if (!entry) return;
      const worker = this.#work(entry).finally(() => {
        this.#workers.delete(worker);
        this.#wake();
      });
      this.#workers.add(worker);
    }
  }

  async #work(entry: QueueEntry): Promise<void> {
    const queue = this.#opened();
    try {
      const signal = SIGNALS[entry.kind] as Signal;
      await this.#send({ signal, bytes: await queue.read(entry), count: entry.count });
      queue.done(entry);
    } catch (error) {
      // The program stops: the entry stays where it is.
      if (this.#stopping || toSignalboxError(error).code === 'cancelled') return;
      queue.done(entry);
      this.#context.log.error('Records were dropped: the destination does not take them', error, {
        records: entry.count,
      });
    }
  }

  #warn(message: string, fields: Readonly<Record<string, string | number>>): void {
    if (performance.now() - this.#warnedAt < WARNING_INTERVAL_MS) return;
    this.#warnedAt = performance.now();
    this.#context.log.warn(message, fields);
  }
}
