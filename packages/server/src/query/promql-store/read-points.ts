import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import { ColumnMemory, type ColumnResult, type ResultColumn } from '../../store/connection.ts';
import { type QueryContext, selectColumns } from '../query-context.ts';
import { SqlParameters } from '../sql-parameters.ts';
import { isInTime } from '../time-condition.ts';
import { sumsBeginAt } from './delta-to-cumulative.ts';
import { nanoRange } from './nano-range.ts';
import type { PointMemory } from './point-memory.ts';
import { PointRuns, type PointTimes } from './point-runs.ts';
import type { PointSlots } from './point-slots.ts';

/** A time from `fromMs` to `toMs`, both inclusive, in ms since 1970. */
export interface ReadRange {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface ReadOptions {
  readonly range: ReadRange;
  readonly isDelta: boolean;
  /** Points that may be read. */
  readonly maxPoints: number;
  /** Start times are wanted of cumulative points, too. */
  readonly withStarts?: boolean;
  /** Only points in here are read. */
  readonly between?: ReadRange;
  /** All series of the metrics are wanted: naming each would only cost. */
  readonly isWhole?: boolean;
  /** Knows points that were read lately. */
  readonly memory?: PointMemory;
}

/** Points of several series. */
export interface ReadPoints {
  readonly runs: PointRuns;
  readonly times: PointTimes;
  /** When counting began, in ms since 1970; 0: unknown. Empty unless they are of delta temporality or asked for. */
  readonly starts: Float64Array;
  /** 1: nothing was recorded, the series has ended. Undefined: everywhere something was. */
  readonly missing: Uint8Array | undefined;
  readonly columns: ColumnResult['columns'];
}

/**
 * Reads the points of series of one table and one temporality.
 *
 * @param values further columns: names with their SQL
 * @throws `too_large` beyond `maxPoints`
 */
export async function readPoints(
  context: QueryContext,
  table: string,
  slots: PointSlots,
  values: Readonly<Record<string, string>>,
  { range, between, isDelta, withStarts = false, maxPoints, isWhole = false }: ReadOptions,
): Promise<ReadPoints> {
  const parameters = new SqlParameters();
  const areOfMetrics = `metric_name IN ${parameters.strings(slots.metrics)}`;
  // An id is a hash of the metric's name, too: once ids are named, the name only says where to look, and is not read.
  const areWanted =
    !isWhole && slots.ids.length <= idsPerStatement
      ? `indexHint(${areOfMetrics}) AND series_id IN ${parameters.uint64s(slots.ids)}`
      : areOfMetrics;
  // Points lie on nanoseconds, samples on the milliseconds before them.
  const after = isDelta ? sumsBeginAt(range.fromMs) + 1 : range.fromMs;
  const { from, to } = nanoRange(
    Math.max(after, between?.fromMs ?? after),
    Math.min(range.toMs, between?.toMs ?? range.toMs) + 1,
  );
  // Half of the bytes, where the time is not longer than 49 days: what is handed over costs more than what is read.
  const isLong = to - from > longestNanos;
  const baseMs = isLong ? 0 : Number(from / 1_000_000n);
  const sinceBase = `toUnixTimestamp64Milli(time) - ${parameters.int64(baseMs)}`;
  const columns = Object.entries(values).map(([name, sql]) => `, ${sql} AS ${name}`);
  const start = isDelta || withStarts ? ', toFloat64(toUnixTimestamp64Milli(start_time)) AS start' : '';
  const result = await read(
    context,
    parameters.statement(
      `SELECT series_id, ${isLong ? 'toFloat64' : 'toUInt32'}(${sinceBase}) AS at, toUInt8(bitAnd(flags, 1)) AS missing${start}${columns.join('')}
FROM ${table}
WHERE ${areWanted} AND ${isInTime({ from, to }, parameters, 'quarter')}
SETTINGS use_uncompressed_cache = 1`,
    ),
    maxPoints,
  );
  const ids = (result.numbersIn(memory, 'series_id') ?? new BigUint64Array(0)) as BigUint64Array;
  const column = (result.columns.at ?? new Float64Array(0)) as PointTimes['column'];
  const runs = new PointRuns(ids, column, slots);
  const isMissing = result.numbersIn(memory, 'missing')?.includes(1 as never) ?? false;
  const points = {
    runs,
    times: { baseMs, column },
    starts: (result.columns.start ?? new Float64Array(0)) as Float64Array,
    missing: isMissing ? (result.columns.missing as Uint8Array) : undefined,
    columns: Object.fromEntries(
      Object.keys(values).flatMap((name) =>
        name in result.columns ? [[name, result.columns[name] as ResultColumn]] : [],
      ),
    ),
  };
  result.release();
  return points;
}

/** Of columns that are looked through here, and not kept. */
const memory = new ColumnMemory();

/** What 32 bits of milliseconds reach. */
const longestNanos = 0xffff_ffffn * 1_000_000n;

/** Rows that a statement is to give, about: larger results cost the most in memory that nobody has touched yet. */
const rowsPerPart = 300_000;
const maxParts = 64;
/** How often points usually come. */
const usualIntervalMs = 15_000;
const quarterMs = 900_000;

/**
 * The same in several statements, each for some quarters of an hour, when much is to be expected; in the order of their times. While
 * the engine works on one the one before is looked through.
 */
export async function readPointsInParts(
  context: QueryContext,
  table: string,
  slots: PointSlots,
  values: Readonly<Record<string, string>>,
  options: ReadOptions,
): Promise<ReadPoints[]> {
  const { range, isDelta, maxPoints } = options;
  const fromMs = isDelta ? sumsBeginAt(range.fromMs) : range.fromMs;
  // There is not much that is later than now.
  const untilMs = Math.max(fromMs, Math.min(range.toMs, context.nowMs));
  const expected = (slots.ids.length * (untilMs - fromMs)) / usualIntervalMs;
  const first = Math.floor(fromMs / quarterMs);
  const quarters = Math.floor(untilMs / quarterMs) - first + 1;
  const quartersPerPart = Math.ceil(quarters / Math.min(maxParts, Math.ceil(expected / rowsPerPart)));
  if (!(quartersPerPart < quarters)) return [await readPoints(context, table, slots, values, options)];
  const parts: ReadPoints[] = new Array(Math.ceil(quarters / quartersPerPart));
  let next = 0;
  let rows = 0;
  const readSome = async (): Promise<void> => {
    for (let part = next++; part < parts.length; part = next++) {
      const startMs = (first + part * quartersPerPart) * quarterMs;
      const endMs = part === parts.length - 1 ? range.toMs : startMs + quartersPerPart * quarterMs - 1;
      parts[part] = await readPoints(context, table, slots, values, {
        ...options,
        between: { fromMs: startMs, toMs: endMs },
      });
      rows += parts[part].times.column.length;
      if (rows > maxPoints) throw tooManySamples(maxPoints);
    }
  };
  await Promise.all([readSome(), readSome()]);
  return parts;
}

async function read(
  context: QueryContext,
  statement: ReturnType<SqlParameters['statement']>,
  maxPoints: number,
): Promise<ColumnResult> {
  try {
    return await selectColumns(context, statement, maxPoints);
  } catch (error) {
    if (error instanceof SignalboxError && error.code === 'too_large') throw tooManySamples(maxPoints, error);
    throw error;
  }
}

/** Prometheus's own words come first: dashboards and people know them. */
export function tooManySamples(limit: number, cause?: unknown): SignalboxError {
  return new SignalboxError(
    'too_large',
    'query processing would load too many samples into memory in query execution',
    {
      cause,
      hint: `At most ${limit} are read. Ask for less time or fewer series, or raise promql-max-samples.`,
    },
  );
}

/** A statement's text, parameters included, has at most 256 KiB. */
const idsPerStatement = 5_000;
