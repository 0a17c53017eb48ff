import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { ProtocolDecodeError } from '@signalbox/protocols';
import { BatchTooLargeError } from '@signalbox/records';
import type { RequestHeaders, ServerAuthenticator } from '../../pipeline/extension.ts';
import { SignalboxError, toSignalboxError } from '../../pipeline/signalbox-error.ts';
import { ingestTurns } from '../ingest-turns.ts';
import { BodyCollector, overloaded } from '../otlp/body-collector.ts';
import { CONTENT_ENCODINGS } from '../otlp/content-encoding.ts';
import type { InFlightBytes, InFlightReservation } from '../otlp/in-flight-bytes.ts';

/** A request whose body is there. */
export interface IngestRequest {
  readonly headers: RequestHeaders;
  /** Lower case, without parameters; '' when there is none. */
  readonly contentType: string;
  /** Lower case. The codings of HTTP are undone already; what else a sender names (`snappy`) is the handler's. */
  readonly contentEncoding: string;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly abort: AbortSignal;
  /** What the handler makes of the body is added to it; whoever called gives it back. */
  readonly reservation: InFlightReservation;
  readonly maxBytes: number;
}

export interface IngestAnswer {
  readonly status: number;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string;
}

/** Takes what came to one path. A `SignalboxError` or `ProtocolDecodeError` that it throws becomes the answer. */
export type IngestHandler = (request: IngestRequest) => Promise<IngestAnswer>;

export interface HttpIngestOptions {
  readonly routes: ReadonlyMap<string, IngestHandler>;
  readonly maxBytes: number;
  readonly inFlight: InFlightBytes;
  readonly authenticator: ServerAuthenticator | null;
  readonly onInternalError: (error: unknown) => void;
}

/** Counted for a request besides its body, so that the limit on bytes also bounds how many requests there are. */
const REQUEST_OVERHEAD_BYTES = 8 * 1024;
const BODY_IDLE_MS = 15_000;
/** How long a refused sender may go on sending what is no longer read. */
const DISCARD_MS = 5_000;

/**
 * Answers the requests of protocols that post bodies to a path: limits, decompression, statuses. Stands behind a port of its own or
 * behind the program's. Web pages are refused: a browser would let any page post to this machine.
 */
export class HttpIngest {
  readonly #options: HttpIngestOptions;
  #stopping = false;

  constructor(options: HttpIngestOptions) {
    this.#options = options;
  }

