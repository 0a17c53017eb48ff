import { type Static, toInteger } from '@signalbox/query-language';
import { attributeColumns, readAttributes } from '../../store/clickhouse/attributes.ts';
import { type QueryContext, select } from '../query-context.ts';
import { shownService } from '../service-name.ts';
import { SqlParameters, type Statement } from '../sql-parameters.ts';
import type { TimeRange } from '../time-range.ts';
import { isRoot } from '../traces/trace-search-request.ts';
import type { SpanFields } from './span-fields.ts';
import { staticOfAttribute } from './static-values.ts';
import { TraceSpan, type TraceSummary } from './trace-span.ts';

/** Rows of one statement. */
const maxRows = 1_000_000;

/** A retry repeats a span; Zipkin's client and server share an id. */
const once = 'LIMIT 1 BY trace_id, span_id, kind';

type SummaryCells = [
  traceId: string,
  start: string,
  end: string,
  roots: string,
  root: [service: string, name: string],
  spans: Record<string, string>,
  errors: Record<string, string>,
];

/** What is to be known of whole traces, from their spans in the range. */
export async function readSummaries(
  context: QueryContext,
  traceIds: readonly string[],
  range: TimeRange,
): Promise<TraceSummary[]> {
  const rows = await select<SummaryCells>(context, planSummaries(traceIds, range), maxRows);
  return rows.map(([traceId, start, end, roots, [service, name], spans, errors]) => ({
    traceId,
    start: BigInt(start),
    end: BigInt(end),
    root: roots === '0' ? undefined : { service, name },
    services: Object.entries(spans).map(([of, count]) => ({
      service: of,
      spanCount: Number(count),
      errorCount: Number(errors[of] ?? 0),
    })),
  }));
}

export function planSummaries(traceIds: readonly string[], range: TimeRange): Statement {
  const parameters = new SqlParameters();
  return parameters.statement(
    `SELECT
  lower(hex(trace_id)),
  min(start),
  max(start + toInt64(duration)),
  countIf(is_root),
  argMinIf((shown, name), (start, span_id), is_root),
  sumMap(map(shown, toUInt64(1))),
  sumMap(map(shown, toUInt64(status_code = 2)))
FROM (
  SELECT trace_id, span_id, name, duration, status_code, kind, toUnixTimestamp64Nano(time) AS start, ${isRoot} AS is_root, ${shownService()} AS shown
  FROM spans
  WHERE ${isOfTraces(traceIds, range, parameters)}
  ${once}
)
GROUP BY trace_id`,
  );
}

type SpanCells = [traceId: string, id: string, parentId: string, start: string, duration: string, ...unknown[]];
const headCells = 5;

export interface SpansToRead {
  readonly fields: SpanFields;
  /** The parameters that the fields' columns and the condition were made with. */
  readonly base: SqlParameters;
  /** SQL on rows of `spans`; undefined: all of the traces. */
  readonly condition: string | undefined;
  readonly range: TimeRange;
}

/** Reads spans of traces with what the fields need; earliest first, the same order every time. */
export async function readSpans(
  context: QueryContext,
  summaries: readonly TraceSummary[],
  { fields, base, condition, range }: SpansToRead,
  resources: Map<string, ReadonlyMap<string, Static>>,
): Promise<Map<string, TraceSpan[]>> {
  const ids = summaries.map(({ traceId }) => traceId);
  const parameters = new SqlParameters(base);
  const columns = [...fields.columns, ...(fields.readsResources ? ['resource_id'] : [])];
  const statement = parameters.statement(
    `SELECT lower(hex(trace_id)), lower(hex(span_id)), if(${isRoot}, '', lower(hex(parent_span_id))), toUnixTimestamp64Nano(time), duration${columns.map((column) => `,\n  ${column}`).join('')}
FROM spans
WHERE ${isOfTraces(ids, range, parameters)}${condition === undefined ? '' : `\n  AND ${condition}`}
${once}`,
  );
  const rows = await select<SpanCells>(context, statement, maxRows);
  if (fields.readsResources)
    await readResources(context, new Set(rows.map((cells) => String(cells.at(-1)))), resources);
  const byId = new Map(summaries.map((summary) => [summary.traceId, { summary, spans: [] as TraceSpan[] }]));
  for (const row of rows) {
    const [traceId, id, parentId, start, duration] = row;
    const trace = byId.get(traceId);
    if (trace === undefined) continue;
    const resource = fields.readsResources ? resources.get(String(row.at(-1))) : undefined;
    const head = { id, parentId, start: BigInt(start), duration: toInteger(BigInt(duration)) };
    trace.spans.push(new TraceSpan(trace.summary, head, row.slice(headCells), resource ?? NO_ATTRIBUTES));
  }
  for (const { spans } of byId.values()) spans.sort(byStart);
  return new Map(Array.from(byId, ([traceId, { spans }]) => [traceId, spans]));
}

const NO_ATTRIBUTES: ReadonlyMap<string, Static> = new Map();

function byStart(a: TraceSpan, b: TraceSpan): number {
  if (a.start !== b.start) return a.start < b.start ? -1 : 1;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

/** SQL that is true of the traces' spans that begin in the range. */
export function isOfTraces(traceIds: readonly string[], { from, to }: TimeRange, parameters: SqlParameters): string {
  const ids = `SELECT toFixedString(unhex(arrayJoin(${parameters.strings(traceIds)})), 16)`;
  return `trace_id IN (${ids}) AND time >= ${parameters.nanoTime(from)} AND time < ${parameters.nanoTime(to)}`;
}

/** A statement's text, parameters included, has at most 256 KiB. */
const resourcesPerStatement = 5_000;

/** Adds the resources that are not there yet. */
export async function readResources(
  context: QueryContext,
  ids: ReadonlySet<string>,
  known: Map<string, ReadonlyMap<string, Static>>,
): Promise<void> {
  const missing = [...ids].filter((id) => !known.has(id));
  for (let at = 0; at < missing.length; at += resourcesPerStatement) {
    const parameters = new SqlParameters();
    const some = parameters.uint64s(missing.slice(at, at + resourcesPerStatement));
    const statement = parameters.statement(
      `SELECT resource_id, ${attributeColumns('resource').join(', ')}
FROM resources
WHERE resource_id IN (SELECT arrayJoin(${some}))
LIMIT 1 BY resource_id`,
    );
    for (const [id, ...cells] of await select<[string, ...unknown[]]>(context, statement)) {
      known.set(
        id,
        new Map(readAttributes(cells).map(({ key, type, value }) => [key, staticOfAttribute(type, value)])),
      );
    }
  }
}
