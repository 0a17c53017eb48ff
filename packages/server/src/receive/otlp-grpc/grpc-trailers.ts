import { encodeStatus } from '@signalbox/otlp';
import { GrpcStatus, type SignalboxError } from '../../pipeline/signalbox-error.ts';

/** `grpc-status` and what belongs to it, as header fields. */
export type GrpcTrailers = Record<string, string>;

export const GRPC_OK: GrpcTrailers = { 'grpc-status': String(GrpcStatus.Ok) };

/** Header fields are limited, and a status message is for people. In bytes before percent-encoding. */
const MAX_MESSAGE_BYTES = 2_048;

/**
 * How an error is spoken of over OTLP/gRPC (specification.md, "Failures" of OTLP/gRPC).
 *
 * Overload and whatever else may pass is UNAVAILABLE, with RetryInfo where it is known when to try again. RESOURCE_EXHAUSTED
 * is left for what will never fit, and never carries RetryInfo: with it, it would mean "retry".
 */
export function errorTrailers(error: SignalboxError): GrpcTrailers {
  const status = grpcStatusOf(error);
  const trailers: GrpcTrailers = { 'grpc-status': String(status), 'grpc-message': encodeGrpcMessage(error.message) };
  if (error.retryable && error.retryAfterMs !== undefined) {
    const details = encodeStatus(status, error.message, 'protobuf', error.retryAfterMs);
    trailers['grpc-status-details-bin'] = Buffer.from(details).toString('base64').replace(/=+$/, '');
  }
  return trailers;
}

function grpcStatusOf(error: SignalboxError): GrpcStatus {
  const passes = error.retryable && (error.code === 'resource_exhausted' || error.code === 'internal');
  return passes ? GrpcStatus.Unavailable : error.grpcStatus;
}

/** Percent-encodes as "Status-Message" of gRPC over HTTP/2 asks: all bytes but printable ASCII without `%`. */
function encodeGrpcMessage(message: string): string {
  let encoded = '';
  for (const byte of Buffer.from(message).subarray(0, MAX_MESSAGE_BYTES)) {
    const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    encoded += plain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}
