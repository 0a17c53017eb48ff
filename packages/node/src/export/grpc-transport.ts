import type { ClientHttp2Session, IncomingHttpHeaders } from 'node:http2';
import { deferred } from '../deferred.ts';
import { grpcFrame, grpcHeaders } from './grpc-request.ts';
import { type GrpcStatus, grpcStatus, isRetryable } from './grpc-status.ts';
import type { OtlpDestination } from './otlp-destination.ts';
import {
  maxResponseBytes,
  networkFailure,
  type OtlpTransport,
  type RequestOutcome,
  retryAdvice,
} from './otlp-transport.ts';

/** OTLP/gRPC (https://opentelemetry.io/docs/specs/otlp/#otlpgrpc): unary calls over one HTTP/2 connection, made anew when it ends. */
export class GrpcTransport implements OtlpTransport {
  readonly #destination: OtlpDestination;
  #session: ClientHttp2Session | undefined;
  /** Why the last connection ended. */
  #failure: Error | undefined;

  constructor(destination: OtlpDestination) {
    this.#destination = destination;
  }

  post(message: Uint8Array, gzipped: boolean): Promise<RequestOutcome> {
    const { timeoutMillis, url } = this.#destination;
    const { promise, resolve } = deferred<RequestOutcome>();
    const session = this.#connected();
    const stream = session.request(grpcHeaders(this.#destination, gzipped));
    let headers: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders = {};
    const chunks: Buffer[] = [];
    let size = 0;
    // A call whose connection failed is cancelled, for which that is the cause.
    const fail = (error: Error): void =>
      resolve(failure(this.#failure ?? (error.cause instanceof Error ? error.cause : error), url));
    const deadline = setTimeout(() => {
      fail(new Error(`no answer within ${timeoutMillis} ms`));
      stream.close(8); // CANCEL
    }, timeoutMillis).unref();
    stream.on('response', (received) => {
      headers = received;
    });
    stream.on('trailers', (received) => {
      trailers = received;
    });
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxResponseBytes) chunks.push(chunk);
    });
    stream.on('error', fail);
    stream.on('close', () => {
      if (headers[':status'] === undefined) fail(new Error('the connection ended without an answer'));
      else
        resolve(
          answer(grpcStatus(headers, trailers), size <= maxResponseBytes ? Buffer.concat(chunks) : Buffer.alloc(0)),
        );
    });
    stream.end(grpcFrame(message, gzipped));
    return promise.finally(() => clearTimeout(deadline));
  }

  destroy(): void {
    this.#session?.destroy();
    this.#session = undefined;
  }

  #connected(): ClientHttp2Session {
    if (this.#session !== undefined && !this.#session.closed && !this.#session.destroyed) return this.#session;
    const { url, ca, cert, key } = this.#destination;
    this.#failure = undefined;
    // Loaded with the first request: most processes speak HTTP/1.1 to their collector.
    const session = process.getBuiltinModule('node:http2').connect(new URL(url).origin, {
      ...(ca && { ca }),
      ...(cert && { cert }),
      ...(key && { key }),
    });
    session.unref();
    session.on('error', (error) => {
      this.#failure = error;
    });
    // A server that says goodbye finishes what it has taken; the next call needs another connection.
    const forget = (): void => {
      if (this.#session === session) this.#session = undefined;
    };
    session.on('goaway', forget);
    session.on('close', forget);
    this.#session = session;
    return session;
  }
}

function answer(status: GrpcStatus, body: Buffer): RequestOutcome {
  // What is left behind the prefix is the message; compressed ones were not asked for.
  if (status.code === 0) return { kind: 'accepted', body: body.subarray(5) };
  const problem = `it answered ${status.name}${status.message === '' ? '' : `: ${status.message.slice(0, 500)}`}`;
  if (!isRetryable(status)) return { kind: 'refused', problem, advice: adviceFor(status) };
  const { retryAfterMillis } = status;
  return {
    kind: 'retryable',
    problem,
    advice: retryAdvice,
    unreachable: false,
    ...(retryAfterMillis !== undefined && { retryAfterMillis }),
  };
}

function adviceFor({ name }: GrpcStatus): string {
  if (name === 'UNAUTHENTICATED' || name === 'PERMISSION_DENIED')
    return 'Set OTEL_EXPORTER_OTLP_HEADERS to what the endpoint asks for.';
  if (name === 'UNIMPLEMENTED')
    return 'This is no OTLP/gRPC endpoint: check OTEL_EXPORTER_OTLP_ENDPOINT (usually port 4317).';
  if (name === 'RESOURCE_EXHAUSTED')
    return 'The batch is too large for it: lower OTEL_BSP_MAX_EXPORT_BATCH_SIZE and OTEL_BLRP_MAX_EXPORT_BATCH_SIZE.';
  return 'The records of that request were dropped.';
}

function failure(error: NodeJS.ErrnoException, url: string): RequestOutcome {
  const code = error.code ?? '';
  if (code !== 'ERR_HTTP2_ERROR' && code !== 'ERR_HTTP2_SESSION_ERROR') return networkFailure(error, url);
  const advice =
    'OTLP/gRPC is usually on port 4317; for OTLP/HTTP (port 4318) set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf.';
  return { kind: 'refused', problem: `it does not speak gRPC (${error.message})`, advice };
}
