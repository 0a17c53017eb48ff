import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import type { HeaderName } from './response-headers.ts';

/** Why there is no good response. */
export interface Failure {
  /** `error.type`. */
  readonly type: string;
  readonly isServersFault: boolean;
  readonly message?: string;
}

/** One request to a server and its response, whichever version of the protocol carries them. */
export interface ServerExchange {
  /** What the application knows the request by. */
  readonly request: object;
  readonly response: object;
  readonly method: string;
  /** Path and query, or a whole URL where the client takes this server for a proxy. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  /** Of the headers `Host` or `:authority`. */
  readonly host: string | undefined;
  /** `1.1`, `2`. */
  readonly protocolVersion: string;
  readonly scheme: 'http' | 'https';
  readonly socket: Socket | undefined;
  /** Calls when the response has been sent or never will be, once unless the application emits `close` itself. */
  onEnd(callback: () => void): void;
  /** Undefined while no response has begun. */
  status(): number | undefined;
  /** Undefined for a response that was sent whole, whatever its status. */
  failure(): Failure | undefined;
  /** Bytes of the body; undefined where that is not known. */
  responseSize(): number | undefined;
  /** The route that a framework has left on the request, where nothing else tells it. */
  leftRoute(): string | undefined;
  /** Before the response begins, with a value that is valid. */
  setHeader(name: HeaderName, value: string): void;
}

/** The code that Node gives its errors, else the class. */
export function errorTypeOf(error: Error): string {
  const code: unknown = Reflect.get(error, 'code');
  return typeof code === 'string' ? code : error.name;
}
