import { type QueryContext, select } from '../query-context.ts';
import { SqlParameters, type Statement } from '../sql-parameters.ts';
import { nanosPerMilli, nanosPerSecond, partitionNanos, type TimeRange } from '../time-range.ts';
import { planTraceSearch } from './plan-trace-search.ts';
import { spanCondition, type TraceSearchRequest } from './trace-search-request.ts';

/** A trace, the time of its first matching span (nanoseconds), and how many traces match in the searched time. */
export type FoundTrace = readonly [id: string, firstMatch: string, total: string];

export interface FoundTraces {
  readonly found: readonly FoundTrace[];
  readonly total: number;
  readonly totalIsLowerBound: boolean;
}

/** Lengths of the range's end that are searched before the whole range. The table is sorted by five minutes first. */
const windowNanos = [300n * nanosPerSecond, 1_800n * nanosPerSecond, partitionNanos];
/** Part of the range that a window may be: what is searched in vain must not add much. */
const windowShare = 10n;

/** Matching spans that are looked at to count their traces, when enough traces were found without it. */
const maxCountedSpans = 1_000_000;

/**
 * The newest traces where many match, without telling all matching traces of the range apart: from the end of the range
 * alone. Undefined when that has too few. A trace that matched up to 6 hours before the window begins is older than the
 * window's others, and not among them.
 */
export async function findNewestTraces(
  context: QueryContext,
  request: TraceSearchRequest,
): Promise<FoundTraces | undefined> {
  for (const window of windowsOf(request.range, context.nowMs)) {
    const statement = planTraceSearch({ ...request, range: window, limit: request.limit + spare });
    const candidates = await select<FoundTrace>(context, statement);
    if (candidates.length < request.limit) continue;
    const earlier = await select<[string]>(context, planEarlierMatches(request, window, candidates));
    const begunEarlier = new Set(earlier.map(([id]) => id));
    const found = candidates.filter(([id]) => !begunEarlier.has(id)).slice(0, request.limit);
    if (found.length < request.limit) continue;
    const [counted] = await select<[string, string]>(context, planTraceCount(request, maxCountedSpans));
    const [traces = '0', spans = '0'] = counted ?? [];
    return {
      found,
      total: Math.max(Number(traces), found.length),
      totalIsLowerBound: Number(spans) >= maxCountedSpans,
    };
  }
  return undefined;
}

/** More than asked for, as some may have begun before the window. */
const spare = 100;

function windowsOf({ from, to }: TimeRange, nowMs: number): TimeRange[] {
  const now = BigInt(nowMs) * nanosPerMilli;
  const end = now > from && now < to ? now : to;
  return windowNanos
    .filter((length) => length * windowShare <= end - from)
    .map((length) => ({ from: end - length, to }));
}

/** Which of the traces have a matching span before the window. */
export function planEarlierMatches(
  request: TraceSearchRequest,
  window: TimeRange,
  candidates: readonly FoundTrace[],
): Statement {
  const parameters = new SqlParameters();
  const ids = parameters.strings(candidates.map(([id]) => id));
  const lookback = window.from - partitionNanos;
  const range = { from: request.range.from, to: window.from };
  if (range.from < lookback) range.from = lookback;
  return parameters.statement(
    `SELECT DISTINCT lower(hex(trace_id))
FROM spans
WHERE trace_id IN (SELECT toFixedString(unhex(arrayJoin(${ids})), 16))
  AND ${spanCondition({ ...request, range }, parameters)}`,
  );
}

/** How many traces match, and how many spans told: at most `mostSpans`. */
export function planTraceCount(request: TraceSearchRequest, mostSpans: number): Statement {
  const parameters = new SqlParameters();
  return parameters.statement(
    `SELECT uniqExact(trace_id), count()
FROM (SELECT trace_id FROM spans WHERE ${spanCondition(request, parameters)} LIMIT ${parameters.uint32(mostSpans)})`,
  );
}
