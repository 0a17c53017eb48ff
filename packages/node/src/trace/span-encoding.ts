import type { Attributes } from '@opentelemetry/api';
import type { RecordingSpan } from './span.ts';

export interface SpanScope {
  readonly name: string;
  readonly version: string;
  readonly schemaUrl: string;
}

/** Spans (or log records) of one scope, encoded, with what separates them. */
export interface ScopeBytes<Scope = SpanScope> {
  readonly scope: Scope;
  readonly bytes: Uint8Array;
}

/**
 * One wire format of ExportTraceServiceRequest, in two steps: each span is encoded at its end, when what it consists of is
 * in the processor's cache, and only bytes wait; a request is put together from them by copying.
 */
export interface SpanEncoding {
  /** Valid until the next call. */
  encode(span: RecordingSpan): Uint8Array;
  /** What stands between two spans of a scope. */
  readonly separator: Uint8Array;
  request(resource: Attributes, scopes: readonly ScopeBytes[]): readonly Uint8Array[];
}

/** https://github.com/open-telemetry/opentelemetry-proto, SpanFlags: bit 8 says that bit 9 (the parent is remote) is known. */
export function spanFlags(traceFlags: number, parentIsRemote: boolean): number {
  return (traceFlags & 0xff) | 0x100 | (parentIsRemote ? 0x200 : 0);
}
