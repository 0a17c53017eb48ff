import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type HeaderName, setKnownHeader } from './response-headers.ts';
import { errorTypeOf, type Failure, type ServerExchange } from './server-exchange.ts';

interface WithContentLength {
  readonly _contentLength?: unknown;
}

interface WithExpressRoute {
  readonly route?: { readonly path?: unknown } | null;
  readonly baseUrl?: unknown;
}

/** A request that a server of `node:http` or `node:https` got. */
export class Http1Exchange implements ServerExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly method: string;
  readonly target: string;
  readonly scheme: 'http' | 'https';
  readonly socket: Socket;

  constructor(request: IncomingMessage, response: ServerResponse, socket: Socket) {
    this.request = request;
    this.response = response;
    this.socket = socket;
    // Kept, because frameworks change them on their way.
    this.method = request.method ?? '';
    this.target = request.url ?? '/';
    this.scheme = 'encrypted' in socket ? 'https' : 'http';
  }

  get headers(): IncomingMessage['headers'] {
    return this.request.headers;
  }

  get host(): string | undefined {
    return this.request.headers.host;
  }

  get protocolVersion(): string {
    return this.request.httpVersion;
  }

  /** Not by the channel for finished responses: it stays silent when the client goes away first. */
  onEnd(callback: () => void): void {
    this.response.on('close', callback);
  }

  status(): number | undefined {
    return this.response.headersSent ? this.response.statusCode : undefined;
  }

  /** A response cut off by the client has a type but is no fault of this server. */
  failure(): Failure | undefined {
    const { response } = this;
    if (response.writableFinished) return undefined;
    const error = response.errored;
    if (error !== null && error !== undefined)
      return { type: errorTypeOf(error), isServersFault: errorTypeOf(error) !== 'ECONNRESET' };
    return { type: 'ECONNRESET', isServersFault: false };
  }

  /** As Content-Length tells; unknown for chunked bodies. */
  responseSize(): number | undefined {
    const { request, response } = this;
    if (request.method === 'HEAD' || response.statusCode === 304 || response.statusCode === 204) return undefined;
    // Node computes the length of a body given whole to `end` but keeps it out of `getHeader`.
    const length = response.getHeader('content-length') ?? (response as WithContentLength)._contentLength;
    const size = typeof length === 'number' || typeof length === 'string' ? Number(length) : Number.NaN;
    return Number.isSafeInteger(size) ? size : undefined;
  }

  /** What Express leaves on the request where it is bundled and cannot be hooked. Below a mounted router it is not whole. */
  leftRoute(): string | undefined {
    const { route, baseUrl } = this.request as WithExpressRoute;
    const path = route?.path;
    return typeof path === 'string' && !baseUrl ? path : undefined;
  }

  setHeader(name: HeaderName, value: string): void {
    setKnownHeader(this.response, name, value);
  }
}
