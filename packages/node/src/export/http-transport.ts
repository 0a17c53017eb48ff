import http from 'node:http';
import { urlToHttpOptions } from 'node:url';
import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import { deferred } from '../deferred.ts';
import { answerOutcome, failureOutcome, requestHeaders } from './http-outcome.ts';
import type { OtlpDestination } from './otlp-destination.ts';
import { maxResponseBytes, type OtlpTransport, type RequestOutcome } from './otlp-transport.ts';

/** OTLP/HTTP (https://opentelemetry.io/docs/specs/otlp/#otlphttp) by Node's own client, over kept-alive connections. */
export class HttpTransport implements OtlpTransport {
  readonly #destination: OtlpDestination;
  readonly #agent: http.Agent;
  /** Where to, read once, when it is needed: to take an address apart costs a tenth of all that a request costs, and not each can be. */
  #target: http.RequestOptions | undefined;

  constructor(destination: OtlpDestination, maxSockets: number) {
    this.#destination = destination;
    const { ca, cert, key } = destination;
    this.#agent = destination.url.startsWith('https:')
      ? new (httpsModule().Agent)({
          keepAlive: true,
          maxSockets,
          ...(ca && { ca }),
          ...(cert && { cert }),
          ...(key && { key }),
        })
      : new http.Agent({ keepAlive: true, maxSockets });
  }

  post(body: Uint8Array, gzipped: boolean): Promise<RequestOutcome> {
    // The exporter's own request must make no span, and its socket must not hold on to the context of whoever caused it.
    return context.with(suppressTracing(ROOT_CONTEXT), () => this.#post(body, gzipped));
  }

  destroy(): void {
    this.#agent.destroy();
  }

  #post(body: Uint8Array, gzipped: boolean): Promise<RequestOutcome> {
    const { url, timeoutMillis } = this.#destination;
    this.#target ??= urlToHttpOptions(new URL(url));
    const { promise, resolve } = deferred<RequestOutcome>();
    const request = (url.startsWith('https:') ? httpsModule() : http).request({
      ...this.#target,
      method: 'POST',
      agent: this.#agent,
      headers: requestHeaders(this.#destination, body.byteLength, gzipped),
    });
    const deadline = setTimeout(
      () => request.destroy(new Error(`no answer within ${timeoutMillis} ms`)),
      timeoutMillis,
    ).unref();
    request.on('socket', (socket) => socket.unref());
    request.on('error', (error: NodeJS.ErrnoException) => resolve(failure(error, url)));
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size <= maxResponseBytes) chunks.push(chunk);
      });
      response.on('error', (error) => resolve(failure(error, url)));
      response.on('end', () => {
        const answer = size <= maxResponseBytes ? Buffer.concat(chunks) : Buffer.alloc(0);
        const { statusCode = 0, statusMessage, headers } = response;
        // What has been answered before all of it was sent is not sent any more: its memory is used again.
        if (!request.writableFinished) request.destroy();
        resolve(answerOutcome(statusCode, statusMessage, headers['retry-after'], answer));
      });
    });
    request.end(body);
    return promise.finally(() => clearTimeout(deadline));
  }
}

/** TLS takes milliseconds to load, which most processes on their way to a collector nearby need not spend. */
function httpsModule(): typeof import('node:https') {
  return process.getBuiltinModule('node:https');
}

function failure(error: NodeJS.ErrnoException, url: string): RequestOutcome {
  return failureOutcome(error, url, error.code?.startsWith('HPE_') ? error.code : undefined);
}
