import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ServerAuthenticator } from '../../pipeline/extension.ts';
import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import { BodyCollector, overloaded } from '../otlp/body-collector.ts';
import { CONTENT_ENCODINGS, type CreateDecompressor, SUPPORTED_CONTENT_ENCODINGS } from '../otlp/content-encoding.ts';
import type { ExportService, OtlpEncoding } from '../otlp/export-service.ts';
import type { InFlightReservation } from '../otlp/in-flight-bytes.ts';
import type { OtlpSignal } from '../otlp/received-counters.ts';
import { type HttpRefusal, SLOW_SENDER_RETRY_MS, statusRefusal, textRefusal } from './http-refusal.ts';
import { encodingOfContentType, MEDIA_TYPES } from './media-type.ts';

/** Counted for a request besides its body, so that the limit on bytes also bounds how many requests there are. */
const REQUEST_OVERHEAD_BYTES = 8 * 1024;

export interface ExchangeSettings {
  readonly bodyIdleTimeoutMs: number;
  readonly discardTimeoutMs: number;
  readonly authenticator: ServerAuthenticator | null;
}

/** One POST to a signal's path, from its headers to its answer. */
export class ExportExchange {
  readonly #service: ExportService;
  readonly #settings: ExchangeSettings;
  readonly #signal: OtlpSignal;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #abort = new AbortController();
  #encoding: OtlpEncoding | null = null;
  #collector: BodyCollector | null = null;

  constructor(
    service: ExportService,
    settings: ExchangeSettings,
    signal: OtlpSignal,
    request: IncomingMessage,
    response: ServerResponse,
  ) {
    this.#service = service;
    this.#settings = settings;
    this.#signal = signal;
    this.#request = request;
    this.#response = response;
  }

  /** Resolves when the answer has been handed over; never rejects. */
  async run(expectsContinue: boolean): Promise<void> {
    const refusal = this.#readHeaders();
    if (refusal !== null) {
      this.#refuse(refusal, expectsContinue);
      return;
    }
    const encoding = this.#encoding as OtlpEncoding;
    const reservation = this.#service.inFlight.reservation();
    const onClose = () => this.#cut();
    this.#response.once('close', onClose);
    try {
      this.#checkDeclaredLength();
      if (!reservation.grow(REQUEST_OVERHEAD_BYTES)) {
        throw overloaded();
      }
      if (expectsContinue) {
        this.#response.writeContinue();
        expectsContinue = false;
      }
      const body = await this.#readBody(reservation);
      const answer = await this.#service.export(this.#signal, body, encoding, this.#abort.signal, reservation);
      this.#answer(200, { 'Content-Type': MEDIA_TYPES[encoding] }, answer);
    } catch (error) {
      this.#refuse(statusRefusal(this.#service.refused(this.#signal, error), encoding), expectsContinue);
    } finally {
      this.#response.off('close', onClose);
      reservation.release();
    }
  }

  /**
   * The connection carried something that is not HTTP, or nothing for too long: `error` says what, `status` is for those
   * who are not known to speak OTLP. OTLP's own statuses tell a sender that was only slow (a machine that slept, a network
   * that stalled) to try again: 503, where 408 would have it drop its records.
   */
  failConnection(error: SignalboxError, status: number): void {
    this.#response.shouldKeepAlive = false;
    if (this.#request.complete) {
      // This request is sound, what came after it is not: it gets its answer, and the connection ends there.
      return;
    }
    if (this.#response.headersSent) {
      // It was refused before; there is no rest to wait for.
      this.#response.end(() => this.#request.destroy());
      return;
    }
    const refusal = this.#encoding === null ? textRefusal(status, error.message) : statusRefusal(error, this.#encoding);
    this.#answer(refusal.status, refusal.headers, refusal.body);
    this.#collector?.fail(error);
  }

  /** No answer goes out any more on a connection that stays open after this one. */
  closeAfterAnswer(): void {
    this.#response.shouldKeepAlive = false;
  }

  /** What the headers alone already rule out, the way the Collector words it. */
  #readHeaders(): HttpRefusal | null {
    if (this.#request.method !== 'POST') {
      return textRefusal(405, 'method not allowed, supported: [POST]', { Allow: 'POST' });
    }
    this.#encoding = encodingOfContentType(this.#request.headers['content-type']);
    if (this.#encoding === null) {
      const supported = `${MEDIA_TYPES.json}, ${MEDIA_TYPES.protobuf}`;
      return textRefusal(415, `unsupported media type, supported: [${supported}]`, { Accept: supported });
    }
    const stranger = this.#checkSender(this.#encoding);
    if (stranger !== null) {
      return stranger;
    }
    if (this.#contentEncoding().createDecompressor === undefined) {
      const supported = SUPPORTED_CONTENT_ENCODINGS.join(', ');
      const message = `Unsupported content encoding, supported: ${supported}`;
      const refusal = statusRefusal(new SignalboxError('invalid_argument', message), this.#encoding);
      return { ...refusal, status: 415, headers: { ...refusal.headers, 'Accept-Encoding': supported } };
    }
    return null;
  }

