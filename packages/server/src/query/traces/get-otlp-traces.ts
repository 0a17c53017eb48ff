import type { KeyValue } from '@signalbox/api-contract';
import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import { attributeColumns } from '../../store/clickhouse/attributes.ts';
import { keyValuesOf, parseKeyValues, toKeyValues } from '../key-values.ts';
import { type QueryContext, select } from '../query-context.ts';
import { readResources, type StoredResource } from '../read-resources.ts';
import { SqlParameters, type Statement } from '../sql-parameters.ts';
import { isInTime } from '../time-condition.ts';
import { nanosPerSecond, partitionNanos, type TimeRange } from '../time-range.ts';
import { isRoot } from './trace-search-request.ts';

/** A span as OTLP/JSON has it (trace.proto): ids in hex, times as text, enumerations as numbers. */
export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** '' for a root. */
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly flags: number;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly KeyValue[];
  readonly droppedAttributesCount: number;
  readonly events: readonly {
    readonly timeUnixNano: string;
    readonly name: string;
    readonly attributes: readonly KeyValue[];
    readonly droppedAttributesCount: number;
  }[];
  readonly droppedEventsCount: number;
  readonly links: readonly {
    readonly traceId: string;
    readonly spanId: string;
    readonly traceState: string;
    readonly flags: number;
    readonly attributes: readonly KeyValue[];
    readonly droppedAttributesCount: number;
  }[];
  readonly droppedLinksCount: number;
  readonly status: { readonly code: number; readonly message: string };
}

export interface OtlpScopeSpans {
  readonly scope: { readonly name: string; readonly version: string; readonly attributes: readonly KeyValue[] };
  readonly spans: readonly OtlpSpan[];
}

export interface OtlpResourceSpans {
  readonly resource: { readonly attributes: readonly KeyValue[]; readonly droppedAttributesCount: number };
  readonly schemaUrl: string;
  readonly scopeSpans: readonly OtlpScopeSpans[];
}

/** Most spans of one answer. */
const maxSpans = 500_000;

/**
 * Whole traces as OTLP has them, spans by their start; a trace that is not there is missing. `too_large` beyond 500,000 spans.
 * @param traceIds 32 hex digits each
 * @param range of the spans' starts; undefined: wherever in time
 */
export async function getOtlpTraces(
  context: QueryContext,
  traceIds: readonly string[],
  range?: TimeRange,
): Promise<ReadonlyMap<string, readonly OtlpResourceSpans[]>> {
  if (traceIds.length === 0) return new Map();
  const rows = await select<SpanCells>(context, planSpans(traceIds, range), {
    maxResultRows: maxSpans,
    isShort: traceIds.length <= 20,
  });
  const resources = await readResources(
    context,
    rows.map(([, resourceId]) => resourceId),
  );
  const traces = new Map<string, Map<string, Map<string, OtlpSpan[]>>>();
  for (const row of rows) {
    const [traceId, resourceId, ...scope] = row;
    const byResource = entry(traces, traceId, () => new Map<string, Map<string, OtlpSpan[]>>());
    const byScope = entry(byResource, resourceId, () => new Map<string, OtlpSpan[]>());
    entry(byScope, JSON.stringify(scope.slice(0, 3)), () => []).push(toSpan(row));
  }
  return new Map(
    Array.from(traces, ([traceId, byResource]) => [
      traceId,
      Array.from(byResource, ([resourceId, byScope]) => ({
        ...toResource(resources.get(resourceId)),
        scopeSpans: Array.from(byScope, ([scope, spans]) => ({ scope: toScope(scope), spans })),
      })),
    ]),
  );
}

/** The same for one trace; `not_found` when there is none. */
export async function getOtlpTrace(
  context: QueryContext,
  traceId: string,
  range?: TimeRange,
): Promise<readonly OtlpResourceSpans[]> {
  const trace = (await getOtlpTraces(context, [traceId], range)).get(traceId);
  if (trace === undefined) {
    throw new SignalboxError('not_found', 'trace not found', {
      hint: 'It may not have arrived yet, or be older than the retention.',
    });
  }
  return trace;
}

function entry<Key, Value>(map: Map<Key, Value>, key: Key, create: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) {
    value = create();
    map.set(key, value);
  }
  return value;
}