  /** Takes the request when its path is one of `routes`, and answers it; false otherwise. */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    const handler = this.#options.routes.get((request.url ?? '').split('?', 1)[0] ?? '');
    if (handler === undefined) return false;
    void this.#answer(handler, request, response);
    return true;
  }

  /** Refuses what comes from now on. */
  stop(): void {
    this.#stopping = true;
  }

  /** Never rejects. */
  async #answer(handler: IngestHandler, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const reservation = this.#options.inFlight.reservation();
    const abort = new AbortController();
    const onClose = () => abort.abort(new SignalboxError('cancelled', 'The sender closed the connection'));
    response.once('close', onClose);
    try {
      this.#check(request);
      if (!reservation.grow(REQUEST_OVERHEAD_BYTES)) throw overloaded();
      const body = await this.#readBody(request, reservation, abort.signal);
      const received: IngestRequest = {
        headers: request.headers,
        contentType: mediaType(request),
        contentEncoding: contentEncoding(request),
        body,
        abort: abort.signal,
        reservation,
        maxBytes: this.#options.maxBytes,
      };
      const take = async (): Promise<IngestAnswer> => {
        // It may have waited for its turn.
        abort.signal.throwIfAborted();
        return await handler(received);
      };
      const answer = await ingestTurns.run(take, this.#options.inFlight);
      send(request, response, answer);
    } catch (error) {
      send(request, response, this.#refusal(error));
    } finally {
      response.off('close', onClose);
      reservation.release();
    }
  }

  #check(request: IncomingMessage): void {
    if (this.#stopping) throw new SignalboxError('unavailable', 'The program stops', { retryAfterMs: 5_000 });
    if (request.method !== 'POST') throw new MethodError();
    if (request.headers.origin !== undefined || request.headers['sec-fetch-site'] !== undefined) {
      throw new SignalboxError('permission_denied', 'Requests of web pages are not taken here');
    }
    this.#options.authenticator?.authenticate(request.headers);
    if (/;\s*[^\s;=]+\s*(;|$)/.test(request.headers['content-type'] ?? '')) {
      throw new SignalboxError('invalid_argument', 'mime: invalid media parameter');
    }
    const length = Number(request.headers['content-length'] ?? 0);
    if (length > this.#options.maxBytes) throw tooLarge(this.#options.maxBytes);
  }

  async #readBody(
    request: IncomingMessage,
    reservation: InFlightReservation,
    abort: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const encoding = contentEncoding(request);
    const known = CONTENT_ENCODINGS.get(encoding);
    const collector = new BodyCollector({
      encoding,
      createDecompressor: known ?? null,
      maxBytes: this.#options.maxBytes,
      reservation,
    });
    collector.onDrain = () => request.resume();
    const idle = setTimeout(
      () => collector.fail(new SignalboxError('timeout', 'Nothing of the body arrived for too long')),
      BODY_IDLE_MS,
    );
    const onAbort = () => collector.fail(toSignalboxError(abort.reason));
    abort.addEventListener('abort', onAbort);
    const onData = (chunk: Buffer) => {
      idle.refresh();
      if (!collector.write(chunk)) request.pause();
    };
    const onEnd = () => collector.end();
    request.on('data', onData).once('end', onEnd);
    try {
      return await collector.body;
    } finally {
      clearTimeout(idle);
      abort.removeEventListener('abort', onAbort);
      request.off('data', onData).off('end', onEnd);
    }
  }

  #refusal(error: unknown): IngestAnswer {
    if (error instanceof MethodError) return { status: 405, headers: { Allow: 'POST' }, body: 'method not allowed\n' };
    if (error instanceof ProtocolDecodeError) {
      return { status: error.tooLarge ? 413 : 400, body: `${error.message}\n` };
    }
    if (error instanceof BatchTooLargeError) return { status: 413, body: `${error.message}\n` };
    const refusal = toSignalboxError(error);
    if (refusal.code === 'internal') this.#options.onInternalError(error);
    const headers: OutgoingHttpHeaders = {};
    if (refusal.code === 'unauthenticated' && this.#options.authenticator) {
      headers['WWW-Authenticate'] = this.#options.authenticator.challenge;
    }
    if (refusal.retryable && refusal.retryAfterMs !== undefined) {
      headers['Retry-After'] = String(Math.ceil(refusal.retryAfterMs / 1000));
    }
    return { status: refusal.httpStatus, headers, body: `${refusal.message}\n` };
  }
}

class MethodError extends Error {}

function tooLarge(maxBytes: number): SignalboxError {
  return new SignalboxError('too_large', `The request is larger than the limit of ${maxBytes} bytes`);
}

function mediaType(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

function contentEncoding(request: IncomingMessage): string {
  return (request.headers['content-encoding'] ?? '').trim().toLowerCase() || 'identity';
}

/** A body that has not all arrived is read on for a moment: a connection closed on unread bytes is reset, and the answer lost. */
function send(request: IncomingMessage, response: ServerResponse, { status, headers, body = '' }: IngestAnswer): void {
  if (response.headersSent || response.destroyed) return;
  if (!request.complete) response.shouldKeepAlive = false;
  response.writeHead(status, {
    ...(body === '' ? {} : { 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' }),
    ...headers,
    ...(status === 204 ? {} : { 'Content-Length': Buffer.byteLength(body) }),
  });
  if (request.complete) {
    response.end(body);
    return;
  }
  response.write(body);
  const timer = setTimeout(() => request.destroy(), DISCARD_MS);
  request.once('end', () => response.end()).once('close', () => clearTimeout(timer));
  request.resume();
}