  /** Null: whoever sends may. */
  #checkSender(encoding: OtlpEncoding): HttpRefusal | null {
    const { authenticator } = this.#settings;
    try {
      authenticator?.authenticate(this.#request.headers);
      return null;
    } catch (error) {
      const refusal = statusRefusal(this.#service.refused(this.#signal, error), encoding);
      return { ...refusal, headers: { ...refusal.headers, 'WWW-Authenticate': authenticator?.challenge ?? '' } };
    }
  }

  #contentEncoding(): { name: string; createDecompressor: CreateDecompressor | undefined } {
    const name = (this.#request.headers['content-encoding'] ?? '').trim().toLowerCase() || 'identity';
    return { name, createDecompressor: CONTENT_ENCODINGS.get(name) };
  }

  /** A body that says it is too large is refused before it is sent. */
  #checkDeclaredLength(): void {
    const length = Number(this.#request.headers['content-length'] ?? 0);
    const limit = this.#service.maxRequestBytes;
    if (length > limit) {
      throw new SignalboxError(
        'too_large',
        `The request of ${length} bytes is larger than the limit of ${limit} bytes`,
      );
    }
  }

  async #readBody(reservation: InFlightReservation): Promise<Uint8Array<ArrayBuffer>> {
    const request = this.#request;
    const { name, createDecompressor } = this.#contentEncoding();
    const collector = new BodyCollector({
      encoding: name,
      createDecompressor: createDecompressor ?? null,
      maxBytes: this.#service.maxRequestBytes,
      reservation,
      createBody: (bytes) => this.#service.spare.body(bytes),
    });
    this.#collector = collector;
    collector.onDrain = () => request.resume();
    const idle = setTimeout(() => {
      const seconds = Math.round(this.#settings.bodyIdleTimeoutMs / 1000);
      const message = `Nothing of the body arrived for ${seconds} s`;
      this.failConnection(new SignalboxError('timeout', message, { retryAfterMs: SLOW_SENDER_RETRY_MS }), 408);
    }, this.#settings.bodyIdleTimeoutMs);
    const onData = (chunk: Buffer) => {
      idle.refresh();
      if (!collector.write(chunk)) {
        request.pause();
      }
    };
    const onEnd = () => collector.end();
    request.on('data', onData).once('end', onEnd);
    try {
      return await collector.body;
    } finally {
      clearTimeout(idle);
      request.off('data', onData).off('end', onEnd);
      this.#collector = null;
    }
  }

  #refuse(refusal: HttpRefusal, bodyStaysUnsent: boolean): void {
    if (bodyStaysUnsent) {
      // The sender waits for `100 Continue`. Whether it sends the body nevertheless is its choice, so end here.
      this.#response.shouldKeepAlive = false;
    }
    if (this.#request.complete || this.#request.destroyed) {
      this.#answer(refusal.status, refusal.headers, refusal.body);
    } else if (this.#writeAnswer(refusal.status, refusal.headers, refusal.body)) {
      this.#discardRest();
    }
  }

  #answer(status: number, headers: HttpRefusal['headers'], body: Uint8Array | string): void {
    if (this.#writeAnswer(status, headers, body)) {
      this.#response.end();
    }
  }

  /** Sends the whole answer without ending it; false when there was one already, or nobody is left to read it. */
  #writeAnswer(status: number, headers: HttpRefusal['headers'], body: Uint8Array | string): boolean {
    if (this.#response.headersSent || this.#response.destroyed) {
      return false;
    }
    this.#response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) });
    this.#response.write(body);
    return true;
  }

  /**
   * Reads on without keeping anything, and ends the answer when the sender has sent it all: a connection closed on bytes
   * still unread is reset, and the sender may never see the answer. For a bounded time and number of bytes.
   */
  #discardRest(): void {
    const request = this.#request;
    let discarded = 0;
    const timer = setTimeout(() => request.destroy(), this.#settings.discardTimeoutMs);
    request.on('data', (chunk: Buffer) => {
      discarded += chunk.byteLength;
      if (discarded > 2 * this.#service.maxRequestBytes) {
        request.destroy();
      }
    });
    request.once('end', () => this.#response.end());
    request.once('close', () => clearTimeout(timer));
    request.resume();
  }

  /** The connection is gone: nobody waits for an answer. */
  #cut(): void {
    if (!this.#response.writableFinished) {
      const gone = new SignalboxError('cancelled', 'The sender closed the connection');
      this.#abort.abort(gone);
      this.#collector?.fail(gone);
    }
  }
}
