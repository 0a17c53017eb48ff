import type { Stage } from '@signalbox/query-language';
import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import type { CountSelection, LogCount } from '../logql/log-source.ts';
import type { RangeWindows } from '../logql/range-windows.ts';
import { type QueryContext, selectColumns } from '../query-context.ts';
import { SqlParameters, type Statement } from '../sql-parameters.ts';
import type { TimeRange } from '../time-range.ts';
import { failsNumber, type NumberFilter, numberFilters, sameForAll } from './json-filters.ts';
import { jsonLabels } from './json-labels.ts';
import { type LineConditions, lineConditions } from './line-conditions.ts';
import { logCondition, selectsExactly, withinStore } from './log-condition.ts';
import { attributesColumn, LOG_STRING_BODY, type LogCells, logEntry, recordColumns } from './log-rows.ts';
import type { StoredStream } from './stored-stream.ts';
import type { SelectedStreams, StreamCatalog } from './stream-catalog.ts';

const MAX_ROWS = 500_000;

/** What was counted where it is, and what was not. */
export interface CountedLines {
  readonly counts: readonly LogCount[];
  /** The records that are not among the counts; undefined: there are none. */
  readonly rest: ((parameters: SqlParameters) => string) | undefined;
}

/**
 * Counts lines where they are: by time, stream, and what labels the query looks at are made of, which are few different ones among very
 * many lines. The query's own stages then look at one line of each kind.
 *
 * Undefined where that is not possible: a stage does more than to filter or to read members of JSON, too many attributes are in the
 * way, or there are as many kinds of lines as lines.
 */
export async function countLines(
  context: QueryContext,
  catalog: StreamCatalog,
  selection: CountSelection,
): Promise<CountedLines | undefined> {
  const { matchers, windows, labels } = selection;
  const width = bucketWidth(windows);
  if (width === undefined) return undefined;
  const range = withinStore(windows);
  if (range.from >= range.to) return { counts: [], rest: undefined };
  const selected = await catalog.select(context, matchers, range);
  if (selected.streams.length === 0) return { counts: [], rest: undefined };
  const ofRecords = labels.filter((label) => !selected.streams.every(({ stream }) => stream.values.has(label)));
  const keys = await catalog.attributes.named(context, ofRecords, range);
  if (keys === undefined) return undefined;
  const parameters = new SqlParameters();
  const isOfRecords = dependsOnRecordsOnly(labels, selected);
  const plan = planCounts({ selection, selected, range, width, keys, isOfRecords }, parameters);
  if (plan === undefined) return undefined;
  try {
    const { rowCount, columns } = await selectColumns(context, plan.statement, MAX_ROWS);
    return readCounts(rowCount, columns as unknown as CountCells, selected, windows, Number(width), plan.isOdd);
  } catch (error) {
    // More rows than that are as well read one by one.
    if (error instanceof SignalboxError && error.code === 'too_large') return undefined;
    throw error;
  }
}

/** What became of lines in SQL. */
const COUNTED = 0;
const FILTERED_OUT = 1;
const ODD = 2;

interface CountCells extends Omit<LogCells, 'body' | 'body_type'> {
  readonly line: readonly string[];
  readonly verdict: Uint8Array;
  readonly bucket: Uint32Array;
  readonly lines: Float64Array;
  readonly bytes: Float64Array;
}

function readCounts(
  rowCount: number,
  cells: CountCells,
  selected: SelectedStreams,
  windows: RangeWindows,
  width: number,
  isOdd: CountedLines['rest'],
): CountedLines {
  const entryCells: LogCells = {
    ...cells,
    body: cells.line,
    body_type: new Uint8Array(rowCount).fill(LOG_STRING_BODY),
  };
  const byId = new Map(selected.streams.map((stream) => [stream.id, stream]));
  const counts: LogCount[] = [];
  let rest: CountedLines['rest'];
  for (let row = 0; row < rowCount; row++) {
    const stored = byId.get(cells.resource_id[row] as bigint);
    if (!stored || cells.verdict[row] === FILTERED_OUT) continue;
    if (cells.verdict[row] === ODD) {
      rest = isOdd;
      continue;
    }
    const end = ((cells.bucket[row] as number) + 1) * width - windows.intervalNs;
    counts.push({
      entry: logEntry(entryCells, row, stored),
      first: windows.first(end),
      last: windows.last(end),
      lines: cells.lines[row] as number,
      bytes: cells.bytes[row] as number,
    });
  }
  return { counts, rest };
}

interface CountRequest {
  readonly selection: CountSelection;
  readonly selected: SelectedStreams;
  readonly range: TimeRange;
  /** Of a bucket, in nanoseconds. */
  readonly width: bigint;
  /** Attributes that would be one of the labels. */
  readonly keys: readonly string[];
  /** To the query all streams are the same: any of them stands for all. */
  readonly isOfRecords: boolean;
}

interface CountPlan {
  readonly statement: Statement;
  readonly isOdd: CountedLines['rest'];
}

