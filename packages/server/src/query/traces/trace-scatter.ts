import type { TraceScatterResponse } from '@signalbox/api-contract';
import { prepareFilters } from '../filter/prepare-filters.ts';
import { type QueryContext, select } from '../query-context.ts';
import { shownService } from '../service-name.ts';
import { SqlParameters, type Statement } from '../sql-parameters.ts';
import { maxCounted } from './plan-trace-search.ts';
import { spanCondition, type TraceSearchRequest } from './trace-search-request.ts';

const maxPoints = 2_000;

/** One point per matching trace: the first span that matches. When there are more than 2,000, every n-th by time. */
export async function traceScatter(
  context: QueryContext,
  asked: Omit<TraceSearchRequest, 'limit'>,
): Promise<TraceScatterResponse> {
  const request = { ...asked, filters: await prepareFilters(context, asked.filters, 'spans', asked.range) };
  const rows = await select<[string, string, string, number, string, string, string]>(
    context,
    planTraceScatter(request),
  );
  return {
    points: rows.map(([traceId, time, duration, status, name, service]) => ({
      traceId,
      timeMs: Number(time),
      durationMs: Number(duration) / 1e6,
      error: status === 2,
      name,
      service,
    })),
    total: Number(rows[0]?.[6] ?? 0),
  };
}

export function planTraceScatter(request: Omit<TraceSearchRequest, 'limit'>): Statement {
  const parameters = new SqlParameters();
  return parameters.statement(
    `SELECT lower(hex(trace_id)) AS id, toUnixTimestamp64Milli(first_match), span.1, span.2, span.3, span.4, total
FROM (
  SELECT trace_id, min(time) AS first_match,
    argMin((duration, status_code, name, ${shownService()}), (time, span_id)) AS span,
    count() OVER () AS total,
    row_number() OVER (ORDER BY min(time), trace_id) AS position
  FROM spans
  WHERE ${spanCondition({ ...request, limit: 0 }, parameters)}
  GROUP BY trace_id
)
WHERE (position - 1) % intDiv(total + ${maxPoints - 1}, ${maxPoints}) = 0
ORDER BY first_match, id
SETTINGS max_rows_to_group_by = ${maxCounted}, group_by_overflow_mode = 'any'`,
  );
}
