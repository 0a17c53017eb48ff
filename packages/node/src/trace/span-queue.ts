import type { Attributes } from '@opentelemetry/api';
import type { BatchSettings } from '../configuration.ts';
import type { OtlpExporter, UnansweredRequest } from '../export/otlp-exporter.ts';
import { RequestBodies } from './request-bodies.ts';
import type { ScopeBytes, SpanScope } from './span-encoding.ts';

const firstChunkBytes = 16 * 1024;
/** Well below the 4 MiB that receivers accept by default. */
const maxRequestBytes = 2 * 1024 * 1024;

interface ScopeChunk {
  buffer: Buffer;
  length: number;
}

/** How a wire format puts requests together from encoded records. */
export interface BatchEncoding<Scope> {
  /** What stands between two records of a scope. */
  readonly separator: Uint8Array;
  /** The body, in parts. */
  request(resource: Attributes, scopes: readonly ScopeBytes<Scope>[]): readonly Uint8Array[];
}

export interface SpanQueueSettings extends BatchSettings {
  readonly maxQueueBytes: number;
}

/** A request ready to be sent. */
interface Sealed {
  readonly body: Uint8Array;
  readonly records: number;
}

/**
 * Encoded spans, or log records, on their way to the exporter. They are appended to one buffer per scope; a full batch becomes a request
 * body at once, so what waits is bytes, bounded as such: memory is what a queue costs. Can be emptied without the event
 * loop, which is what makes delivery after `process.exit` possible.
 */
export class SpanQueue<Scope = SpanScope> {
  /** Records dropped because the queue was full. */
  dropped = 0;
  /** Records that have been taken in. */
  accepted = 0;
  readonly #settings: SpanQueueSettings;
  readonly #encoding: BatchEncoding<Scope>;
  readonly #resource: Attributes;
  readonly #exporter: OtlpExporter<Uint8Array>;
  readonly #onDrop: () => void;
  readonly #chunks = new Map<Scope, ScopeChunk>();
  readonly #bodies = new RequestBodies();
  #openRecords = 0;
  #openBytes = 0;
  #sealed: Sealed[] = [];
  #sealedRecords = 0;
  #sealedBytes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    settings: SpanQueueSettings,
    encoding: BatchEncoding<Scope>,
    resource: Attributes,
    exporter: OtlpExporter<Uint8Array>,
    onDrop: () => void,
  ) {
    this.#settings = settings;
    this.#encoding = encoding;
    this.#resource = resource;
    this.#exporter = exporter;
    this.#onDrop = onDrop;
    exporter.onRoom = () => this.#sendSealed();
    exporter.onAccepted = (body) => this.#bodies.giveBack(body);
  }

  /** Records that wait, not counting those in requests under way. */
  get size(): number {
    return this.#openRecords + this.#sealedRecords;
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#openBytes + this.#sealedBytes;
  }

  /** Copies `encoded`. */
  add(scope: Scope, encoded: Uint8Array): void {
    const { maxQueueSize, maxQueueBytes, maxExportBatchSize } = this.#settings;
    if (this.size >= maxQueueSize || this.bytes + encoded.length > maxQueueBytes) {
      this.dropped += 1;
      this.#onDrop();
      return;
    }
    this.accepted += 1;
    this.#append(scope, encoded);
    if (this.#openRecords >= maxExportBatchSize || this.#openBytes >= maxRequestBytes) {
      this.#seal();
      this.#sendSealed();
    } else if (this.#timer === undefined) {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.#seal();
        this.#sendSealed();
      }, this.#settings.scheduledDelayMillis).unref();
    }
  }

  /** Sends everything now and resolves when it has been answered or given up. */
  async flush(deadlineMillis: number): Promise<void> {
    this.#seal();
    for (const { body, records } of this.#takeSealed()) this.#exporter.send(body, records);
    await this.#exporter.drain(deadlineMillis);
  }

  /** Empties the queue into encoded requests without sending them. */
  takeEncoded(): UnansweredRequest[] {
    this.#seal();
    return this.#takeSealed().flatMap(({ body, records }) => this.#exporter.prepare(body, records));
  }

  #append(scope: Scope, encoded: Uint8Array): void {
    let chunk = this.#chunks.get(scope);
    if (chunk === undefined) {
      chunk = { buffer: Buffer.allocUnsafeSlow(firstChunkBytes), length: 0 };
      this.#chunks.set(scope, chunk);
    }
    const { separator } = this.#encoding;
    const needed = chunk.length + separator.length + encoded.length;
    if (needed > chunk.buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, chunk.buffer.length * 2));
      chunk.buffer.copy(larger, 0, 0, chunk.length);
      chunk.buffer = larger;
    }
    if (chunk.length > 0 && separator.length > 0) {
      chunk.buffer.set(separator, chunk.length);
      chunk.length += separator.length;
    }
    chunk.buffer.set(encoded, chunk.length);
    chunk.length += encoded.length;
    this.#openRecords += 1;
    this.#openBytes += encoded.length;
  }

  /** Makes a request of what has been appended. */
  #seal(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#openRecords === 0) return;
    const scopes: ScopeBytes<Scope>[] = [];
    for (const [scope, chunk] of this.#chunks) {
      if (chunk.length === 0) continue;
      scopes.push({ scope, bytes: chunk.buffer.subarray(0, chunk.length) });
      // The request copies; the buffer serves the next batch.
      chunk.length = 0;
    }
    const body = this.#bodies.concat(this.#encoding.request(this.#resource, scopes));
    this.#sealed.push({ body, records: this.#openRecords });
    this.#sealedRecords += this.#openRecords;
    this.#sealedBytes += body.length;
    this.#openRecords = 0;
    this.#openBytes = 0;
  }

  #sendSealed(): void {
    while (this.#sealed.length > 0 && this.#exporter.hasRoom) {
      const { body, records } = this.#sealed.shift() as Sealed;
      this.#sealedRecords -= records;
      this.#sealedBytes -= body.length;
      this.#exporter.send(body, records);
    }
  }

  #takeSealed(): Sealed[] {
    const sealed = this.#sealed;
    this.#sealed = [];
    this.#sealedRecords = 0;
    this.#sealedBytes = 0;
    return sealed;
  }
}
