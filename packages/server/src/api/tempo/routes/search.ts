import { searchTraceql, type TraceqlSearch } from '../../../query/traceql/search-traceql.ts';
import { encodeSearchResponse } from '../encode-protobuf.ts';
import { traceqlOfTags } from '../legacy-tags.ts';
import { searchResponse } from '../search-response.ts';
import { invalid, readQuery, type TempoParameters } from '../tempo-parameters.ts';
import { get, type TempoRoute } from '../tempo-route.ts';

const defaultLimit = 20;
const maxLimit = 10_000;
const defaultSpansPerSpanset = 3;
const maxSpansPerSpanset = 10_000;

export const searchRoutes: readonly TempoRoute[] = [
  get('api/search', async ({ parameters, context }) => {
    const search = readSearch(parameters, context.nowMs);
    const spansPerSpanset = parameters.integer('spss', defaultSpansPerSpanset, maxSpansPerSpanset);
    const response = searchResponse(await searchTraceql(context, search), spansPerSpanset);
    return { json: () => response, protobuf: () => encodeSearchResponse(response) };
  }),
];

function readSearch(parameters: TempoParameters, nowMs: number): TraceqlSearch {
  const query = parameters.text('q').trim();
  if (query !== '' && parameters.text('tags') !== '') {
    throw invalid('tags', "invalid request: can't specify tags and q in the same query");
  }
  const text = query || readTags(parameters);
  const limit = parameters.integer('limit', defaultLimit, maxLimit);
  if (limit === 0) throw invalid('limit', 'invalid limit: must be a positive number');
  return traceqlSearch(text, parameters.range(), limit, nowMs);
}

function readTags(parameters: TempoParameters): string {
  const min = parameters.duration('minDuration');
  const max = parameters.duration('maxDuration');
  if (min !== undefined && max !== undefined && min > max) {
    throw invalid('maxDuration', 'invalid maxDuration: must be greater than minDuration');
  }
  const text = (duration: bigint | undefined): string => (duration === undefined ? '' : `${duration}ns`);
  return traceqlOfTags(parameters.text('tags'), text(min), text(max));
}

/** Without a range, everything that is kept. */
export function traceqlSearch(
  text: string,
  range: TraceqlSearch['range'] | undefined,
  limit: number,
  nowMs: number,
): TraceqlSearch {
  const { expr } = readQuery('q', text);
  if (expr.kind !== 'pipeline') {
    throw invalid('q', 'invalid TraceQL query: this makes time series, ask /api/metrics/query_range for them');
  }
  return { pipeline: expr, range: range ?? { from: 0n, to: BigInt(nowMs) * 1_000_000n + dayNanos }, limit };
}

/** Clocks of senders may be ahead. */
const dayNanos = 86_400_000_000_000n;
