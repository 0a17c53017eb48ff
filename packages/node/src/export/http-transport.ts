import http from 'node:http';
import { urlToHttpOptions } from 'node:url';
import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import { deferred } from '../deferred.ts';
import type { OtlpDestination } from './otlp-destination.ts';
import {
  maxResponseBytes,
  networkFailure,
  type OtlpTransport,
  type RequestOutcome,
  retryAdvice,
} from './otlp-transport.ts';

const retryableStatuses = new Set([429, 502, 503, 504]);

/** OTLP/HTTP (https://opentelemetry.io/docs/specs/otlp/#otlphttp) over kept-alive connections. */
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
      response.on('end', () =>
        resolve(answer(response, size <= maxResponseBytes ? Buffer.concat(chunks) : Buffer.alloc(0))),
      );
    });
    request.end(body);
    return promise.finally(() => clearTimeout(deadline));
  }
}

/** TLS takes milliseconds to load, which most processes on their way to a collector nearby need not spend. */
function httpsModule(): typeof import('node:https') {
  return process.getBuiltinModule('node:https');
}

export function requestHeaders(destination: OtlpDestination, length: number, gzipped: boolean): Record<string, string> {
  return {
    'User-Agent': 'signalbox-node',
    ...destination.headers,
    'Content-Type': destination.protocol === 'http/json' ? 'application/json' : 'application/x-protobuf',
    'Content-Length': String(length),
    ...(gzipped && { 'Content-Encoding': 'gzip' }),
  };
}

function answer(response: http.IncomingMessage, body: Buffer): RequestOutcome {
  const status = response.statusCode ?? 0;
  if (status >= 200 && status <= 299) return { kind: 'accepted', body };
  const problem = `it answered ${status} ${response.statusMessage ?? ''}`.trimEnd();
  if (retryableStatuses.has(status)) {
    const retryAfterMillis = parseRetryAfter(response.headers['retry-after']);
    return {
      kind: 'retryable',
      problem,
      advice: retryAdvice,
      unreachable: false,
      ...(retryAfterMillis !== undefined && { retryAfterMillis }),
    };
  }
  return { kind: 'refused', problem, advice: adviceForStatus(status) };
}

function adviceForStatus(status: number): string {
  if (status === 401 || status === 403) return 'Set OTEL_EXPORTER_OTLP_HEADERS to what the endpoint asks for.';
  if (status === 404 || status === 405)
    return 'This is no OTLP/HTTP endpoint: check OTEL_EXPORTER_OTLP_ENDPOINT (usually port 4318, without /v1/…).';
  if (status === 413)
    return 'The batch is too large for it: lower OTEL_BSP_MAX_EXPORT_BATCH_SIZE and OTEL_BLRP_MAX_EXPORT_BATCH_SIZE.';
  if (status === 415)
    return 'It does not take this encoding: set OTEL_EXPORTER_OTLP_PROTOCOL to http/protobuf or http/json.';
  return 'The records of that request were dropped.';
}

function failure(error: NodeJS.ErrnoException, url: string): RequestOutcome {
  if (!error.code?.startsWith('HPE_')) return networkFailure(error, url);
  const advice =
    'This port speaks something else, perhaps gRPC: OTLP/HTTP is usually on port 4318; for gRPC set OTEL_EXPORTER_OTLP_PROTOCOL=grpc.';
  return { kind: 'refused', problem: `it does not speak HTTP/1.1 (${error.code})`, advice };
}

function parseRetryAfter(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}
