import type { Connection } from '../../store/connection.ts';
import { type QueryContext, select } from '../query-context.ts';
import { SqlParameters } from '../sql-parameters.ts';
import { isInTime } from '../time-condition.ts';
import { nanosPerMilli, nanosPerSecond, type TimeRange } from '../time-range.ts';
import { isRoot } from '../traces/trace-search-request.ts';

/** How far before and behind the range the spans of a trace may lie that overlaps it. */
export const reachNanos = 3_600n * nanosPerSecond;

/** In the hours around the end of a range; of more, those before the end are not asked for their traces. */
const fewSpans = 200_000;
const nearNanos = 300n * nanosPerSecond;

/** Ends behind which are more spans than few, as they stay: whoever looks into the past asks many questions about the same range. */
const crowdedEnds = new WeakMap<Connection, Set<string>>();
const maxEnds = 1_000;

/** The spans behind the end of a range that lead to traces which overlap it. */
export interface LaterSpans {
  /** None begins later. */
  readonly until: bigint;
  /** SQL that is true of them and of all spans that begin before the end; undefined: of all spans. */
  condition(parameters: SqlParameters): string | undefined;
}

/**
 * Behind the end of a range are mostly traces that began there, newer than all that the range has, and none of its business. So
 * only those count that have a span in the hour before the end; or, where that would be too many to remember, those whose root,
 * if there is one, does not begin behind the end.
 */
export async function planLaterSpans(
  context: QueryContext,
  { to }: TimeRange,
  mostSpans = fewSpans,
): Promise<LaterSpans> {
  if (to >= BigInt(context.nowMs) * nanosPerMilli) return { until: to + reachNanos, condition: () => undefined };
  const behind = { from: to, to: to + reachNanos };
  const around = { from: reachNanos > to ? 0n : to - reachNanos, to: to + reachNanos };
  const crowded = crowdedEnds.get(context.connection) ?? new Set<string>();
  crowdedEnds.set(context.connection, crowded);
  const key = `${to}/${mostSpans}`;
  const later = crowded.has(key) ? mostSpans + 1 : await countSpans(context, behind, mostSpans + 1);
  if (later > mostSpans) {
    if (crowded.size >= maxEnds) crowded.clear();
    crowded.add(key);
  }
  if (later === 0) return { until: to, condition: () => undefined };
  const isFew = later <= mostSpans && (await countSpans(context, around, mostSpans + 1)) <= mostSpans;
  // Many may all come from after a pause.
  const near = isFew ? later : await countSpans(context, { from: to, to: to + nearNanos }, 1);
  if (near === 0) return { until: to, condition: () => undefined };
  const until = to + (isFew ? reachNanos : nearNanos);
  return {
    until,
    condition: (parameters) => {
      const before = { from: reachNanos > to ? 0n : to - reachNanos, to };
      const known = isFew
        ? `IN (SELECT trace_id FROM spans WHERE ${isInTime(before, parameters)})`
        : `NOT IN (SELECT trace_id FROM spans WHERE ${isInTime({ from: to, to: until }, parameters)} AND ${isRoot})`;
      return `(time < ${parameters.nanoTime(to)} OR trace_id ${known})`;
    },
  };
}

/** How many spans begin in the range, counted only as far as it matters. */
async function countSpans(context: QueryContext, range: TimeRange, most: number): Promise<number> {
  const parameters = new SqlParameters();
  const statement = parameters.statement(
    `SELECT count() FROM (SELECT 1 FROM spans WHERE ${isInTime(range, parameters)} LIMIT ${parameters.uint32(most)})`,
  );
  const [row] = await select<[string]>(context, statement, { maxResultRows: 1, isShort: true });
  return Number(row?.[0]);
}
