import type { Client, ClientOptions, Metadata, ServiceError } from '@grpc/grpc-js';
import { decodeExportResponse, decodeStatus, OtlpDecodeError } from '@signalbox/otlp';
import { type ClientTls, loadTls } from '../../config/tls-settings.ts';
import type { ConsumeResult } from '../../pipeline/consumer.ts';
import type { ClientAuthenticator } from '../../pipeline/extension.ts';
import { type ErrorCode, SignalboxError } from '../../pipeline/signalbox-error.ts';
import type { Destination, SendRequest } from '../sending-exporter.ts';

export interface OtlpGrpcDestinationOptions {
  /** `host:port` */
  readonly address: string;
  readonly insecure: boolean;
  readonly tls: ClientTls;
  readonly headers: ReadonlyMap<string, string>;
  readonly compression: 'gzip' | 'none';
  readonly authenticator: ClientAuthenticator | null;
  readonly keepAlive: {
    readonly intervalMs: number;
    readonly timeoutMs: number | null;
    /** Also while nothing is sent. */
    readonly idlePings: boolean;
  } | null;
}

const METHODS = {
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  metrics: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
} as const;

/** OTLP specification, "Failures" of OTLP/gRPC: what a client tries again. RESOURCE_EXHAUSTED (8) only with RetryInfo. */
const RETRYABLE_CODES: readonly number[] = [1, 4, 10, 11, 14, 15];
const RESOURCE_EXHAUSTED = 8;
const GZIP = 2;

/**
 * A peer of OTLP/gRPC. Unlike the receiver (ADR 2), a client bounds what it sends by itself, so the general library does:
 * it reconnects, resolves names, and speaks TLS. It is loaded when the first exporter of the kind starts.
 */
export class OtlpGrpcDestination implements Destination {
  readonly #options: OtlpGrpcDestinationOptions;
  #grpc: typeof import('@grpc/grpc-js') | null = null;
  #client: Client | null = null;

  constructor(options: OtlpGrpcDestinationOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { address, insecure, tls } = this.#options;
    this.#grpc = await import('@grpc/grpc-js');
    const { Client, credentials } = this.#grpc;
    try {
      const { ca = null, key = null, cert = null } = loadTls(tls);
      const secure = () => credentials.createSsl(ca, key, cert, { rejectUnauthorized: !tls.skipVerify });
      this.#client = new Client(address, insecure ? credentials.createInsecure() : secure(), this.#channelOptions());
    } catch (error) {
      throw new SignalboxError('invalid_argument', `tls: ${(error as Error).message}`, { cause: error });
    }
  }

  send({ signal, bytes }: SendRequest, abort: AbortSignal): Promise<ConsumeResult> {
    const [grpc, client] = [this.#grpc, this.#client];
    if (grpc === null || client === null) throw new TypeError('send before start');
    const metadata = this.#metadata(new grpc.Metadata());
    return new Promise((resolve, reject) => {
      const call = client.makeUnaryRequest(
        METHODS[signal],
        (request: Uint8Array) => Buffer.from(request.buffer, request.byteOffset, request.byteLength),
        (answer: Buffer) => answer,
        bytes,
        metadata,
        (error, answer) => {
          abort.removeEventListener('abort', cancel);
          if (error !== null) reject(abort.aborted ? abort.reason : this.#refusal(error));
          else resolve(readAnswer(answer ?? Buffer.alloc(0)));
        },
      );
      const cancel = () => call.cancel();
      if (abort.aborted) cancel();
      else abort.addEventListener('abort', cancel, { once: true });
    });
  }

  async close(): Promise<void> {
    this.#client?.close();
  }

  #channelOptions(): ClientOptions {
    const { compression, keepAlive, tls } = this.#options;
    return {
      ...(compression === 'gzip' ? { 'grpc.default_compression_algorithm': GZIP } : {}),
      ...(tls.serverName === null ? {} : { 'grpc.ssl_target_name_override': tls.serverName }),
      // Pauses between attempts are the sending queue's: a connection is tried as often as they say.
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 5_000,
      ...(keepAlive === null
        ? {}
        : {
            'grpc.keepalive_time_ms': keepAlive.intervalMs,
            ...(keepAlive.timeoutMs === null ? {} : { 'grpc.keepalive_timeout_ms': keepAlive.timeoutMs }),
            'grpc.keepalive_permit_without_calls': keepAlive.idlePings ? 1 : 0,
          }),
    };
  }

  #metadata(metadata: Metadata): Metadata {
    for (const [name, value] of this.#options.headers) metadata.set(name, value);
    for (const [name, value] of Object.entries(this.#options.authenticator?.headers() ?? {})) metadata.set(name, value);
    return metadata;
  }

  #refusal(error: ServiceError): SignalboxError {
    const retryAfterMs = retryInfo(error);
    const retryable =
      RETRYABLE_CODES.includes(error.code) || (error.code === RESOURCE_EXHAUSTED && retryAfterMs !== undefined);
    return new SignalboxError(codeOf(error.code, retryable), `${this.#options.address}: ${error.message}`, {
      cause: error,
      retryable,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    });
  }
}

function codeOf(grpcCode: number, retryable: boolean): ErrorCode {
  if (grpcCode === RESOURCE_EXHAUSTED) return 'resource_exhausted';
  if (grpcCode === 16) return 'unauthenticated';
  if (grpcCode === 7) return 'permission_denied';
  if (grpcCode === 12) return 'unimplemented';
  return retryable ? 'unavailable' : 'invalid_argument';
}

function retryInfo({ metadata }: ServiceError): number | undefined {
  const [details] = metadata.get('grpc-status-details-bin');
  if (!Buffer.isBuffer(details)) return undefined;
  try {
    return decodeStatus(details, 'protobuf').retryAfterMs;
  } catch (error) {
    if (error instanceof OtlpDecodeError) return undefined;
    throw error;
  }
}

/** A partial success is never tried again. */
function readAnswer(answer: Buffer): ConsumeResult {
  try {
    return decodeExportResponse(answer, 'protobuf');
  } catch (error) {
    if (error instanceof OtlpDecodeError) return { rejected: 0, reason: '' };
    throw error;
  }
}
