import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { HeaderName } from './response-headers.ts';
import { errorTypeOf, type Failure, type ServerExchange } from './server-exchange.ts';

/** Ways in which a stream is answered, each with the headers as its first or second argument. */
const responders = { respond: 0, respondWithFile: 1, respondWithFD: 1 } as const;

/** A request that a server of `node:http2` got, whether its application takes streams or requests and responses. */
export class Http2Exchange implements ServerExchange {
  readonly request: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly scheme: 'http' | 'https';
  readonly socket: Socket | undefined;
  readonly protocolVersion = '2';
  #added: Record<string, string> | undefined;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders) {
    this.request = stream;
    this.headers = headers;
    // Both are gone once the stream is closed.
    this.scheme = stream.session?.encrypted === true ? 'https' : 'http';
    this.socket = stream.session?.socket;
  }

  get response(): ServerHttp2Stream {
    return this.request;
  }

  get method(): string {
    return this.headers[':method'] ?? '';
  }

  get target(): string {
    return this.headers[':path'] ?? '/';
  }

  get host(): string | undefined {
    return this.headers[':authority'] ?? this.headers.host;
  }

  onEnd(callback: () => void): void {
    this.request.on('close', callback);
  }

  status(): number | undefined {
    return this.#sentHeaders()?.[':status'];
  }

  failure(): Failure | undefined {
    const { errored, writableFinished, aborted, rstCode } = this.request;
    if (errored !== null && errored !== undefined) return { type: errorTypeOf(errored), isServersFault: true };
    if (writableFinished && !aborted && rstCode === 0) return undefined;
    return { type: 'ECONNRESET', isServersFault: false };
  }

  responseSize(): number | undefined {
    if (this.method === 'HEAD') return undefined;
    const size = Number(this.#sentHeaders()?.['content-length'] ?? Number.NaN);
    return Number.isSafeInteger(size) ? size : undefined;
  }

  leftRoute(): undefined {
    return undefined;
  }

  /** Headers are not kept anywhere before they are sent, so they are added when they are. */
  setHeader({ key }: HeaderName, value: string): void {
    if (this.#added === undefined) {
      this.#added = {};
      for (const [responder, position] of Object.entries(responders)) this.#addTo(responder, position, this.#added);
    }
    this.#added[key] = value;
  }

  #addTo(responder: string, position: number, added: Readonly<Record<string, string>>): void {
    const original: unknown = Reflect.get(this.request, responder);
    if (typeof original !== 'function') return;
    Reflect.set(this.request, responder, function (this: unknown, ...args: unknown[]) {
      const headers = args[position];
      // Pairs in one list, which newer Nodes take, are passed on as a list.
      args[position] = Array.isArray(headers)
        ? [...headers, ...Object.entries(added).flat()]
        : { ...added, ...(headers as OutgoingHttpHeaders | null | undefined) };
      return Reflect.apply(original, this, args);
    });
  }

  #sentHeaders(): (OutgoingHttpHeaders & { ':status'?: number }) | undefined {
    return this.request.sentHeaders;
  }
}
