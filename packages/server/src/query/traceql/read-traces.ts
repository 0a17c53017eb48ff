import { type Static, toInteger } from '@signalbox/query-language';
import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import { type QueryContext, select } from '../query-context.ts';
import { readResources } from '../read-resources.ts';
import { shownService } from '../service-name.ts';
import { SqlParameters, type Statement } from '../sql-parameters.ts';
import { isInTime } from '../time-condition.ts';
import type { TimeRange } from '../time-range.ts';
import { INDEX_FIRST } from '../traces/get-otlp-traces.ts';
import { isRoot } from '../traces/trace-search-request.ts';
import type { KeyPlaces } from './key-places.ts';
import type { SpanFields } from './span-fields.ts';
import { staticOfAttribute } from './static-values.ts';
import { TraceSpan, type TraceSummary } from './trace-span.ts';

/** Spans that one statement gives. */
const maxSpans = 1_000_000;

/** A retry repeats a span; Zipkin's client and server share an id. */
const once = 'LIMIT 1 BY trace_id, span_id, kind';

/** So many traces that reading them is a matter of some granules. */
function isFew(traceIds: readonly string[]): boolean {
  return traceIds.length <= 100;
}

type SpanCells = [id: string, parentId: string, start: string, duration: string, ...unknown[]];
const headCells = 4;

type TraceCells = [
  traceId: string,
  start: string,
  end: string,
  roots: string,
  root: [service: string, name: string],
  spans: Record<string, string>,
  errors: Record<string, string>,
  wanted: readonly SpanCells[],
];

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

export interface TraceWithSpans {
  readonly summary: TraceSummary;
  /** Earliest first. */
  readonly spans: readonly TraceSpan[];
}

/**
 * Reads what is known of traces and spans of them with what the fields need, in one statement: finding where spans of the traces may be
 * is most of its work.
 */
export async function readTraces(
  context: QueryContext,
  traceIds: readonly string[],
  toRead: SpansToRead,
): Promise<TraceWithSpans[]> {
  const options = { maxResultRows: traceIds.length, isShort: isFew(traceIds) };
  const rows = await select<TraceCells>(context, planTraces(traceIds, toRead), options);
  const wanted = rows.map((cells) => cells[7]);
  if (wanted.reduce((count, { length }) => count + length, 0) > maxSpans) {
    throw new SignalboxError('too_large', `More than ${maxSpans} spans would have to be read at once`);
  }
  const resourceIds = toRead.fields.readsResources ? wanted.flat().map(resourceIdOf) : [];
  const resources = resourceIds.length === 0 ? NO_RESOURCES : await readResourceStatics(context, resourceIds);
  return rows.map((cells) => {
    const summary = summaryOf(cells);
    const spans = cells[7].map((span) => {
      const [id, parentId, start, duration] = span;
      const head = { id, parentId, start: BigInt(start), duration: toInteger(BigInt(duration)) };
      const resource = toRead.fields.readsResources ? resources.get(resourceIdOf(span)) : undefined;
      return new TraceSpan(summary, head, span.slice(headCells), resource ?? NO_ATTRIBUTES);
    });
    return { summary, spans: spans.sort(byStart) };
  });
}

function resourceIdOf(cells: SpanCells): string {
  return String(cells.at(-1));
}

function summaryOf([traceId, start, end, roots, [service, name], spans, errors]: TraceCells): TraceSummary {
  return {
    traceId,
    start: BigInt(start),
    end: BigInt(end),
    root: roots === '0' ? undefined : { service, name },
    services: Object.entries(spans).map(([of, count]) => ({
      service: of,
      spanCount: Number(count),
      errorCount: Number(errors[of] ?? 0),
    })),
  };
}

/** Rows are `TraceCells`. */
function planTraces(
  traceIds: readonly string[],
  { fields, base, condition, range, texts, places }: SpansToRead,
): Statement {
  const parameters = new SqlParameters(base);
  const own = fields.columnsKnowing(texts, places, parameters);
  const columns = [...own, ...(fields.readsResources ? ['resource_id'] : [])];
  const cells = columns.map((_, index) => `, cell_${index}`).join('');
  return parameters.statement(
    `SELECT
  lower(hex(trace_id)),
  min(start),
  max(start + toInt64(duration)),
  countIf(is_root),
  argMinIf((shown, name), (start, span_id), is_root),
  sumMap(map(shown, toUInt64(1))),
  sumMap(map(shown, toUInt64(status_code = 2))),
  groupArrayIf(${maxSpans + 1})((lower(hex(span_id)), if(is_root, '', lower(hex(parent_span_id))), start, duration${cells}), is_wanted)
FROM (
  SELECT trace_id, span_id, parent_span_id, name, duration, status_code, kind, toUnixTimestamp64Nano(time) AS start, ${isRoot} AS is_root, ${shownService()} AS shown,
    ${condition ?? '1'} AS is_wanted${columns.map((column, index) => `,\n    ${column} AS cell_${index}`).join('')}
  FROM spans
  WHERE ${isOfTraces(traceIds, range, parameters)}
  ${once}
)
GROUP BY trace_id
SETTINGS ${INDEX_FIRST}`,
  );
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
