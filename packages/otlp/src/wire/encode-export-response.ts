import { ProtobufWriter } from './protobuf-writer.ts';

const REJECTED_FIELD = {
  traces: 'rejectedSpans',
  metrics: 'rejectedDataPoints',
  logs: 'rejectedLogRecords',
} as const;

/**
 * Encodes `Export…ServiceResponse`. `partial` null: everything was accepted, `partial_success` is not set, as OTLP demands.
 * Otherwise the number of rejected rows and why; 0 with a reason is a warning.
 */
export function encodeExportResponse(
  signal: 'traces' | 'metrics' | 'logs',
  partial: { readonly rejected: number; readonly reason: string } | null,
  encoding: 'protobuf' | 'json',
): Uint8Array<ArrayBuffer> {
  if (encoding === 'json') {
    return jsonBytes(
      partial === null
        ? {}
        : {
            partialSuccess: {
              // int64 is a string in the JSON mapping of protobuf.
              ...(partial.rejected > 0 && { [REJECTED_FIELD[signal]]: String(partial.rejected) }),
              ...(partial.reason !== '' && { errorMessage: partial.reason }),
            },
          },
    );
  }
  const response = new ProtobufWriter();
  if (partial !== null) {
    response.message(1, new ProtobufWriter().number(1, partial.rejected).text(2, partial.reason).finish());
  }
  return response.finish();
}

export function jsonBytes(value: unknown): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new TextEncoder().encode(JSON.stringify(value)));
}
