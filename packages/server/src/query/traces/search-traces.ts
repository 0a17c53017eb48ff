import type { TraceSearchResponse, TraceSummary } from '@signalbox/api-contract';
import { prepareFilters } from '../filter/prepare-filters.ts';
import { type QueryContext, select } from '../query-context.ts';
import { shownService } from '../service-name.ts';
import { statusCodeName } from '../span-codes.ts';
import { SqlParameters, type Statement } from '../sql-parameters.ts';
import { isInTime } from '../time-condition.ts';
import { partitionNanos } from '../time-range.ts';
import { type FoundTrace, type FoundTraces, findNewestTraces } from './find-newest-traces.ts';
import { INDEX_FIRST } from './get-otlp-traces.ts';
import { maxCounted, planTraceSearch } from './plan-trace-search.ts';
import { isRoot, spanCondition, type TraceSearchRequest } from './trace-search-request.ts';

/**
 * The newest traces with a span that matches. One statement finds the traces, another reads the spans of just these.
 *
 * Spans of a trace that lie more than 6 hours before or after the found ones are not in its summary; they are in the
 * trace itself. Counting stops at `maxCounted` traces or, when many match, at `maxCountedSpans` spans: `totalIsLowerBound`.
 */
export async function searchTraces(context: QueryContext, asked: TraceSearchRequest): Promise<TraceSearchResponse> {
  const request = { ...asked, filters: await prepareFilters(context, asked.filters, 'spans', asked.range) };
  const { found, total, totalIsLowerBound } =
    (await findNewestTraces(context, request)) ?? (await findTraces(context, request));
  if (found.length === 0) return { traces: [], total: 0, totalIsLowerBound: false };
  const traces = await readTraceSummaries(context, found, (parameters) => spanCondition(request, parameters));
  return { traces, total, totalIsLowerBound };
}

/**
 * Summaries of traces that were found, newest first, in their order. `matches` says which of their spans are those that were
 * looked for. A trace that retention dropped in the meantime is left out.
 */
export async function readTraceSummaries(
  context: QueryContext,
  found: readonly FoundTrace[],
  matches: (parameters: SqlParameters) => string,
): Promise<TraceSummary[]> {
  if (found.length === 0) return [];
  const rows = await select<SummaryCells>(context, planTraceSummaries(found, matches));
  const summaries = new Map(rows.map((cells) => [cells[0], toSummary(cells)]));
  return found.flatMap(([traceId]) => summaries.get(traceId) ?? []);
}

async function findTraces(context: QueryContext, request: TraceSearchRequest): Promise<FoundTraces> {
  const found = await select<FoundTrace>(context, planTraceSearch(request));
  const total = Number(found[0]?.[2] ?? 0);
  return { found, total, totalIsLowerBound: total >= maxCounted };
}

type SummaryCells = [
  id: string,
  start: string,
  duration: string,
  spans: string,
  errors: string,
  roots: string,
  root: [service: string, name: string],
  first: [service: string, name: string],
  services: Record<string, string>,
  matched: string,
  match: [spanId: string, name: string, service: string, duration: string, status: number],
];

export function planTraceSummaries(
  found: readonly FoundTrace[],
  matches: (parameters: SqlParameters) => string,
): Statement {
  const parameters = new SqlParameters();
  // Newest first.
  const earliest = BigInt(found.at(-1)?.[1] ?? 0) - partitionNanos;
  const latest = BigInt(found[0]?.[1] ?? 0) + partitionNanos;
  const ids = parameters.strings(found.map(([id]) => id));
  return parameters.statement(
    `SELECT
  lower(hex(trace_id)) AS id,
  toUnixTimestamp64Nano(min(time)) AS start,
  max(toUnixTimestamp64Nano(time) + duration) - start AS whole_duration,
  count() AS spans,
  countIf(status_code = 2) AS errors,
  countIf(root) AS roots,
  argMinIf((shown, name), (time, span_id), root) AS root_span,
  argMin((shown, name), (time, span_id)) AS first_span,
  sumMap(map(shown, toUInt64(1))) AS services,
  countIf(matches) AS matched,
  argMinIf((lower(hex(span_id)), name, shown, duration, status_code), (time, span_id), matches) AS match
FROM (
  SELECT trace_id, span_id, time, duration, name, status_code, toString(${shownService()}) AS shown,
    ${isRoot} AS root,
    (${matches(parameters)}) AS matches
  FROM spans
  WHERE trace_id IN (SELECT toFixedString(unhex(arrayJoin(${ids})), 16))
    AND ${isInTime({ from: earliest < 0n ? 0n : earliest, to: latest + 1n }, parameters)}
  LIMIT 1 BY trace_id, span_id
)
GROUP BY trace_id
SETTINGS ${INDEX_FIRST}`,
  );
}

function toSummary(cells: SummaryCells): TraceSummary {
  const [traceId, start, duration, spans, errors, roots, root, first, services, matched, match] = cells;
  const [rootService, rootName] = roots === '0' ? first : root;
  const [spanId, name, service, matchDuration, status] = match;
  return {
    traceId,
    rootService,
    rootName,
    rootMissing: roots === '0',
    startTimeUnixNano: start,
    durationNano: Number(duration),
    spanCount: Number(spans),
    errorCount: Number(errors),
    services: Object.entries(services)
      .map(([serviceName, count]) => ({ name: serviceName, spanCount: Number(count) }))
      .sort((a, b) => b.spanCount - a.spanCount || (a.name < b.name ? -1 : 1)),
    matchedSpans: Number(matched),
    matched: { spanId, name, service, durationNano: Number(matchDuration), status: statusCodeName(status) },
  };
}
