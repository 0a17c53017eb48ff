import { setTimeout as sleep } from 'node:timers/promises';
import { type AnyBatch, splitBatch } from '@signalbox/records';
import type { ComponentContext } from '../../pipeline/component-context.ts';
import { ALL_ACCEPTED, type ConsumeResult, type Consumer } from '../../pipeline/consumer.ts';
import { DurableQueue } from '../../pipeline/queue/durable-queue.ts';
import { MemoryQueue } from '../../pipeline/queue/memory-queue.ts';
import type { QueueEntry, RecordQueue } from '../../pipeline/queue/record-queue.ts';
import { SignalboxError, toSignalboxError } from '../../pipeline/signalbox-error.ts';

export interface BatchSettings {
  /** Longest wait for more, in milliseconds. */
  readonly timeoutMs: number;
  /** Records that make a batch worth sending. */
  readonly sendBatchSize: number;
  /** Most records of a batch; 0: no limit. */
  readonly sendBatchMaxSize: number;
  /** Bytes that may wait. */
  readonly maxBytes: number;
  /** On disk, synced before it is acknowledged. */
  readonly durable: boolean;
}

/** How the records of a signal are kept while they wait. */
export interface BatchCodec<Batch extends AnyBatch> {
  encode(batch: Batch): Uint8Array<ArrayBuffer>;
  decode(bytes: Uint8Array<ArrayBuffer>): Batch;
}

/** One batch is decoded at once; entries are joined up to this size. */
const MAX_JOINED_BYTES = 32 * 1024 * 1024;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
const BATCH_SIZE_BOUNDS = [10, 25, 50, 75, 100, 250, 500, 750, 1000, 2000, 4000, 8000, 16000, 32000, 65536];

/**
 * Gathers small batches into large ones. A record is acknowledged when it is in the queue (on disk, unless the user says otherwise);
 * a batch leaves when it is large enough or its first record has waited long enough, one after the other. What the next stage refuses for now is
 * tried again until it is taken; when the queue is full meanwhile, records are refused.
 */
export class BatchProcessor<Batch extends AnyBatch> implements Consumer<Batch> {
  readonly #settings: BatchSettings;
  readonly #codec: BatchCodec<Batch>;
  readonly #next: Consumer<Batch>;
  readonly #context: ComponentContext;
  readonly #countBatch: (rows: number, full: boolean) => void;
  #queue: RecordQueue | null = null;
  /** Taken from the queue for the next batch. */
  #gathered: QueueEntry[] = [];
  #gatheredRows = 0;
  #timer: NodeJS.Timeout | null = null;
  #sending: Promise<void> = Promise.resolve();
  readonly #stop = new AbortController();

  constructor(settings: BatchSettings, codec: BatchCodec<Batch>, next: Consumer<Batch>, context: ComponentContext) {
    this.#settings = settings;
    this.#codec = codec;
    this.#next = next;
    this.#context = context;
    this.#countBatch = batchCounter(context);
  }

  async start(): Promise<void> {
    const { durable, maxBytes } = this.#settings;
    const { log } = this.#context;
    if (durable) {
      const onDamage = (file: string, bytes: number) =>
        log.warn('The end of a queue file could not be read', { file, bytes });
      this.#queue = DurableQueue.open({ folder: this.#context.folder(), maxBytes, onDamage });
    } else {
      this.#queue = new MemoryQueue(maxBytes);
      log.warn('durable is false: a crash loses what was acknowledged and is being gathered', {
        up_to_ms: this.#settings.timeoutMs,
      });
    }
    this.#queue.onEntry = () => this.#gather();
    this.#gather();
  }

  async consume(batch: Batch): Promise<ConsumeResult> {
    if (batch.rowCount === 0) return ALL_ACCEPTED;
    try {
      await this.#opened().append(0, batch.rowCount, this.#codec.encode(batch));
      return ALL_ACCEPTED;
    } catch (error) {
      const { code, message, retryAfterMs } = toSignalboxError(error);
      throw new SignalboxError(code, `${this.#context.id}: ${message}`, {
        cause: error,
        retryable: true,
        isolated: true,
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      });
    }
  }

