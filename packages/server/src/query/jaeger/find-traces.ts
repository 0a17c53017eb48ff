import { parseTraceql } from '@signalbox/query-language';
import { type QueryContext, select } from '../query-context.ts';
import { SqlParameters } from '../sql-parameters.ts';
import { partitionNanos, type TimeRange } from '../time-range.ts';
import { isOfTraces } from '../traceql/read-traces.ts';
import { searchTraceql } from '../traceql/search-traceql.ts';
import type { TraceSummary } from '../traceql/trace-span.ts';
import { getOtlpTraces, type OtlpResourceSpans } from '../traces/get-otlp-traces.ts';
import { isRoot } from '../traces/trace-search-request.ts';

/** A search as Jaeger has it: what must hold on one and the same span. */
export interface JaegerSearch {
  readonly service: string | undefined;
  readonly operation: string | undefined;
  /** Attributes of the span, its resource, its events or links, as text, by their keys. */
  readonly tags: ReadonlyMap<string, string>;
  /** Of the spans' starts. */
  readonly range: TimeRange;
  /** Nanoseconds, inclusive. */
  readonly minDuration: bigint | undefined;
  readonly maxDuration: bigint | undefined;
  readonly limit: number;
}

export interface JaegerTrace {
  readonly traceId: string;
  readonly resourceSpans: readonly OtlpResourceSpans[];
}

export interface JaegerSummary extends TraceSummary {
  /** Spans whose parent is not among the trace's spans. */
  readonly orphanCount: number;
}

/** What is known of the newest traces that match. */
export async function findSummaries(context: QueryContext, search: JaegerSearch): Promise<JaegerSummary[]> {
  const summaries = await findMatching(context, search);
  const orphans = await countOrphans(context, summaries);
  return summaries.map((summary) => ({ ...summary, orphanCount: orphans.get(summary.traceId) ?? 0 }));
}

async function findMatching(context: QueryContext, search: JaegerSearch): Promise<readonly TraceSummary[]> {
  const { expr } = parseTraceql(traceqlOf(search));
  if (expr.kind !== 'pipeline') throw new Error('This is a filter of spans');
  const { range, limit } = search;
  const { traces } = await searchTraceql(context, { pipeline: expr, range, limit, isBySpanStart: true });
  return traces.map(({ summary }) => summary);
}

/** The newest traces that match, whole. */
export async function findTraces(context: QueryContext, search: JaegerSearch): Promise<JaegerTrace[]> {
  const summaries = await findMatching(context, search);
  if (summaries.length === 0) return [];
  const range = rangeAround(summaries);
  const traces = await getOtlpTraces(
    context,
    summaries.map(({ traceId }) => traceId),
    range,
  );
  return summaries.flatMap(({ traceId }) => {
    const resourceSpans = traces.get(traceId);
    return resourceSpans === undefined ? [] : [{ traceId, resourceSpans }];
  });
}

/** Of their spans' starts. */
function rangeAround(summaries: readonly TraceSummary[]): TimeRange {
  const starts = summaries.map(({ start }) => start).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const earliest = (starts[0] ?? 0n) - partitionNanos;
  return { from: earliest < 0n ? 0n : earliest, to: (starts.at(-1) ?? 0n) + partitionNanos };
}

/** Of traces that have orphans, how many. */
async function countOrphans(
  context: QueryContext,
  summaries: readonly TraceSummary[],
): Promise<ReadonlyMap<string, number>> {
  if (summaries.length === 0) return new Map();
  const parameters = new SqlParameters();
  const ids = summaries.map(({ traceId }) => traceId);
  const isOfThem = isOfTraces(ids, rangeAround(summaries), parameters);
  const statement = parameters.statement(
    `SELECT lower(hex(trace_id)), uniqExact(span_id)
FROM spans
WHERE ${isOfThem} AND NOT ${isRoot}
  AND (trace_id, parent_span_id) NOT IN (SELECT trace_id, span_id FROM spans WHERE ${isOfThem})
GROUP BY trace_id`,
  );
  const rows = await select<[string, string]>(context, statement);
  return new Map(rows.map(([traceId, orphans]) => [traceId, Number(orphans)]));
}

/** The search as TraceQL. */
export function traceqlOf({ service, operation, tags, minDuration, maxDuration }: JaegerSearch): string {
  const conditions: string[] = [];
  if (service !== undefined) conditions.push(`resource.service.name = ${quoted(service)}`);
  if (operation !== undefined) conditions.push(`name = ${quoted(operation)}`);
  if (minDuration !== undefined) conditions.push(`duration >= ${minDuration}ns`);
  if (maxDuration !== undefined) conditions.push(`duration <= ${maxDuration}ns`);
  for (const [key, value] of tags) conditions.push(tagCondition(key, value));
  return `{ ${conditions.join(' && ')} }`;
}

const SCOPES = ['span', 'resource', 'event', 'link'];
const KINDS: ReadonlySet<string> = new Set(['client', 'server', 'producer', 'consumer', 'internal']);

/** Some tags stand for what OTLP has fields for. */
function tagCondition(key: string, value: string): string {
  if (key === 'error' && value === 'true') return '(status = error || span.error = true || span.error = "true")';
  if (key === 'span.kind' && KINDS.has(value)) return `kind = ${value}`;
  if (key === 'otel.status_code' && /^(?:OK|ERROR)$/.test(value)) return `status = ${value.toLowerCase()}`;
  if (key === 'otel.scope.name' || key === 'otel.library.name') return `instrumentation:name = ${quoted(value)}`;
  if (key === 'otel.scope.version' || key === 'otel.library.version')
    return `instrumentation:version = ${quoted(value)}`;
  const name = `"${key.replace(/[\\"]/g, '\\$&')}"`;
  const values = [quoted(value)];
  if (value === 'true' || value === 'false' || isNumber(value)) values.push(value);
  const conditions = SCOPES.map((scope) => `(${values.map((each) => `${scope}.${name} = ${each}`).join(' || ')})`);
  return `(${conditions.join(' || ')})`;
}

function isNumber(value: string): boolean {
  return /^-?\d{1,18}(?:\.\d{1,18})?$/.test(value);
}

/** As TraceQL's strings are written, whose escapes are Go's. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
