import type { OutgoingHttpHeaders } from 'node:http';
import { encodeStatus } from '@signalbox/otlp';
import type { SignalboxError } from '../../pipeline/signalbox-error.ts';
import type { OtlpEncoding } from '../otlp/export-service.ts';
import { MEDIA_TYPES } from './media-type.ts';

/** A sender that was too slow may try again then: most often it was this machine that had no time to read. */
export const SLOW_SENDER_RETRY_MS = 1_000;

/** A complete HTTP answer to a request that is refused. */
export interface HttpRefusal {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Uint8Array | string;
}

/**
 * The answer that OTLP/HTTP prescribes for a failed request (specification.md, "Failures"): a `google.rpc.Status` in the
 * request's own content type, and `Retry-After` where a retry makes sense and it is known when.
 */
export function statusRefusal(error: SignalboxError, encoding: OtlpEncoding): HttpRefusal {
  const retryAfterMs = error.retryable ? error.retryAfterMs : undefined;
  return {
    status: error.httpStatus,
    headers: {
      'Content-Type': MEDIA_TYPES[encoding],
      ...(retryAfterMs === undefined ? {} : { 'Retry-After': String(Math.ceil(retryAfterMs / 1000)) }),
    },
    body: encodeStatus(error.grpcStatus, error.message, encoding, retryAfterMs),
  };
}

/** The answer to what is no OTLP request in the first place, worded as the OpenTelemetry Collector does. */
export function textRefusal(status: number, text: string, headers: OutgoingHttpHeaders = {}): HttpRefusal {
  return { status, headers: { 'Content-Type': 'text/plain; charset=utf-8', ...headers }, body: `${status} ${text}` };
}