  /** Sends what is gathered; what the next stage does not take in time stays on disk, or is lost and said to be. */
  async shutdown(deadlineMs: number): Promise<void> {
    this.#send(false);
    await Promise.race([this.#sending, sleep(deadlineMs, undefined, { ref: false })]);
    this.#stop.abort();
    await this.#sending;
    const queue = this.#opened();
    if (queue.length > 0) {
      const fields = { records: queue.records };
      if (this.#settings.durable) this.#context.log.info('Records stay in the queue until the next start', fields);
      else this.#context.log.error('Records that were being gathered are lost', undefined, fields);
    }
    await queue.close();
  }

  #opened(): RecordQueue {
    if (this.#queue === null) throw new SignalboxError('unavailable', `${this.#context.id} has not started yet`);
    return this.#queue;
  }

  #gather(): void {
    const queue = this.#opened();
    for (let entry = queue.take(); entry !== null; entry = queue.take()) {
      this.#gathered.push(entry);
      this.#gatheredRows += entry.count;
      if (this.#gatheredRows >= this.#settings.sendBatchSize) this.#send(true);
    }
    if (this.#gathered.length > 0) {
      this.#timer ??= setTimeout(() => this.#send(false), this.#settings.timeoutMs);
    }
  }

  #send(full: boolean): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const entries = this.#gathered;
    const rows = this.#gatheredRows;
    if (entries.length === 0) return;
    this.#gathered = [];
    this.#gatheredRows = 0;
    this.#sending = this.#sending.then(async () => {
      this.#countBatch(rows, full);
      for (const part of inParts(entries)) await this.#sendPart(part);
    });
  }

  async #sendPart(entries: readonly QueueEntry[]): Promise<void> {
    const queue = this.#opened();
    for (let pauseMs = FIRST_PAUSE_MS; !this.#stop.signal.aborted; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      try {
        const joined = this.#codec.decode(await readJoined(queue, entries));
        const { sendBatchMaxSize } = this.#settings;
        const batches = sendBatchMaxSize > 0 ? splitBatch(joined, sendBatchMaxSize) : [joined];
        for (const batch of batches) await this.#next.consume(batch, this.#stop.signal);
        for (const entry of entries) queue.done(entry);
        return;
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        const refusal = toSignalboxError(error);
        const records = entries.reduce((sum, { count }) => sum + count, 0);
        if (!refusal.retryable) {
          this.#context.log.error('Records were dropped: the next stage does not take them', error, { records });
          for (const entry of entries) queue.done(entry);
          return;
        }
        this.#context.log.debug('Trying again', { error: refusal.message, records });
        await sleep(Math.max(pauseMs, refusal.retryAfterMs ?? 0), undefined, { signal: this.#stop.signal }).catch(
          () => {},
        );
      }
    }
  }
}

/** Requests one after the other are one request of all (protobuf, "Encoding": repeated fields of joined messages are joined). */
async function readJoined(queue: RecordQueue, entries: readonly QueueEntry[]): Promise<Uint8Array<ArrayBuffer>> {
  const joined = new Uint8Array(entries.reduce((sum, { size }) => sum + size, 0));
  let position = 0;
  for (const entry of entries) {
    joined.set(await queue.read(entry), position);
    position += entry.size;
  }
  return joined;
}

function inParts(entries: readonly QueueEntry[]): QueueEntry[][] {
  const parts: QueueEntry[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const entry of entries) {
    if (bytes + entry.size > MAX_JOINED_BYTES) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)?.push(entry);
    bytes += entry.size;
  }
  return parts;
}

function batchCounter({ telemetry, id }: ComponentContext): (rows: number, full: boolean) => void {
  const attributes = { processor: id };
  const size = telemetry.histogram(
    'otelcol_processor_batch_batch_send_size',
    'Records of a batch',
    BATCH_SIZE_BOUNDS,
    attributes,
  );
  const bySize = telemetry.counter(
    'otelcol_processor_batch_batch_size_trigger_send',
    'Batches sent because they were large enough',
    attributes,
  );
  const byTimeout = telemetry.counter(
    'otelcol_processor_batch_timeout_trigger_send',
    'Batches sent because they had waited long enough',
    attributes,
  );
  return (rows, full) => {
    size.record(rows);
    (full ? bySize : byTimeout).add(1);
  };
}
