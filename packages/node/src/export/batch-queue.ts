import type { BatchSettings } from '../configuration.ts';
import type { OtlpExporter, UnansweredRequest } from './otlp-exporter.ts';

/**
 * Finished records waiting to be sent; the same for spans and log records. Bounded: what does not fit is dropped and
 * counted. Unlike the official batch processors it can be emptied without the event loop, which is what makes delivery
 * after `process.exit` possible.
 */
export class BatchQueue<Item> {
  /** Records dropped because the queue was full. */
  dropped = 0;
  /** Records that have been taken in. */
  accepted = 0;
  readonly #settings: BatchSettings;
  readonly #exporter: OtlpExporter<Item[]>;
  readonly #onDrop: () => void;
  #items: Item[] = [];
  #timer: NodeJS.Timeout | undefined;
  #scheduled = false;

  constructor(settings: BatchSettings, exporter: OtlpExporter<Item[]>, onDrop: () => void) {
    this.#settings = settings;
    this.#exporter = exporter;
    this.#onDrop = onDrop;
    exporter.onRoom = () => this.#sendFullBatches();
  }

  /** Records that wait, not counting those in requests under way. */
  get size(): number {
    return this.#items.length;
  }

  add(item: Item): void {
    if (this.#items.length >= this.#settings.maxQueueSize) {
      this.dropped += 1;
      this.#onDrop();
      return;
    }
    this.accepted += 1;
    this.#items.push(item);
    if (this.#items.length >= this.#settings.maxExportBatchSize) {
      // Encoding takes milliseconds: after the request that filled the batch, not inside it.
      if (!this.#scheduled && this.#exporter.hasRoom) {
        this.#scheduled = true;
        setImmediate(() => {
          this.#scheduled = false;
          this.#sendFullBatches();
        });
      }
    } else if (this.#timer === undefined) {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.#sendAll(() => this.#exporter.hasRoom);
      }, this.#settings.scheduledDelayMillis).unref();
    }
  }

  /** Sends everything now and resolves when it has been answered or given up. */
  async flush(deadlineMillis: number): Promise<void> {
    this.#sendAll(() => true);
    await this.#exporter.drain(deadlineMillis);
  }

  /** Empties the queue into encoded requests without sending them. */
  takeEncoded(): UnansweredRequest[] {
    const requests: UnansweredRequest[] = [];
    while (this.#items.length > 0) {
      const batch = this.#items.splice(0, this.#settings.maxExportBatchSize);
      requests.push(...this.#exporter.prepare(batch, batch.length));
    }
    return requests;
  }

  #sendFullBatches(): void {
    while (this.#items.length >= this.#settings.maxExportBatchSize && this.#exporter.hasRoom) this.#sendBatch();
  }

  #sendAll(mayGoOn: () => boolean): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#items.length > 0 && mayGoOn()) this.#sendBatch();
  }

  #sendBatch(): void {
    const batch = this.#items.splice(0, this.#settings.maxExportBatchSize);
    this.#exporter.send(batch, batch.length);
  }
}
