import { type Static, toInteger } from '@signalbox/query-language';
import { type QueryContext, select } from '../query-context.ts';
import { readResources } from '../read-resources.ts';
import { shownService } from '../service-name.ts';
import { SqlParameters, type Statement } from '../sql-parameters.ts';
import { isInTime } from '../time-condition.ts';
import type { TimeRange } from '../time-range.ts';
import { isRoot } from '../traces/trace-search-request.ts';
import type { KeyPlaces } from './key-places.ts';
import type { SpanFields } from './span-fields.ts';
import { staticOfAttribute } from './static-values.ts';
import { TraceSpan, type TraceSummary } from './trace-span.ts';

/** Rows of one statement. */
const maxRows = 1_000_000;

/** A retry repeats a span; Zipkin's client and server share an id. */
const once = 'LIMIT 1 BY trace_id, span_id, kind';

/** So many traces that reading them is a matter of some granules. */
function isFew(traceIds: readonly string[]): boolean {
  return traceIds.length <= 100;
}

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
async function readSummaries(
  context: QueryContext,
  traceIds: readonly string[],
  range: TimeRange,
): Promise<TraceSummary[]> {
  const options = { maxResultRows: maxRows, isShort: isFew(traceIds) };
  const rows = await select<SummaryCells>(context, planSummaries(traceIds, range), options);
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
  /** Texts of attributes that all spans have which fulfil the condition, where those are not composite. */
  readonly texts: ReadonlyMap<string, string>;
  readonly places: ReadonlyMap<string, KeyPlaces>;
  readonly range: TimeRange;
}

/** Reads what is known of traces and, at the same time, spans of them with what the fields need; spans earliest first. */
export async function readTraces(
  context: QueryContext,
  traceIds: readonly string[],
  toRead: SpansToRead,
): Promise<TraceWithSpans[]> {
  const [summaries, rows] = await Promise.all([
    readSummaries(context, traceIds, toRead.range),
    readSpanRows(context, traceIds, toRead),
  ]);
  const { fields } = toRead;
  const resources = fields.readsResources
    ? await readResourceStatics(
        context,
        rows.map((cells) => String(cells.at(-1))),
      )
    : NO_RESOURCES;
  const traces = new Map(summaries.map((summary) => [summary.traceId, { summary, spans: [] as TraceSpan[] }]));
  for (const row of rows) {
    const [traceId, id, parentId, start, duration] = row;
    const trace = traces.get(traceId);
    if (trace === undefined) continue;
    const resource = fields.readsResources ? resources.get(String(row.at(-1))) : undefined;
    const head = { id, parentId, start: BigInt(start), duration: toInteger(BigInt(duration)) };
    trace.spans.push(new TraceSpan(trace.summary, head, row.slice(headCells), resource ?? NO_ATTRIBUTES));
  }
  for (const { spans } of traces.values()) spans.sort(byStart);
  return [...traces.values()];
}

export interface TraceWithSpans {
  readonly summary: TraceSummary;
  readonly spans: readonly TraceSpan[];
}

async function readSpanRows(
  context: QueryContext,
  traceIds: readonly string[],
  { fields, base, condition, range, texts, places }: SpansToRead,
): Promise<readonly SpanCells[]> {
  const parameters = new SqlParameters(base);
  const own = fields.columnsKnowing(texts, places, parameters);
  const columns = [...own, ...(fields.readsResources ? ['resource_id'] : [])];
  const statement = parameters.statement(
    `SELECT lower(hex(trace_id)), lower(hex(span_id)), if(${isRoot}, '', lower(hex(parent_span_id))), toUnixTimestamp64Nano(time), duration${columns.map((column) => `,\n  ${column}`).join('')}
FROM spans
WHERE ${isOfTraces(traceIds, range, parameters)}${condition === undefined ? '' : `\n  AND ${condition}`}
${once}`,
  );
  return await select<SpanCells>(context, statement, { maxResultRows: maxRows, isShort: isFew(traceIds) });
}

const NO_ATTRIBUTES: ReadonlyMap<string, Static> = new Map();
const NO_RESOURCES: ReadonlyMap<string, ReadonlyMap<string, Static>> = new Map();

function byStart(a: TraceSpan, b: TraceSpan): number {
  if (a.start !== b.start) return a.start < b.start ? -1 : 1;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

/** SQL that is true of the traces' spans that begin in the range. */
export function isOfTraces(traceIds: readonly string[], range: TimeRange, parameters: SqlParameters): string {
  const ids = `SELECT toFixedString(unhex(arrayJoin(${parameters.strings(traceIds)})), 16)`;
  return `trace_id IN (${ids}) AND ${isInTime(range, parameters)}`;
}

/** Attributes of resources by their ids. */
export async function readResourceStatics(
  context: QueryContext,
  ids: Iterable<string>,
): Promise<ReadonlyMap<string, ReadonlyMap<string, Static>>> {
  const resources = await readResources(context, ids);
  return new Map(
    Array.from(resources, ([id, { attributes }]) => [
      id,
      new Map(attributes.map(({ key, type, value }) => [key, staticOfAttribute(type, value)])),
    ]),
  );
}
