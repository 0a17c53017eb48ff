import { decodeLogs, decodeMetrics, decodeTraces, encodeLogs, encodeMetrics, encodeTraces } from '../index.ts';
import type { Signal } from './decode-any.ts';

/** Decodes a copy of a request in protobuf, and encodes its records again. */
export function reencode(signal: Signal, request: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = Uint8Array.from(request);
  switch (signal) {
    case 'traces':
      return encodeTraces(decodeTraces(copy, 'protobuf').batch);
    case 'logs':
      return encodeLogs(decodeLogs(copy, 'protobuf').batch);
    case 'metrics':
      return encodeMetrics(decodeMetrics(copy, 'protobuf').batch);
  }
}
