import { validateHeaderName, validateHeaderValue } from 'node:http';
import { urlToHttpOptions } from 'node:url';
import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import { deferred } from '../deferred.ts';
import { type HttpAnswer, MalformedAnswerError } from './http-answer.ts';
import { type ConnectionOwner, HttpConnection } from './http-connection.ts';
import { answerOutcome, failureOutcome, requestHeaders } from './http-outcome.ts';
import type { OtlpDestination } from './otlp-destination.ts';
import type { OtlpTransport, RequestOutcome } from './otlp-transport.ts';

const readBufferBytes = 16 * 1024;

/** Headers by which a request or its connection would be another. */
const framing = /^(?:connection|keep-alive|transfer-encoding|expect|upgrade|te|trailer)$/i;

interface Target {
  readonly host: string;
  readonly port: number;
  /** Of all requests, compressed or not. */
  readonly gzipped: boolean;
  readonly firstLines: string;
}

interface Exchange {
  readonly head: string;
  readonly body: Uint8Array;
  readonly done: (answer: HttpAnswer | Error) => void;
  connection: HttpConnection | undefined;
}

/**
 * OTLP/HTTP without TLS, over connections of its own. A request of Node's client is a dozen objects and two streams, which for
 * batches of 512 records is a tenth of all that telemetry costs a service; a socket does.
 */
export class PlainHttpTransport implements OtlpTransport, ConnectionOwner {
  readonly readBuffer = Buffer.allocUnsafeSlow(readBufferBytes);
  readonly #destination: OtlpDestination;
  readonly #maxConnections: number;
  readonly #connections = new Set<HttpConnection>();
  /** The one that was used last comes last, and is used first. */
  readonly #free: HttpConnection[] = [];
  readonly #waiting: Exchange[] = [];
  #target: Target | undefined;

  constructor(destination: OtlpDestination, maxConnections: number) {
    this.#destination = destination;
    this.#maxConnections = maxConnections;
  }

  /** Throws for a destination whose address or headers cannot be sent. */
  post(body: Uint8Array, gzipped: boolean): Promise<RequestOutcome> {
    const { url, timeoutMillis } = this.#destination;
    const { promise, resolve } = deferred<RequestOutcome>();
    const exchange: Exchange = {
      head: this.#head(body.byteLength, gzipped),
      body,
      connection: undefined,
      done: (answer) => {
        clearTimeout(deadline);
        resolve(answer instanceof Error ? failed(answer, url) : answered(answer));
      },
    };
    const deadline = setTimeout(
      () => this.#giveUp(exchange, new Error(`no answer within ${timeoutMillis} ms`)),
      timeoutMillis,
    ).unref();
    this.#begin(exchange);
    return promise;
  }

  destroy(): void {
    const waiting = this.#waiting.splice(0);
    for (const connection of this.#connections) connection.destroy();
    for (const exchange of waiting) exchange.done(new Error('shut down'));
  }

  onFree(connection: HttpConnection): void {
    this.#free.push(connection);
    const next = this.#waiting.shift();
    if (next !== undefined) this.#begin(next);
  }

  onClose(connection: HttpConnection): void {
    this.#connections.delete(connection);
    const index = this.#free.indexOf(connection);
    if (index >= 0) this.#free.splice(index, 1);
    const next = this.#waiting.shift();
    if (next !== undefined) this.#begin(next);
  }

  #begin(exchange: Exchange): void {
    try {
      const connection = this.#takeFree() ?? this.#open();
      if (connection === undefined) {
        this.#waiting.push(exchange);
        return;
      }
      exchange.connection = connection;
      connection.send(exchange.head, exchange.body, exchange.done);
    } catch (error) {
      // A process may forbid connections by throwing.
      exchange.done(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #takeFree(): HttpConnection | undefined {
    for (let free = this.#free.pop(); free !== undefined; free = this.#free.pop()) {
      if (!free.isStale) return free;
      free.destroy();
    }
    return undefined;
  }

  #open(): HttpConnection | undefined {
    const target = this.#target;
    if (target === undefined || this.#connections.size >= this.#maxConnections) return undefined;
    // It must not hold on to the context of whoever caused the first request.
    const connection = context.with(
      suppressTracing(ROOT_CONTEXT),
      () => new HttpConnection(target.host, target.port, this),
    );
    this.#connections.add(connection);
    return connection;
  }

  #giveUp(exchange: Exchange, error: Error): void {
    if (exchange.connection !== undefined) {
      exchange.connection.destroy(error);
      return;
    }
    const index = this.#waiting.indexOf(exchange);
    if (index >= 0) this.#waiting.splice(index, 1);
    exchange.done(error);
  }

  #head(length: number, gzipped: boolean): string {
    if (this.#target?.gzipped !== gzipped) this.#target = readTarget(this.#destination, gzipped);
    return `${this.#target.firstLines}Content-Length: ${length}\r\n\r\n`;
  }
}

/** Whether a request to there is as plain as those that this makes. */
export function isPlainHttp({ url, headers }: OtlpDestination): boolean {
  return url.startsWith('http:') && !Object.keys(headers).some((name) => framing.test(name));
}

/** To take an address apart costs as much as a request, so not each does. */
function readTarget(destination: OtlpDestination, gzipped: boolean): Target {
  const url = new URL(destination.url);
  const { hostname, path, auth } = urlToHttpOptions(url);
  const headers = new Map([['host', `Host: ${url.host}`]]);
  if (auth) headers.set('authorization', `Authorization: Basic ${Buffer.from(auth).toString('base64')}`);
  headers.set('connection', 'Connection: keep-alive');
  for (const [name, value] of Object.entries(requestHeaders(destination, 0, gzipped))) {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    headers.set(name.toLowerCase(), `${name}: ${value}`);
  }
  headers.delete('content-length');
  return {
    host: String(hostname),
    port: url.port === '' ? 80 : Number(url.port),
    gzipped,
    firstLines: `POST ${path} HTTP/1.1\r\n${[...headers.values()].map((line) => `${line}\r\n`).join('')}`,
  };
}

function answered({ status, reason, headers, body }: HttpAnswer): RequestOutcome {
  return answerOutcome(status, reason, headers.get('retry-after'), body);
}

function failed(error: Error, url: string): RequestOutcome {
  return failureOutcome(error, url, error instanceof MalformedAnswerError ? error.message : undefined);
}
