import type { LogBatch, MetricBatch, SpanBatch } from '@signalbox/records';

/**
 * Bodies and columns of requests that have their answer, for those that come after them.
 *
 * At full speed requests bring a quarter of a gigabyte a second, and live for longer than V8's young generation: made anew each time, their
 * buffers were found dead only by marking the whole heap, two or three times a second, for an eighth of the process's CPU
 * (docs/benchmarks.md, "Ingest").
 */
export class SpareMemory {
  readonly #bodies: Uint8Array<ArrayBuffer>[] = [];
  #bodyBytes = 0;
  readonly spans = new SpareBatches<SpanBatch>();
  readonly metrics = new SpareBatches<MetricBatch>();
  readonly logs = new SpareBatches<LogBatch>();
  readonly #idle: NodeJS.Timeout;

  constructor() {
    this.#idle = setTimeout(() => this.#letGo(), IDLE_MS).unref();
  }

  /** Room for a body of so many bytes, with anything in it. */
  body(bytes: number): Uint8Array<ArrayBuffer> {
    if (bytes < MIN_BODY_BYTES || bytes > MAX_BODY_BYTES) return new Uint8Array(bytes);
    const size = 2 ** Math.ceil(Math.log2(bytes));
    const at = this.#bodies.findLastIndex((body) => body.length === size);
    if (at < 0) return new Uint8Array(size).subarray(0, bytes);
    const [found] = this.#bodies.splice(at, 1) as [Uint8Array<ArrayBuffer>];
    this.#bodyBytes -= size;
    return found.subarray(0, bytes);
  }

  /** Takes over a body that `body` gave, and that nobody needs any more. */
  keepBody({ buffer }: Uint8Array<ArrayBuffer>): void {
    const { byteLength } = buffer;
    const isOurs = byteLength >= MIN_BODY_BYTES && Number.isInteger(Math.log2(byteLength));
    if (!isOurs || this.#bodyBytes + byteLength > MAX_SPARE_BYTES) return;
    this.#bodies.push(new Uint8Array(buffer));
    this.#bodyBytes += byteLength;
    this.#idle.refresh();
  }

  #letGo(): void {
    this.#bodies.length = 0;
    this.#bodyBytes = 0;
    this.spans.clear();
    this.metrics.clear();
    this.logs.clear();
  }
}

/** Batches of one signal. */
export class SpareBatches<Batch> {
  readonly #batches: { readonly batch: Batch; readonly bytes: number }[] = [];
  #bytes = 0;

  /** A batch to decode into; undefined: there is none. */
  take(): Batch | undefined {
    const spare = this.#batches.pop();
    if (spare === undefined) return undefined;
    this.#bytes -= spare.bytes;
    return spare.batch;
  }

  /**
   * Takes over a batch that nobody needs any more.
   * @param bytes of its columns
   */
  keep(batch: Batch, bytes: number): void {
    // Columns never shrink: those that a huge request has stretched are let go.
    if (bytes > MAX_BATCH_BYTES || this.#bytes + bytes > MAX_SPARE_BYTES) return;
    this.#batches.push({ batch, bytes });
    this.#bytes += bytes;
  }

  clear(): void {
    this.#batches.length = 0;
    this.#bytes = 0;
  }
}

const MIN_BODY_BYTES = 16 * 1024;
const MAX_BODY_BYTES = 4 * 1024 * 1024;
const MAX_BATCH_BYTES = 4 * 1024 * 1024;
/** Of bodies, and of each signal's columns. */
const MAX_SPARE_BYTES = 32 * 1024 * 1024;
/** When nobody has sent for so long, all of it is let go. */
const IDLE_MS = 10_000;
