import { SqlParameters, type Statement } from '../sql-parameters.ts';
import { spanCondition, type TraceSearchRequest } from './trace-search-request.ts';

/** Traces that a search tells apart; of more, it takes the first that the engine meets. */
export const maxCounted = 2_000_000;

/** Rows are `FoundTrace`s: trace ids, newest first by the time of their first matching span, that time, and how many traces match in all. */
export function planTraceSearch(request: TraceSearchRequest): Statement {
  const parameters = new SqlParameters();
  return parameters.statement(
    `SELECT lower(hex(trace_id)) AS id, toUnixTimestamp64Nano(min(time)) AS first_match, count() OVER () AS total
FROM spans
WHERE ${spanCondition(request, parameters)}
GROUP BY trace_id
ORDER BY first_match DESC, id
LIMIT ${parameters.uint32(request.limit)}
SETTINGS max_rows_to_group_by = ${maxCounted}, group_by_overflow_mode = 'any'`,
  );
}
