import type { KeyValue, Span, SpanEvent, SpanLink, TraceResponse } from '@signalbox/api-contract';
import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import { attributeColumns } from '../../store/clickhouse/attributes.ts';
import { parseKeyValues, toKeyValues } from '../key-values.ts';
import { type QueryContext, select } from '../query-context.ts';
import { resourceAttributes } from '../resource-attributes.ts';
import { shownService } from '../service-name.ts';
import { spanKindName, statusCodeName } from '../span-codes.ts';
import { SqlParameters, type Statement } from '../sql-parameters.ts';
import { FEW_GRANULES } from './get-otlp-traces.ts';

/** Most spans of one answer: the earliest. */
export const maxTraceSpans = 20_000;

/**
 * All spans of a trace, wherever in time. `not_found` when there is none.
 * @param traceId 32 hex digits.
 */
export async function getTrace(context: QueryContext, traceId: string): Promise<TraceResponse> {
  const rows = await select<SpanCells>(context, planTrace(traceId));
  if (rows.length === 0) {
    throw new SignalboxError('not_found', 'There is no such trace', {
      hint: 'It may not have arrived yet, or be older than the retention.',
    });
  }
  const [logs] = await select<[string]>(context, planTraceLogCount(traceId));
  const given = rows.slice(0, maxTraceSpans);
  const resources = new Positions<string>();
  const scopes = new Positions<string>();
  const spans = given.map((cells) =>
    toSpan(traceId.toLowerCase(), cells, resources.of(cells[16]), scopes.of(JSON.stringify([cells[14], cells[15]]))),
  );
  const attributes = await resourceAttributes(context, resources.values);
  const start = BigInt(spans[0]?.startTimeUnixNano ?? 0);
  const end = spans.reduce((latest, span) => {
    const time = BigInt(span.endTimeUnixNano);
    return time > latest ? time : latest;
  }, start);
  return {
    traceId: traceId.toLowerCase(),
    startTimeUnixNano: String(start),
    durationNano: Number(end - start),
    spans,
    resources: resources.values.map((id) => ({ attributes: attributes.get(id) ?? [] })),
    scopes: scopes.values.map((text) => {
      const [name, version] = JSON.parse(text) as [string, string];
      return { name, version };
    }),
    logCount: Number(logs?.[0] ?? 0),
    truncated: rows.length > maxTraceSpans,
  };
}

/** Numbers values in the order of their first use. */
class Positions<Value> {
  readonly values: Value[] = [];
  readonly #positions = new Map<Value, number>();

  of(value: Value): number {
    let position = this.#positions.get(value);
    if (position === undefined) {
      position = this.values.push(value) - 1;
      this.#positions.set(value, position);
    }
    return position;
  }
}

type SpanCells = [
  spanId: string,
  parentSpanId: string,
  traceState: string,
  name: string,
  kind: number,
  service: string,
  start: string,
  end: string,
  duration: string,
  statusCode: number,
  statusMessage: string,
  droppedAttributes: number,
  droppedEvents: number,
  droppedLinks: number,
  scopeName: string,
  scopeVersion: string,
  resourceId: string,
  events: [times: string[], names: string[], attributes: string[], dropped: number[]],
  links: [traceIds: string[], spanIds: string[], traceStates: string[], attributes: string[]],
  ...attributes: unknown[],
];

export function planTrace(traceId: string): Statement {
  const parameters = new SqlParameters();
  return parameters.statement(
    `SELECT
  lower(hex(span_id)), if(parent_span_id = toFixedString('', 8), '', lower(hex(parent_span_id))), trace_state, name, kind, ${shownService()},
  toUnixTimestamp64Nano(time), toUnixTimestamp64Nano(time) + toInt64(duration), duration, status_code, status_message,
  dropped_attributes, dropped_events, dropped_links, scope_name, scope_version, resource_id,
  (arrayMap(x -> toUnixTimestamp64Nano(x), event_time), event_name, event_attributes, event_dropped),
  (arrayMap(x -> lower(hex(x)), link_trace_id), arrayMap(x -> lower(hex(x)), link_span_id), link_trace_state, link_attributes),
  ${attributeColumns('attributes').join(', ')}
FROM spans
WHERE trace_id = ${parameters.fixedBytes(traceId, 16)}
ORDER BY time, span_id
LIMIT 1 BY span_id
LIMIT ${maxTraceSpans + 1}
SETTINGS ${FEW_GRANULES}`,
  );
}

export function planTraceLogCount(traceId: string): Statement {
  const parameters = new SqlParameters();
  return parameters.statement(`SELECT count() FROM logs WHERE trace_id = ${parameters.fixedBytes(traceId, 16)}`);
}

function toSpan(traceId: string, cells: SpanCells, resource: number, scope: number): Span {
  const [spanId, parentSpanId, traceState, name, kind, service, start, end, duration, statusCode, statusMessage] =
    cells;
  const [, , , , , , , , , , , droppedAttributesCount, droppedEventsCount, droppedLinksCount] = cells;
  const [, , , , , , , , , , , , , , , , , events, links, ...attributes] = cells;
  return {
    traceId,
    spanId,
    parentSpanId,
    traceState,
    name,
    kind: spanKindName(kind),
    service,
    startTimeUnixNano: start,
    endTimeUnixNano: end,
    durationNano: Number(duration),
    status: { code: statusCodeName(statusCode), message: statusMessage },
    attributes: toKeyValues(attributes),
    events: toEvents(events),
    links: toLinks(links),
    droppedAttributesCount,
    droppedEventsCount,
    droppedLinksCount,
    resource,
    scope,
  };
}

function toEvents([times, names, attributes, dropped]: SpanCells[17]): SpanEvent[] {
  return times.map((time, index) => ({
    timeUnixNano: time,
    name: names[index] ?? '',
    attributes: listAt(attributes, index),
    droppedAttributesCount: dropped[index] ?? 0,
  }));
}

function toLinks([traceIds, spanIds, traceStates, attributes]: SpanCells[18]): SpanLink[] {
  return traceIds.map((traceId, index) => ({
    traceId,
    spanId: spanIds[index] ?? '',
    traceState: traceStates[index] ?? '',
    attributes: listAt(attributes, index),
  }));
}

function listAt(attributes: readonly string[], index: number): KeyValue[] {
  return parseKeyValues(attributes[index] ?? '');
}
