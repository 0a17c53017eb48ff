import { decodeTraces, encodeTraces } from '@signalbox/otlp';
import type { OtlpResourceSpans, OtlpScopeSpans, OtlpSpan } from './get-otlp-traces.ts';

/** Spans whose text is held at once. */
const maxSpansAtOnce = 2_000;
/** Bytes of a part with more than one span: clients of gRPC take 4 MiB at once. */
const maxPartBytes = 1 << 20;

/**
 * Traces in protobuf: field 1 of the message is a list of ResourceSpans, as in OTLP's `TracesData` and Tempo's `Trace`.
 * Each part is such a message; all of them, one after the other, are the whole.
 */
export function* encodeOtlpTraces(traces: readonly OtlpResourceSpans[]): Generator<Uint8Array> {
  let small: Uint8Array[] = [];
  let bytes = 0;
  for (const part of encodeScopes(traces)) {
    if (bytes + part.length > maxPartBytes && bytes > 0) {
      yield Buffer.concat(small);
      small = [];
      bytes = 0;
    }
    small.push(part);
    bytes += part.length;
  }
  if (bytes > 0) yield Buffer.concat(small);
}

function* encodeScopes(traces: readonly OtlpResourceSpans[]): Generator<Uint8Array> {
  for (const { scopeSpans, ...resource } of traces) {
    for (const { scope, spans } of scopeSpans) {
      for (let at = 0; at < spans.length; at += maxSpansAtOnce) {
        yield* encodeSpans(resource, scope, spans.slice(at, at + maxSpansAtOnce));
      }
    }
  }
}

/** In halves when they are too much for one part. */
function* encodeSpans(
  resource: Omit<OtlpResourceSpans, 'scopeSpans'>,
  scope: OtlpScopeSpans['scope'],
  spans: readonly OtlpSpan[],
): Generator<Uint8Array> {
  const request = { resourceSpans: [{ ...resource, scopeSpans: [{ scope, spans }] }] };
  const { batch } = decodeTraces(Buffer.from(JSON.stringify(request)), 'json');
  const part = encodeTraces(batch);
  if (part.length <= maxPartBytes || spans.length < 2) {
    yield part;
    return;
  }
  const middle = spans.length >> 1;
  yield* encodeSpans(resource, scope, spans.slice(0, middle));
  yield* encodeSpans(resource, scope, spans.slice(middle));
}
