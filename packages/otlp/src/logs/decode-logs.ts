import { LogBatch } from '@signalbox/records';
import { DEFAULT_DECODE_LIMITS, type DecodeOptions } from '../wire/decode-limits.ts';
import { type Rejected, Rejections } from '../wire/rejections.ts';
import { JsonLogs } from './json-logs.ts';
import { ProtobufLogs } from './protobuf-logs.ts';

/**
 * Decodes an `Export…ServiceRequest` of log records into columns over `bytes`, which the batch takes over: JSON is unescaped
 * in place, so the bytes are used up even after an error. Throws OtlpDecodeError when they are malformed.
 * No well-formed log record is rejected.
 */
export function decodeLogs(
  bytes: Uint8Array,
  encoding: 'protobuf' | 'json',
  { limits = DEFAULT_DECODE_LIMITS, into }: DecodeOptions<LogBatch> = {},
): { batch: LogBatch; rejected: Rejected | null } {
  into?.reuse(bytes);
  const batch = into ?? new LogBatch(bytes);
  const rejections = new Rejections();
  const request = encoding === 'json' ? new JsonLogs(batch, limits) : new ProtobufLogs(batch, limits);
  request.read();
  return { batch, rejected: rejections.result() };
}
