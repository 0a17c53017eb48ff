import { constants, type ServerHttp2Stream } from 'node:http2';
import { GrpcStatus, type SignalboxError } from '../../pipeline/signalbox-error.ts';
import { ACCEPTED_ENCODINGS, prefixBytes } from './read-request.ts';

const maxStatusBytes = 2_048;
const RESPONSE_HEADERS = {
  ':status': 200,
  'content-type': 'application/grpc+proto',
  'grpc-accept-encoding': ACCEPTED_ENCODINGS,
};

/** What a call is answered with: messages, then how it went. What comes after the client has left goes nowhere. */
export class GrpcAnswer {
  readonly #stream: ServerHttp2Stream;
  #trailers: Record<string, string> = {};

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream;
  }

  /** Resolves when the client has room for more, or `signal` aborts. */
  async send(message: Uint8Array, signal: AbortSignal): Promise<void> {
    if (this.#isGone) return;
    this.#begin();
    const prefix = Buffer.alloc(prefixBytes);
    prefix.writeUInt32BE(message.length, 1);
    this.#stream.write(prefix);
    if (this.#stream.write(message) || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#stream.off('drain', done).off('close', done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#stream.on('drain', done).on('close', done);
      signal.addEventListener('abort', done);
    });
  }

  finish(): void {
    this.#end({ 'grpc-status': String(GrpcStatus.Ok) });
  }

  fail({ grpcStatus, message }: SignalboxError): void {
    this.#end({ 'grpc-status': String(grpcStatus), 'grpc-message': percentEncoded(message) });
  }

  get #isGone(): boolean {
    return this.#stream.closed || this.#stream.destroyed;
  }

  #begin(): void {
    if (this.#stream.headersSent) return;
    this.#stream.respond(RESPONSE_HEADERS, { waitForTrailers: true });
    this.#stream.on('wantTrailers', () => this.#stream.sendTrailers(this.#trailers));
  }

  #end(trailers: Record<string, string>): void {
    if (this.#isGone) return;
    this.#trailers = trailers;
    if (this.#stream.headersSent) {
      this.#stream.end();
      return;
    }
    this.#stream.respond({ ...RESPONSE_HEADERS, ...trailers }, { endStream: true });
    if (this.#stream.readableEnded) return;
    // RFC 9113, section 8.1: a complete answer, and a request for the client to stop sending.
    this.#stream.resume();
    this.#stream.close(constants.NGHTTP2_NO_ERROR);
  }
}

/** All bytes but printable ASCII without `%`. */
function percentEncoded(message: string): string {
  return Array.from(Buffer.from(message).subarray(0, maxStatusBytes), (byte) =>
    byte >= 0x20 && byte <= 0x7e && byte !== 0x25
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
  ).join('');
}
