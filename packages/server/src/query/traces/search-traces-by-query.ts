import type { TraceSearchResponse } from '@signalbox/api-contract';
import type { QueryContext } from '../query-context.ts';
import { searchTraceql, type TraceqlSearch } from '../traceql/search-traceql.ts';
import { readTraceSummaries } from './search-traces.ts';

/**
 * The newest traces that a TraceQL query finds, as the page shows them: newest first by their start. There is no counting
 * beyond `limit`, since every trace has to be evaluated; `totalIsLowerBound` then.
 */
export async function searchTracesByQuery(context: QueryContext, search: TraceqlSearch): Promise<TraceSearchResponse> {
  const { traces } = await searchTraceql(context, search);
  const matched = new Map(
    traces.map(({ summary, spansets }) => [summary.traceId, spansets.flatMap(({ spans }) => spans)]),
  );
  const ids = [...matched.values()].flatMap((spans) => spans.slice(0, maxNamed).map(({ id }) => id));
  const summaries = await readTraceSummaries(
    context,
    traces.map(({ summary }) => [summary.traceId, String(summary.start), String(traces.length)]),
    (parameters) => `span_id IN (SELECT toFixedString(unhex(arrayJoin(${parameters.strings(ids)})), 8))`,
  );
  return {
    traces: summaries.map((summary) => ({
      ...summary,
      matchedSpans: new Set(matched.get(summary.traceId)?.map(({ id }) => id)).size,
    })),
    total: summaries.length,
    totalIsLowerBound: traces.length >= search.limit,
  };
}

/** Of a trace with thousands of spans that match, only the first is shown; a few are enough to find it by. */
const maxNamed = 10;
