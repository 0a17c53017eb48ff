import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Component } from '../../pipeline/component.ts';
import { listen } from '../../pipeline/listen.ts';
import { SIGNALS } from '../../pipeline/signal.ts';
import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import type { ExportService } from '../otlp/export-service.ts';
import type { OtlpSignal } from '../otlp/received-counters.ts';
import { openServerTls } from '../otlp/server-tls.ts';
import { Cors } from './cors.ts';
import { ExportExchange } from './export-exchange.ts';
import { SLOW_SENDER_RETRY_MS, statusRefusal, textRefusal } from './http-refusal.ts';
import { encodingOfContentType } from './media-type.ts';
import { OTLP_HTTP_DEFAULTS, type OtlpHttpOptions } from './otlp-http-options.ts';

/** Longer than the pause between two exports of any SDK's defaults, so that a client never meets a closing connection. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000;

/** Receives OTLP/HTTP: protobuf and JSON on one port, told apart by `Content-Type` (OTLP specification, "OTLP/HTTP"). */
export class OtlpHttpReceiver implements Component {
  readonly #service: ExportService;
  readonly #options: Required<OtlpHttpOptions>;
  readonly #cors: Cors;
  readonly #signalOfPath: ReadonlyMap<string, OtlpSignal>;
  readonly #server: Server;
  readonly #exchanges = new Map<Duplex, ExportExchange>();
  #shutdown: Promise<void> | null = null;

  constructor(service: ExportService, options: OtlpHttpOptions) {
    this.#service = service;
    this.#options = { ...OTLP_HTTP_DEFAULTS, ...options };
    this.#cors = new Cors(this.#options.corsOrigins, this.#options.corsMaxAgeS);
    const { paths } = this.#options;
    this.#signalOfPath = new Map(SIGNALS.map((signal) => [paths[signal], signal]));
    const { headersTimeoutMs, requestTimeoutMs } = this.#options;
    const tls = openServerTls(this.#options.tls);
    const limits = {
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      headersTimeout: Math.min(headersTimeoutMs, requestTimeoutMs),
      requestTimeout: requestTimeoutMs,
      connectionsCheckingInterval: Math.min(2_000, headersTimeoutMs, requestTimeoutMs),
    };
    this.#server = tls === null ? createServer(limits) : createHttpsServer({ ...limits, ...tls });
    this.#server.maxConnections = this.#options.maxConnections;
    this.#server.on('request', (request, response) => this.#handle(request, response, false));
    this.#server.on('checkContinue', (request, response) => this.#handle(request, response, true));
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => this.#handleClientError(error, socket));
    // Full: make room for the client's next attempt by ending connections that only wait.
    this.#server.on('drop', () => this.#server.closeIdleConnections());
  }

  /** Where it listens; only after `start`. */
  get address(): AddressInfo {
    return this.#server.address() as AddressInfo;
  }

  async start(): Promise<void> {
    const { host, port, place } = this.#options;
    await listen(this.#server, { host, port, what: 'OTLP/HTTP', place });
  }

  shutdown(deadlineMs: number): Promise<void> {
    this.#shutdown ??= new Promise((resolve) => {
      const cut = setTimeout(() => this.#server.closeAllConnections(), deadlineMs);
      this.#server.close(() => {
        clearTimeout(cut);
        resolve();
      });
      for (const exchange of this.#exchanges.values()) {
        exchange.closeAfterAnswer();
      }
    });
    return this.#shutdown;
  }

  #handle(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    if (this.#shutdown !== null) {
      response.shouldKeepAlive = false;
    }
    const signal = this.#signalOfPath.get(pathOf(request.url));
    if (signal === undefined || !this.#service.takes(signal)) {
      const supported = [...this.#signalOfPath].flatMap(([path, known]) => (this.#service.takes(known) ? [path] : []));
      answerNotFound(supported, request, response);
      return;
    }
    if (this.#cors.answerPreflight(request, response)) {
      return;
    }
    this.#cors.allow(request, response);
    const { socket } = request;
    const exchange = new ExportExchange(this.#service, this.#options, signal, request, response);
    this.#exchanges.set(socket, exchange);
    response.once('close', () => {
      // On a pipelined connection the next request's exchange may already stand here.
      if (this.#exchanges.get(socket) === exchange) {
        this.#exchanges.delete(socket);
      }
    });
    void exchange.run(expectsContinue);
  }

  /** Bytes that are not HTTP, headers over the limit, a request that took too long, or a connection that broke. */
  #handleClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const { status, refusal } = connectionRefusal(error);
    const exchange = this.#exchanges.get(socket);
    if (exchange !== undefined) {
      exchange.failConnection(refusal, status);
      return;
    }
    const { body } = textRefusal(status, refusal.message);
    socket.end(
      `HTTP/1.1 ${status} ${REASON_PHRASES[status]}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      () => socket.destroy(),
    );
  }
}

const REASON_PHRASES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

function connectionRefusal(error: NodeJS.ErrnoException): { status: number; refusal: SignalboxError } {
  switch (error.code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return {
        status: 408,
        refusal: new SignalboxError('timeout', 'The request took too long to arrive', {
          retryAfterMs: SLOW_SENDER_RETRY_MS,
        }),
      };
    case 'HPE_HEADER_OVERFLOW':
      return { status: 431, refusal: new SignalboxError('invalid_argument', 'The headers are too large') };
    default:
      return {
        status: 400,
        refusal: new SignalboxError('invalid_argument', 'Malformed HTTP request', { cause: error }),
      };
  }
}

/** The path without query, also of an absolute-form target. */
function pathOf(url = '/'): string {
  const target = url.startsWith('/') ? url : url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '');
  return target.split('?', 1)[0] ?? '';
}

function answerNotFound(supported: readonly string[], request: IncomingMessage, response: ServerResponse): void {
  const encoding = encodingOfContentType(request.headers['content-type']);
  const text = `not found, supported paths: ${supported.join(', ')}`;
  const refusal =
    encoding === null
      ? textRefusal(404, text)
      : statusRefusal(new SignalboxError('not_found', `404 ${text}`), encoding);
  response.writeHead(404, { ...refusal.headers, 'Content-Length': Buffer.byteLength(refusal.body) });
  response.end(request.method === 'HEAD' ? undefined : refusal.body);
}
