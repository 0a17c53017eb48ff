import { decodeTraces, encodeTraces } from '@signalbox/otlp';
import type { OtlpResourceSpans } from './get-otlp-traces.ts';

/** Spans whose text is held at once. */
const maxSpansAtOnce = 2_000;

/**
 * Traces in protobuf: field 1 of the message is a list of ResourceSpans, as in OTLP's `TracesData` and Tempo's `Trace`.
 * Parts of such a list, one after the other, are the whole list.
 */
export function encodeOtlpTraces(traces: readonly OtlpResourceSpans[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const { scopeSpans, ...resource } of traces) {
    for (const { scope, spans } of scopeSpans) {
      for (let at = 0; at < spans.length; at += maxSpansAtOnce) {
        const some = { ...resource, scopeSpans: [{ scope, spans: spans.slice(at, at + maxSpansAtOnce) }] };
        const { batch } = decodeTraces(Buffer.from(JSON.stringify({ resourceSpans: [some] })), 'json');
        parts.push(encodeTraces(batch));
      }
    }
  }
  return Buffer.concat(parts);
}
