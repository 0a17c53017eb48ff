import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Component } from '../pipeline/component.ts';
import { listen } from '../pipeline/listen.ts';
import { HostCheck } from './host-check.ts';
import { SharedPort } from './shared-port.ts';

/** Answers the request and gives true, or gives false at once and leaves it to the next. */
export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => Promise<boolean> | boolean;

/** Answers a request of HTTP/2, whatever it is. */
export type StreamHandler = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

/** Takes over the connection of a request that wants to be a WebSocket and gives true, or gives false at once. */
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean;

export interface PageServerOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Host names under which the page may be opened besides addresses, `localhost` and `host`. */
  readonly allowedHosts: readonly string[];
  /** Told when a handler rejects, which is a bug of it; the request is answered nevertheless. */
  readonly onError?: (error: unknown) => void;
  /** What listens, for error messages. Default: the page. */
  readonly what?: string;
  /** Name of the setting that decides the port. Default: `port`. */
  readonly setting?: string;
  /** For HTTP/2 without TLS, which gRPC clients speak. Without it they are refused. */
  readonly onStream?: StreamHandler;
}

const maxConnections = 512;
/**
 * Ms for which a connection waits for its next request: longer than the minute after which proxies give up theirs, so that none sends a
 * request into one that is being closed. Node's own five seconds are shorter than the pause between two looks at a dashboard.
 */
const keepAliveTimeout = 75_000;

/** The port of people and tools: the page and every HTTP API, asked in the order of `handlers`. */
export class PageServer implements Component {
  readonly #options: PageServerOptions;
  readonly #port: SharedPort;
  #shutdown: Promise<void> | undefined;

  constructor(
    options: PageServerOptions,
    handlers: readonly RequestHandler[],
    upgrades: readonly UpgradeHandler[] = [],
  ) {
    this.#options = options;
    const { onError = (error) => console.error('Unexpected error:', error) } = options;
    const hosts = new HostCheck([options.host, ...options.allowedHosts]);
    const limits = { headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout };
    const http1 = createServer(limits, (request, response) => {
      if (hosts.allows(request.headers.host)) void answer(handlers, request, response, onError);
      else refuseHost(response);
    });
    http1.on('upgrade', (request, socket: Duplex, head: Buffer) => {
      if (!hosts.allows(request.headers.host)) refuseUpgrade(socket, '421 Misdirected Request');
      else if (!upgrades.some((upgrade) => upgrade(request, socket, head))) refuseUpgrade(socket, '404 Not Found');
    });
    this.#port = new SharedPort(http1, { maxConnections, handshakeTimeoutMs: 10_000 });
    this.#port.http2.on('stream', (stream: ServerHttp2Stream, headers) => {
      stream.on('error', () => stream.destroy());
      if (options.onStream === undefined || !hosts.allows(headers[':authority'])) {
        stream.respond({ ':status': options.onStream === undefined ? 404 : 421 }, { endStream: true });
      } else options.onStream(stream, headers);
    });
  }

  /** Where it listens; only after `start`. */
  get address(): AddressInfo {
    return this.#port.server.address() as AddressInfo;
  }

  async start(): Promise<void> {
    const { host, port, what = 'the page', setting = 'port' } = this.#options;
    await listen(this.#port.server, { host, port, what, setting });
  }

  /** Streams (live tails) never end by themselves, so all connections are cut after a moment for short answers. */
  shutdown(deadlineMs: number): Promise<void> {
    this.#shutdown ??= this.#port.close(Math.min(deadlineMs, 250));
    return this.#shutdown;
  }
}

/** Never rejects: a rejection that nobody handles would end the process, receivers and all. */
async function answer(
  handlers: readonly RequestHandler[],
  request: IncomingMessage,
  response: ServerResponse,
  onError: (error: unknown) => void,
): Promise<void> {
  try {
    for (const handler of handlers) if (await handler(request, response)) return;
    response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end('There is nothing here.\n');
  } catch (error) {
    onError(error);
    if (response.headersSent) response.destroy();
    else response.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' }).end('Internal error.\n');
  }
}

function refuseHost(response: ServerResponse): void {
  response
    .writeHead(421, { 'content-type': 'text/plain; charset=utf-8' })
    .end(
      'This host name is not one of mine. If it should be, name it with --allowed-hosts (SIGNALBOX_ALLOWED_HOSTS).\n',
    );
}

function refuseUpgrade(socket: Duplex, status: string): void {
  socket.on('error', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