type SpanCells = [
  traceId: string,
  resourceId: string,
  scopeName: string,
  scopeVersion: string,
  scopeAttributes: string,
  spanId: string,
  parentSpanId: string,
  traceState: string,
  flags: number,
  name: string,
  kind: number,
  start: string,
  end: string,
  statusCode: number,
  statusMessage: string,
  dropped: [attributes: number, events: number, links: number],
  events: [times: string[], names: string[], attributes: string[], dropped: number[]],
  links: [
    traceIds: string[],
    spanIds: string[],
    traceStates: string[],
    flags: number[],
    attributes: string[],
    dropped: number[],
  ],
  ...attributes: unknown[],
];

/** Which granules hold spans of traces is found out before they are read, rather than by each thread for itself. */
export const INDEX_FIRST = 'use_skip_indexes_on_data_read = 0';

/** Of one trace so few granules are read that threads would have little to share. */
export const FEW_GRANULES = `max_threads = 1, ${INDEX_FIRST}`;

export function planSpans(traceIds: readonly string[], range: TimeRange | undefined): Statement {
  const parameters = new SqlParameters();
  const isIt =
    traceIds.length === 1
      ? `trace_id = ${parameters.fixedBytes(traceIds[0] as string, 16)}`
      : `trace_id IN (SELECT toFixedString(unhex(arrayJoin(${parameters.strings(traceIds)})), 16))`;
  const inTime = range === undefined ? '' : `\n  AND ${isInTime(range, parameters)}`;
  return parameters.statement(
    `SELECT
  lower(hex(trace_id)), resource_id, scope_name, scope_version, scope_attributes,
  lower(hex(span_id)), if(${isRoot}, '', lower(hex(parent_span_id))), trace_state, flags, name, kind,
  toUnixTimestamp64Nano(time), toUnixTimestamp64Nano(time) + toInt64(duration), status_code, status_message,
  (dropped_attributes, dropped_events, dropped_links),
  (arrayMap(x -> toUnixTimestamp64Nano(x), event_time), event_name, event_attributes, event_dropped),
  (arrayMap(x -> lower(hex(x)), link_trace_id), arrayMap(x -> lower(hex(x)), link_span_id), link_trace_state, link_flags, link_attributes, link_dropped),
  ${attributeColumns('attributes').join(', ')}
FROM spans
WHERE ${isIt}${inTime}
ORDER BY time, span_id
LIMIT 1 BY trace_id, span_id, kind${traceIds.length === 1 ? `\nSETTINGS ${FEW_GRANULES}` : ''}`,
  );
}

function toSpan(row: SpanCells): OtlpSpan {
  const [traceId, , , , , spanId, parentSpanId, traceState, flags, name, kind, start, end, code, message] = row;
  const [, , , , , , , , , , , , , , , dropped, events, links, ...attributes] = row;
  return {
    traceId,
    spanId,
    parentSpanId,
    traceState,
    flags,
    name,
    kind,
    startTimeUnixNano: start,
    endTimeUnixNano: end,
    attributes: toKeyValues(attributes),
    droppedAttributesCount: dropped[0],
    events: events[0].map((time, index) => ({
      timeUnixNano: time,
      name: events[1][index] ?? '',
      attributes: parseKeyValues(events[2][index] ?? ''),
      droppedAttributesCount: events[3][index] ?? 0,
    })),
    droppedEventsCount: dropped[1],
    links: links[0].map((linkedTrace, index) => ({
      traceId: linkedTrace,
      spanId: links[1][index] ?? '',
      traceState: links[2][index] ?? '',
      flags: links[3][index] ?? 0,
      attributes: parseKeyValues(links[4][index] ?? ''),
      droppedAttributesCount: links[5][index] ?? 0,
    })),
    droppedLinksCount: dropped[2],
    status: { code, message },
  };
}

function toScope(text: string): OtlpScopeSpans['scope'] {
  const [name, version, attributes] = JSON.parse(text) as [string, string, string];
  return { name, version, attributes: parseKeyValues(attributes) };
}

/** undefined: of a resource that retention dropped. */
function toResource(resource: StoredResource | undefined): Omit<OtlpResourceSpans, 'scopeSpans'> {
  const { attributes = [], droppedAttributes = 0, schemaUrl = '' } = resource ?? {};
  return { resource: { attributes: keyValuesOf(attributes), droppedAttributesCount: droppedAttributes }, schemaUrl };
}

/** The range that clients give as whole seconds, with a partition around it, as a trace is longer than a span. */
export function widenedRange({ from, to }: TimeRange): TimeRange {
  const earliest = from - partitionNanos;
  return { from: earliest < 0n ? 0n : earliest, to: to + partitionNanos + nanosPerSecond };
}
