import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { ServerAuthenticator } from '../../pipeline/extension.ts';
import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import { overloaded } from '../otlp/body-collector.ts';
import { CONTENT_ENCODINGS } from '../otlp/content-encoding.ts';
import type { ExportService } from '../otlp/export-service.ts';
import type { InFlightReservation } from '../otlp/in-flight-bytes.ts';
import type { OtlpSignal } from '../otlp/received-counters.ts';
import { GrpcMessageReader } from './grpc-message-reader.ts';
import { parseGrpcTimeout } from './grpc-timeout.ts';
import { errorTrailers, GRPC_OK, type GrpcTrailers } from './grpc-trailers.ts';

const SIGNAL_OF_PATH: ReadonlyMap<string, OtlpSignal> = new Map([
  ['/opentelemetry.proto.collector.trace.v1.TraceService/Export', 'traces'],
  ['/opentelemetry.proto.collector.metrics.v1.MetricsService/Export', 'metrics'],
  ['/opentelemetry.proto.collector.logs.v1.LogsService/Export', 'logs'],
]);

/** gRPC's names of codings; `deflate` is zlib's format as in HTTP. */
const GRPC_ENCODINGS = ['identity', 'deflate', 'gzip'];

const RESPONSE_HEADERS = {
  ':status': 200,
  'content-type': 'application/grpc+proto',
  'grpc-accept-encoding': GRPC_ENCODINGS.join(','),
};

/** Counted for a call besides its message, so that the limit on bytes also bounds how many calls there are. */
const CALL_OVERHEAD_BYTES = 8 * 1024;

export interface CallSettings {
  readonly requestTimeoutMs: number;
  readonly messageIdleTimeoutMs: number;
  readonly answerTimeoutMs: number;
  readonly authenticator: ServerAuthenticator | null;
}

/** One stream of a connection: a unary `Export` call, from its headers to its trailers. */
export class GrpcCall {
  readonly #service: ExportService;
  readonly #settings: CallSettings;
  readonly #stream: ServerHttp2Stream;
  readonly #headers: IncomingHttpHeaders;
  readonly #abort = new AbortController();

  constructor(service: ExportService, settings: CallSettings, stream: ServerHttp2Stream, headers: IncomingHttpHeaders) {
    this.#service = service;
    this.#settings = settings;
    this.#stream = stream;
    this.#headers = headers;
  }

