import type { KeyValue } from '@signalbox/api-contract';
import type { FoundTrace, TraceqlResult } from '../../query/traceql/search-traceql.ts';
import type { ShownField } from '../../query/traceql/shown-fields.ts';
import { shortTraceId } from '../../query/traceql/span-fields.ts';
import type { Spanset } from '../../query/traceql/spanset.ts';
import type { TraceSpan } from '../../query/traceql/trace-span.ts';
import { anyValueOf } from './static-any-value.ts';

/** `SearchResponse` of tempo.proto as JSON: 64-bit numbers as text. */
export interface SearchResponse {
  readonly traces: readonly TraceSearchMetadata[];
  readonly metrics: SearchMetrics;
}

export interface SearchMetrics {
  readonly inspectedTraces: number;
  readonly inspectedBytes: string;
  readonly completedJobs: number;
  readonly totalJobs: number;
  readonly inspectedSpans: string;
}

export interface TraceSearchMetadata {
  /** Without leading zeros. */
  readonly traceID: string;
  readonly rootServiceName: string;
  readonly rootTraceName: string;
  readonly startTimeUnixNano: string;
  readonly durationMs: number;
  /** The first of `spanSets`, for older clients. */
  readonly spanSet: SearchSpanSet;
  readonly spanSets: readonly SearchSpanSet[];
  readonly serviceStats: Readonly<Record<string, { readonly spanCount: number; readonly errorCount?: number }>>;
}

export interface SearchSpanSet {
  readonly spans: readonly SearchSpan[];
  readonly matched: number;
  readonly attributes?: readonly KeyValue[];
}

export interface SearchSpan {
  readonly spanID: string;
  /** Only where the query asks for it. */
  readonly name?: string;
  readonly startTimeUnixNano: string;
  readonly durationNanos: string;
  readonly attributes?: readonly KeyValue[];
}

const rootNotReceived = '<root span not yet received>';

/** Fields that have places of their own. */
const elsewhere: ReadonlySet<string> = new Set([
  'name',
  'duration',
  'traceDuration',
  'rootName',
  'rootServiceName',
  'trace:id',
  'span:id',
]);

/** @param spansPerSpanset 0: all */
export function searchResponse(result: TraceqlResult, spansPerSpanset: number): SearchResponse {
  return {
    traces: result.traces.map((trace) => traceMetadata(trace, result.fields, spansPerSpanset)),
    metrics: {
      inspectedTraces: result.inspectedTraces,
      inspectedBytes: '0',
      completedJobs: 1,
      totalJobs: 1,
      inspectedSpans: String(result.inspectedSpans),
    },
  };
}

function traceMetadata(
  { summary, spansets }: FoundTrace,
  fields: readonly ShownField[],
  spansPerSpanset: number,
): TraceSearchMetadata {
  const spanSets = spansets.map((spanset) => searchSpanSet(spanset, fields, spansPerSpanset));
  return {
    traceID: shortTraceId(summary.traceId),
    rootServiceName: summary.root?.service ?? rootNotReceived,
    rootTraceName: summary.root?.name ?? rootNotReceived,
    startTimeUnixNano: String(summary.start),
    durationMs: Number((summary.end - summary.start) / 1_000_000n),
    spanSet: spanSets[0] ?? { spans: [], matched: 0 },
    spanSets,
    serviceStats: Object.fromEntries(
      summary.services.map(({ service, spanCount, errorCount }) => [
        service,
        errorCount === 0 ? { spanCount } : { spanCount, errorCount },
      ]),
    ),
  };
}

function searchSpanSet(
  { spans, attributes }: Spanset,
  fields: readonly ShownField[],
  spansPerSpanset: number,
): SearchSpanSet {
  const shown = spansPerSpanset === 0 ? spans : spans.slice(0, spansPerSpanset);
  const keyValues = attributes.map(([key, value]) => ({ key, value: anyValueOf(value) }));
  return {
    spans: shown.map((span) => searchSpan(span, fields)),
    matched: spans.length,
    ...(keyValues.length === 0 ? {} : { attributes: keyValues }),
  };
}

function searchSpan(span: TraceSpan, fields: readonly ShownField[]): SearchSpan {
  const attributes = new Map<string, KeyValue>();
  let name: string | undefined;
  for (const { key, field, read } of fields) {
    const value = read(span);
    if (field.kind === 'intrinsic' && elsewhere.has(field.name)) {
      if (field.name === 'name') name = String(value.value);
    } else if (value.type !== 'nil' && !attributes.has(key)) attributes.set(key, { key, value: anyValueOf(value) });
  }
  return {
    spanID: span.id,
    ...(name === undefined || name === '' ? {} : { name }),
    startTimeUnixNano: String(span.start),
    durationNanos: String(span.duration),
    ...(attributes.size === 0 ? {} : { attributes: [...attributes.values()] }),
  };
}
