import type { SpanKind, StatusCode } from '@signalbox/api-contract';

/** Names of OTLP's numbers (trace.proto, `Span.SpanKind` and `Status.StatusCode`), by number. */
export const spanKinds: readonly SpanKind[] = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'];
export const statusCodes: readonly StatusCode[] = ['UNSET', 'OK', 'ERROR'];

export function spanKindName(number: number): SpanKind {
  return spanKinds[number] ?? 'UNSPECIFIED';
}

export function statusCodeName(number: number): StatusCode {
  return statusCodes[number] ?? 'UNSET';
}
