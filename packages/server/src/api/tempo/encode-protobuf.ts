import type { TagValue } from '../../query/traceql/tags/list-tag-values.ts';
import { keyValueField } from '../otlp-value-fields.ts';
import { bytesField, messageField, type Part, varintField } from '../protobuf-fields.ts';
import type { SearchMetrics, SearchResponse, SearchSpanSet, TraceSearchMetadata } from './search-response.ts';

/** `TraceByIDResponse` of tempo.proto. @param trace an encoded `Trace` */
export function encodeTraceByIdResponse(trace: Uint8Array): Uint8Array {
  return Buffer.concat([messageField(1, trace), messageField(2)]);
}

/** `SearchResponse` of tempo.proto. */
export function encodeSearchResponse({ traces, metrics }: SearchResponse): Uint8Array {
  return Buffer.concat([...traces.map((trace) => messageField(1, ...traceFields(trace))), searchMetrics(2, metrics)]);
}

export function searchMetrics(field: number, metrics: SearchMetrics): Part {
  return messageField(
    field,
    varintField(1, metrics.inspectedTraces),
    varintField(4, metrics.completedJobs),
    varintField(5, metrics.totalJobs),
    varintField(7, BigInt(metrics.inspectedSpans)),
  );
}

function traceFields(trace: TraceSearchMetadata): Part[] {
  return [
    bytesField(1, trace.traceID),
    bytesField(2, trace.rootServiceName),
    bytesField(3, trace.rootTraceName),
    varintField(4, BigInt(trace.startTimeUnixNano)),
    varintField(5, trace.durationMs),
    spanSet(6, trace.spanSet),
    ...trace.spanSets.map((each) => spanSet(7, each)),
    ...Object.entries(trace.serviceStats).map(([service, { spanCount, errorCount = 0 }]) =>
      messageField(8, bytesField(1, service), messageField(2, varintField(1, spanCount), varintField(2, errorCount))),
    ),
  ];
}

function spanSet(field: number, { spans, matched, attributes = [] }: SearchSpanSet): Part {
  return messageField(
    field,
    ...spans.map((span) =>
      messageField(
        1,
        bytesField(1, span.spanID),
        bytesField(2, span.name ?? ''),
        varintField(3, BigInt(span.startTimeUnixNano)),
        varintField(4, BigInt(span.durationNanos)),
        ...(span.attributes ?? []).map((attribute) => keyValueField(5, attribute)),
      ),
    ),
    varintField(2, matched),
    ...attributes.map((attribute) => keyValueField(3, attribute)),
  );
}

/** `SearchTagsV2Response` of tempo.proto. */
export function encodeTags(scopes: readonly { readonly name: string; readonly tags: readonly string[] }[]): Uint8Array {
  return Buffer.concat(
    scopes.map(({ name, tags }) => messageField(1, bytesField(1, name), ...tags.map((tag) => bytesField(2, tag)))),
  );
}

/** `SearchTagValuesV2Response` of tempo.proto. */
export function encodeTagValues(values: readonly TagValue[]): Uint8Array {
  return Buffer.concat(values.map(({ type, value }) => messageField(1, bytesField(1, type), bytesField(2, value))));
}
