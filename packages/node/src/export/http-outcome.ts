import type { OtlpDestination } from './otlp-destination.ts';
import { networkFailure, type RequestOutcome, retryAdvice } from './otlp-transport.ts';

const retryableStatuses = new Set([429, 502, 503, 504]);

export function requestHeaders(destination: OtlpDestination, length: number, gzipped: boolean): Record<string, string> {
  return {
    'User-Agent': 'signalbox-node',
    ...destination.headers,
    'Content-Type': destination.protocol === 'http/json' ? 'application/json' : 'application/x-protobuf',
    'Content-Length': String(length),
    ...(gzipped && { 'Content-Encoding': 'gzip' }),
  };
}

/** What an answer means (https://opentelemetry.io/docs/specs/otlp/#otlphttp-response). */
export function answerOutcome(
  status: number,
  reason: string | undefined,
  retryAfter: string | undefined,
  body: Buffer,
): RequestOutcome {
  if (status >= 200 && status <= 299) return { kind: 'accepted', body };
  const problem = `it answered ${status} ${reason ?? ''}`.trimEnd();
  if (retryableStatuses.has(status)) {
    const retryAfterMillis = parseRetryAfter(retryAfter);
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

/** What it means that there is no answer. `malformed` says what is wrong with one that is no HTTP/1.1. */
export function failureOutcome(error: Error, url: string, malformed: string | undefined): RequestOutcome {
  if (malformed === undefined) return networkFailure(error, url);
  const advice =
    'This port speaks something else, perhaps gRPC: OTLP/HTTP is usually on port 4318; for gRPC set OTEL_EXPORTER_OTLP_PROTOCOL=grpc.';
  return { kind: 'refused', problem: `it does not speak HTTP/1.1 (${malformed})`, advice };
}

function parseRetryAfter(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}