  /** Resolves when the answer has been handed over; never rejects. */
  async run(): Promise<void> {
    // A reset stream also closes, which is what this call listens to.
    this.#stream.on('error', () => {});
    if (this.#headers[':method'] !== 'POST') {
      this.#answerHttp({ ':status': 405, allow: 'POST' });
      return;
    }
    if (!/^application\/grpc(\+proto)?(;|$)/i.test(this.#headers['content-type'] ?? '')) {
      this.#answerHttp({ ':status': 415, accept: 'application/grpc' });
      return;
    }
    const signal = SIGNAL_OF_PATH.get(this.#headers[':path']?.split('?', 1)[0] ?? '');
    if (signal === undefined || !this.#service.takes(signal)) {
      const message = `Unknown method ${this.#headers[':path']}`;
      this.#answerTrailersOnly(errorTrailers(new SignalboxError('unimplemented', message)));
      return;
    }
    await this.#export(signal);
  }

  async #export(signal: OtlpSignal): Promise<void> {
    const reservation = this.#service.inFlight.reservation();
    const onClose = () => this.#abort.abort(new SignalboxError('cancelled', 'The client cancelled the call'));
    this.#stream.once('close', onClose);
    const stopDeadline = this.#startDeadline();
    try {
      this.#settings.authenticator?.authenticate(this.#headers);
      if (!reservation.grow(CALL_OVERHEAD_BYTES)) {
        throw overloaded();
      }
      const message = await this.#readMessage(reservation);
      this.#answer(await this.#service.export(signal, message, 'protobuf', this.#abort.signal, reservation));
    } catch (error) {
      this.#answerTrailersOnly(errorTrailers(this.#service.refused(signal, error)));
    } finally {
      stopDeadline();
      this.#stream.off('close', onClose);
      reservation.release();
    }
  }

  /** Aborts the call when the client's deadline passes. */
  #startDeadline(): () => void {
    const timeoutMs = parseGrpcTimeout(this.#headers['grpc-timeout'] as string | undefined);
    if (Number.isNaN(timeoutMs)) {
      this.#abort.abort(new SignalboxError('invalid_argument', 'Malformed grpc-timeout'));
    }
    if (!Number.isFinite(timeoutMs)) {
      return () => {};
    }
    const expire = () => this.#abort.abort(new SignalboxError('timeout', "The client's deadline passed"));
    const timer = setTimeout(expire, timeoutMs);
    return () => clearTimeout(timer);
  }

  async #readMessage(reservation: InFlightReservation): Promise<Uint8Array<ArrayBuffer>> {
    const abort = this.#abort.signal;
    abort.throwIfAborted();
    const encoding = String(this.#headers['grpc-encoding'] ?? 'identity').toLowerCase();
    const createDecompressor = GRPC_ENCODINGS.includes(encoding) ? CONTENT_ENCODINGS.get(encoding) : undefined;
    if (createDecompressor === undefined) {
      const supported = GRPC_ENCODINGS.join(', ');
      throw new SignalboxError('unimplemented', `Unsupported grpc-encoding, supported: ${supported}`);
    }
    const maxBytes = this.#service.maxRequestBytes;
    const createBody = (bytes: number) => this.#service.spare.body(bytes);
    const reader = new GrpcMessageReader({ encoding, createDecompressor, maxBytes, reservation, createBody });
    const tooSlow = () => reader.fail(new SignalboxError('timeout', 'The request took too long to arrive'));
    const idle = setTimeout(tooSlow, this.#settings.messageIdleTimeoutMs);
    const total = setTimeout(tooSlow, this.#settings.requestTimeoutMs);
    const onAbort = () => reader.fail(abort.reason as SignalboxError);
    abort.addEventListener('abort', onAbort, { once: true });
    const onEnd = () => reader.end();
    const onData = (chunk: Buffer) => {
      idle.refresh();
      if (!reader.write(chunk)) {
        this.#stream.pause();
      }
    };
    reader.onDrain = () => this.#stream.resume();
    this.#stream.on('data', onData).once('end', onEnd);
    try {
      return await reader.message;
    } finally {
      clearTimeout(idle);
      clearTimeout(total);
      abort.removeEventListener('abort', onAbort);
      this.#stream.off('data', onData).off('end', onEnd);
    }
  }

  #answer(message: Uint8Array): void {
    const stream = this.#stream;
    if (!this.#canRespond()) {
      return;
    }
    const frame = Buffer.alloc(5 + message.byteLength);
    frame.writeUInt32BE(message.byteLength, 1);
    frame.set(message, 5);
    stream.respond(RESPONSE_HEADERS, { waitForTrailers: true });
    stream.once('wantTrailers', () => {
      if (!stream.destroyed && !stream.closed) {
        stream.sendTrailers(GRPC_OK);
      }
    });
    stream.end(frame);
    this.#boundAnswer();
  }

  #answerTrailersOnly(trailers: GrpcTrailers): void {
    this.#answerHttp({ ...RESPONSE_HEADERS, ...trailers });
  }

  #answerHttp(headers: Record<string, string | number>): void {
    if (!this.#canRespond()) {
      return;
    }
    this.#stream.respond(headers, { endStream: true });
    if (this.#stream.readableEnded) {
      this.#boundAnswer();
    } else {
      // RFC 9113, section 8.1: a complete answer, and a request for the sender to stop sending.
      this.#stream.resume();
      this.#stream.close(constants.NGHTTP2_NO_ERROR);
    }
  }

  /** A client that never opens its window must not keep the answer, and with it the stream, for ever. */
  #boundAnswer(): void {
    this.#stream.setTimeout(this.#settings.answerTimeoutMs, () => this.#stream.close(constants.NGHTTP2_CANCEL));
  }

  #canRespond(): boolean {
    return !this.#stream.destroyed && !this.#stream.closed && !this.#stream.headersSent;
  }
}
