import type { Transform } from 'node:stream';
import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import type { CreateDecompressor } from './content-encoding.ts';
import type { InFlightReservation } from './in-flight-bytes.ts';

export interface BodyCollectorOptions {
  /** Name of the content coding, for error messages. */
  readonly encoding: string;
  readonly createDecompressor: CreateDecompressor;
  /** Limit in bytes, for the body as sent and after decompression. */
  readonly maxBytes: number;
  readonly reservation: InFlightReservation;
  /** Makes room for the body. Default: a buffer of its size. */
  readonly createBody?: (bytes: number) => Uint8Array<ArrayBuffer>;
}

const PACKED_BELOW_BYTES = 4 * 1024;
const PACK_BYTES = 32 * 1024;

/** How long an overloaded receiver asks senders to wait. */
const OVERLOAD_RETRY_AFTER_MS = 1_000;

/**
 * Gathers one request body, decompressing it on the way. Decompression stops at the first byte over the limit, so that
 * a few kilobytes which expand to gigabytes cost no more than an honest body.
 *
 * The body is a single buffer with an ArrayBuffer of its own, perhaps a longer one, which the caller may change in place.
 */
export class BodyCollector {
  /** The whole body. Rejects with a `SignalboxError`: `too_large`, `resource_exhausted` or `invalid_argument`. */
  readonly body: Promise<Uint8Array<ArrayBuffer>>;
  /** Called when `write` has returned false and there is room again. */
  onDrain: () => void = () => {};
  readonly #options: BodyCollectorOptions;
  readonly #decompressor: Transform | null;
  #chunks: Uint8Array[] = [];
  #pack: Uint8Array = new Uint8Array(0);
  /** Bytes of `#pack` in use. */
  #packed = 0;
  #sentBytes = 0;
  #bytes = 0;
  #settled = false;
  readonly #resolve: (body: Uint8Array<ArrayBuffer>) => void;
  readonly #reject: (error: SignalboxError) => void;

  constructor(options: BodyCollectorOptions) {
    this.#options = options;
    let resolveBody: (body: Uint8Array<ArrayBuffer>) => void = () => {};
    let rejectBody: (error: SignalboxError) => void = () => {};
    this.body = new Promise((resolve, reject) => {
      resolveBody = resolve;
      rejectBody = reject;
    });
    this.#resolve = resolveBody;
    this.#reject = rejectBody;
    this.#decompressor = options.createDecompressor?.() ?? null;
    this.#decompressor
      ?.on('data', (chunk: Buffer) => this.#keep(chunk))
      .on('drain', () => this.onDrain())
      .on('end', () => this.#finish())
      .on('error', (error: NodeJS.ErrnoException) => this.fail(this.#malformed(error)));
  }

  /** Takes the next bytes as they were sent; false asks the caller to wait for `onDrain`. */
  write(chunk: Uint8Array): boolean {
    if (this.#settled) {
      return true;
    }
    if (this.#decompressor === null) {
      this.#keep(chunk);
      return true;
    }
    this.#sentBytes += chunk.byteLength;
    if (this.#sentBytes > this.#options.maxBytes) {
      this.fail(this.#tooLarge());
      return true;
    }
    return this.#decompressor.write(chunk);
  }

  /** Says that the body is complete. */
  end(): void {
    if (this.#decompressor === null) {
      this.#finish();
    } else if (!this.#settled) {
      this.#decompressor.end();
    }
  }

  /** Gives up: `body` rejects with `error`, and what has been gathered is let go. */
  fail(error: SignalboxError): void {
    if (this.#settled) {
      return;
    }
    this.#settled = true;
    this.#chunks = [];
    this.#decompressor?.destroy();
    this.#reject(error);
    // A sender that waits for room is no longer held back: whoever reads decides what becomes of the rest.
    this.onDrain();
  }

  #keep(chunk: Uint8Array): void {
    if (this.#settled) {
      return;
    }
    if (this.#bytes + chunk.byteLength > this.#options.maxBytes) {
      this.fail(this.#tooLarge());
    } else if (this.#options.reservation.grow(chunk.byteLength)) {
      this.#bytes += chunk.byteLength;
      this.#append(chunk);
    } else {
      this.fail(overloaded());
    }
  }

  /** Packs small chunks: a body sent byte by byte would otherwise cost an object for each. */
  #append(chunk: Uint8Array): void {
    if (this.#chunks.length > 0 && chunk.byteLength < PACKED_BELOW_BYTES) {
      if (this.#packed + chunk.byteLength > this.#pack.byteLength) {
        this.#flushPack();
        this.#pack = new Uint8Array(PACK_BYTES);
      }
      this.#pack.set(chunk, this.#packed);
      this.#packed += chunk.byteLength;
    } else {
      this.#flushPack();
      this.#chunks.push(chunk);
    }
  }

  #flushPack(): void {
    if (this.#packed > 0) {
      this.#chunks.push(this.#pack.subarray(0, this.#packed));
      this.#pack = this.#pack.subarray(this.#packed);
      this.#packed = 0;
    }
  }

  #finish(): void {
    if (this.#settled) {
      return;
    }
    this.#settled = true;
    this.#flushPack();
    const body = this.#options.createBody?.(this.#bytes) ?? new Uint8Array(this.#bytes);
    let offset = 0;
    for (const chunk of this.#chunks) {
      body.set(chunk, offset);
      offset += chunk.byteLength;
    }
    this.#chunks = [];
    this.#resolve(body);
  }

  #tooLarge(): SignalboxError {
    return new SignalboxError(
      'too_large',
      `The request is larger than the limit of ${this.#options.maxBytes} bytes after decompression`,
    );
  }

  #malformed(error: NodeJS.ErrnoException): SignalboxError {
    const what = error.message === 'incorrect header check' ? 'invalid header' : error.message;
    return new SignalboxError('invalid_argument', `${this.#options.encoding}: ${what}`, { cause: error });
  }
}

/** The receiver holds as many bytes of requests as it may. */
export function overloaded(): SignalboxError {
  return new SignalboxError('resource_exhausted', 'Too many requests in memory, try again later', {
    retryAfterMs: OVERLOAD_RETRY_AFTER_MS,
  });
}