export function planCounts(
  { selection, selected, range, width, keys, isOfRecords }: CountRequest,
  parameters: SqlParameters,
): CountPlan | undefined {
  const { stages, windows, labels, countsBytes } = selection;
  const conditions = lineConditions(stages, parameters);
  const lines = conditions.isExact ? linesOf(selection, selected.streams, keys, conditions, parameters) : undefined;
  if (lines === undefined) return undefined;
  const { isOdd, fails, line } = lines;
  const odd = isOdd?.(parameters) ?? '0';
  const filtered = fails.length === 0 ? '0' : fails.join(' OR ');
  const where = [logCondition(selected, range, parameters), ...conditions.conditions];
  const statement = parameters.statement(
    `SELECT toInt64(0) AS at, ${isOfRecords ? `${parameters.uint64(selected.streams[0]?.id ?? 0n)} AS resource_id` : 'resource_id'}, ${recordColumns(labels)},
  ${attributesColumn(keys, parameters)},
  toUInt32(intDiv(toUnixTimestamp64Nano(time) - ${parameters.int64(windows.fromNs)}, ${parameters.int64(width)})) AS bucket,
  toUInt8(multiIf(${odd}, ${ODD}, ${filtered}, ${FILTERED_OUT}, ${COUNTED})) AS verdict,
  if(verdict = ${COUNTED}, ${line}, '') AS line,
  toFloat64(count()) AS lines, ${countsBytes ? 'toFloat64(sum(length(body)))' : 'toFloat64(0)'} AS bytes
FROM logs
WHERE ${where.join('\n  AND ')}
GROUP BY ALL`,
  );
  return { statement, isOdd };
}

/** No stream has any of the labels itself, and rows of other streams are left out by SQL. */
function dependsOnRecordsOnly(labels: readonly string[], selected: SelectedStreams): boolean {
  const { streams } = selected;
  if (!selectsExactly(selected)) return false;
  return streams.every(
    ({ stream, metadata, isPushed }) =>
      !isPushed && !labels.some((label) => stream.values.has(label) || metadata.some(([name]) => name === label)),
  );
}

interface CountedLine {
  readonly isOdd: CountedLines['rest'];
  /** Conditions that are true of lines that the query drops for certain, if they are not odd. */
  readonly fails: readonly string[];
  /** A line of that kind (`String`). */
  readonly line: string;
}

/** What stands for lines: nothing, or an object of the members that matter. Undefined: the whole line matters. */
function linesOf(
  { stages, labels, groups, countsBytes }: CountSelection,
  streams: readonly StoredStream[],
  keys: readonly string[],
  { readsBody }: LineConditions,
  parameters: SqlParameters,
): CountedLine | undefined {
  const parsers = stages.filter(({ kind }) => kind !== 'lineFilter' && kind !== 'labelFilter');
  if (parsers.length === 0 || labels.length === 0) {
    const isOdd = countsBytes || readsBody ? () => `body_type > ${LOG_STRING_BODY}` : undefined;
    return { isOdd, fails: [], line: "''" };
  }
  const [parser] = parsers;
  if (parsers.length > 1 || parser?.kind !== 'json' || parser.extractions.length > 0) return undefined;
  const members = labels.filter((label) => !streams.every((stream) => isTaken(label, stream)));
  const filters = numberFilters(stages, streams, keys).filter(({ label }) => members.includes(label));
  const edited = new Map<string, string>();
  for (const filter of filters) {
    if (groups.includes(filter.label) || usesOf(filter.label, stages) !== 1) continue;
    const same = sameForAll(filter, parameters);
    if (same !== undefined) edited.set(filter.label, same);
  }
  const json = jsonLabels(members, parameters, edited);
  if (json === undefined) return undefined;
  return {
    // Its parameters are those of another statement.
    isOdd: (others) => `NOT ${jsonLabels(members, others)?.isPlain}`,
    fails: filters.map((filter: NumberFilter) => failsNumber(filter, parameters)),
    line: json.members === '' ? "'{}'" : `concat('{', substring(${json.members}, 2), '}')`,
  };
}

/** Whether every line of a stream has the label already, so that what a parser finds is called otherwise. */
function isTaken(label: string, { stream, metadata, isPushed }: StoredStream): boolean {
  return (
    stream.values.has(label) || metadata.some(([name]) => name === label) || (!isPushed && label === 'detected_level')
  );
}

/** How often label filters name a label. */
function usesOf(label: string, stages: readonly Stage[]): number {
  const filters = stages.flatMap((stage) => (stage.kind === 'labelFilter' ? [stage.filter] : []));
  const names: string[] = [];
  for (let filter = filters.pop(); filter; filter = filters.pop()) {
    if ('left' in filter) filters.push(filter.left, filter.right);
    else names.push(filter.kind === 'matcher' ? filter.matcher.name : filter.label);
  }
  return names.filter((name) => name === label).length;
}

const MAX_BUCKETS = 50_000n;

/** Nanoseconds of parts of the time that are in the same windows as a whole; undefined: they would be too many. */
function bucketWidth(windows: RangeWindows): bigint | undefined {
  const interval = BigInt(windows.intervalNs);
  if (windows.count <= 1) return interval;
  let [a, b] = [interval, BigInt(windows.stepNs)];
  while (b !== 0n) [a, b] = [b, a % b];
  return (windows.toNs - windows.fromNs) / a > MAX_BUCKETS ? undefined : a;
}
