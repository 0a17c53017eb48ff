import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import { BodyCollector } from '../otlp/body-collector.ts';
import type { CreateDecompressor } from '../otlp/content-encoding.ts';
import type { InFlightReservation } from '../otlp/in-flight-bytes.ts';

/** A message starts with a flag (1: compressed) and its length, big-endian. */
const PREFIX_BYTES = 5;

export interface GrpcMessageReaderOptions {
  /** `grpc-encoding` of the request. */
  readonly encoding: string;
  readonly createDecompressor: CreateDecompressor;
  /** Limit in bytes, for the message as sent and after decompression. */
  readonly maxBytes: number;
  readonly reservation: InFlightReservation;
  /** Makes room for the message. */
  readonly createBody: (bytes: number) => Uint8Array<ArrayBuffer>;
}

/** Takes the one length-prefixed message of a unary call out of its DATA frames (gRPC over HTTP/2, "Requests"). */
export class GrpcMessageReader {
  /** The message, decompressed. Rejects with a `SignalboxError`. */
  readonly message: Promise<Uint8Array<ArrayBuffer>>;
  /** Called when `write` has returned false and there is room again. */
  onDrain: () => void = () => {};
  readonly #options: GrpcMessageReaderOptions;
  readonly #prefix = Buffer.alloc(PREFIX_BYTES);
  #prefixBytes = 0;
  #remaining = 0;
  #collector: BodyCollector | null = null;
  readonly #resolve: (message: Promise<Uint8Array<ArrayBuffer>>) => void;
  readonly #reject: (error: SignalboxError) => void;

  constructor(options: GrpcMessageReaderOptions) {
    this.#options = options;
    let resolveMessage: (message: Promise<Uint8Array<ArrayBuffer>>) => void = () => {};
    let rejectMessage: (error: SignalboxError) => void = () => {};
    this.message = new Promise((resolve, reject) => {
      resolveMessage = resolve;
      rejectMessage = reject;
    });
    this.#resolve = resolveMessage;
    this.#reject = rejectMessage;
  }

  /** Takes the next bytes of the stream; false asks the caller to wait for `onDrain`. */
  write(chunk: Buffer): boolean {
    const prefixPart = chunk.subarray(0, PREFIX_BYTES - this.#prefixBytes);
    if (prefixPart.length > 0) {
      prefixPart.copy(this.#prefix, this.#prefixBytes);
      this.#prefixBytes += prefixPart.length;
      if (this.#prefixBytes < PREFIX_BYTES) {
        return true;
      }
      this.#startMessage();
    }
    const rest = chunk.subarray(prefixPart.length);
    if (rest.length > this.#remaining) {
      this.fail(new SignalboxError('unimplemented', 'Export takes one request message, more arrived'));
      return true;
    }
    this.#remaining -= rest.length;
    return this.#collector === null || rest.length === 0 || this.#collector.write(rest);
  }

  /** The sender has sent all it wants to. */
  end(): void {
    if (this.#prefixBytes === 0) {
      this.fail(new SignalboxError('unimplemented', 'Export takes one request message, none arrived'));
    } else if (this.#prefixBytes < PREFIX_BYTES || this.#remaining > 0) {
      this.fail(new SignalboxError('invalid_argument', 'The request message ends before its declared length'));
    } else {
      this.#collector?.end();
    }
  }

  /** Gives up: `message` rejects with `error`, unless it is already settled. */
  fail(error: SignalboxError): void {
    this.#collector?.fail(error);
    this.#reject(error);
  }

  #startMessage(): void {
    const { encoding, createDecompressor, maxBytes, reservation, createBody } = this.#options;
    const flag = this.#prefix[0];
    const length = this.#prefix.readUInt32BE(1);
    this.#remaining = length;
    if (flag !== 0 && flag !== 1) {
      this.fail(
        new SignalboxError('invalid_argument', 'The request is no gRPC message: its compressed flag is not 0 or 1'),
      );
    } else if (flag === 1 && createDecompressor === null) {
      this.fail(
        new SignalboxError(
          'invalid_argument',
          'The message is flagged as compressed, but grpc-encoding names no coding',
        ),
      );
    } else if (length > maxBytes) {
      this.fail(
        new SignalboxError('too_large', `The message of ${length} bytes is larger than the limit of ${maxBytes} bytes`),
      );
    } else {
      this.#collector = new BodyCollector({
        encoding,
        createDecompressor: flag === 1 ? createDecompressor : null,
        maxBytes,
        reservation,
        createBody,
      });
      this.#collector.onDrain = () => this.onDrain();
      this.#resolve(this.#collector.body);
    }
  }
}
