import { spanKindName, statusCodeName } from '../../query/span-codes.ts';
import type { OtlpResourceSpans, OtlpSpan } from '../../query/traces/get-otlp-traces.ts';

/** As Tempo shows OTLP in JSON: ids in base64, enumerations by their names, defaults left out. */
export function encodeTraceJson(trace: readonly OtlpResourceSpans[]): unknown[] {
  return trace.map(({ resource, schemaUrl, scopeSpans }) => ({
    resource: withoutDefaults(resource),
    scopeSpans: scopeSpans.map(({ scope, spans }) => ({ scope: withoutDefaults(scope), spans: spans.map(encodeSpan) })),
    ...(schemaUrl === '' ? {} : { schemaUrl }),
  }));
}

function encodeSpan(span: OtlpSpan): unknown {
  const { code, message } = span.status;
  return withoutDefaults({
    ...span,
    traceId: base64(span.traceId),
    spanId: base64(span.spanId),
    parentSpanId: base64(span.parentSpanId),
    kind: `SPAN_KIND_${spanKindName(span.kind)}`,
    events: span.events.map(withoutDefaults),
    links: span.links.map((link) =>
      withoutDefaults({ ...link, traceId: base64(link.traceId), spanId: base64(link.spanId) }),
    ),
    status:
      code === 0 && message === '' ? {} : withoutDefaults({ code: `STATUS_CODE_${statusCodeName(code)}`, message }),
  });
}

function base64(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64');
}

function withoutDefaults(message: object): object {
  return Object.fromEntries(
    Object.entries(message).filter(
      ([, value]) => value !== '' && value !== 0 && !(Array.isArray(value) && value.length === 0),
    ),
  );
}
