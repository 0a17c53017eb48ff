import { jsonBytes } from './encode-export-response.ts';
import { ProtobufWriter } from './protobuf-writer.ts';

const RETRY_INFO_URL = 'type.googleapis.com/google.rpc.RetryInfo';

/**
 * Encodes `google.rpc.Status`: the body of an OTLP/HTTP refusal and gRPC's `grpc-status-details-bin`.
 * With `retryAfterMs` (milliseconds, 0 or more) it carries a `google.rpc.RetryInfo`, OTLP's word for "try again then".
 */
export function encodeStatus(
  code: number,
  message: string,
  encoding: 'protobuf' | 'json',
  retryAfterMs?: number,
): Uint8Array<ArrayBuffer> {
  const delayMs = retryAfterMs === undefined ? undefined : Math.max(0, Math.ceil(retryAfterMs));
  if (encoding === 'json') {
    const details = delayMs === undefined ? [] : [{ '@type': RETRY_INFO_URL, retryDelay: `${delayMs / 1000}s` }];
    return jsonBytes({ code, message, ...(details.length > 0 && { details }) });
  }
  const status = new ProtobufWriter().number(1, code).text(2, message);
  if (delayMs !== undefined) {
    const duration = new ProtobufWriter()
      .number(1, Math.floor(delayMs / 1000))
      .number(2, (delayMs % 1000) * 1_000_000)
      .finish();
    const retryInfo = new ProtobufWriter().message(1, duration).finish();
    status.message(3, new ProtobufWriter().text(1, RETRY_INFO_URL).message(2, retryInfo).finish());
  }
  return status.finish();
}
