import { parseTraceql, TraceqlError, type traceql } from '@signalbox/query-language';
import { parseDuration } from '../../query/duration.ts';
import { QueryInputError } from '../../query/query-input-error.ts';
import { spanKinds, statusCodes } from '../../query/span-codes.ts';
import { getTrace } from '../../query/traces/get-trace.ts';
import { searchTraces } from '../../query/traces/search-traces.ts';
import { searchTracesByQuery } from '../../query/traces/search-traces-by-query.ts';
import { traceScatter } from '../../query/traces/trace-scatter.ts';
import type { TraceSearchRequest } from '../../query/traces/trace-search-request.ts';
import { type RequestParameters, readHexId } from '../request-parameters.ts';
import { get, type Route } from '../route.ts';

export const traceRoutes: readonly Route[] = [
  get('traces', ({ parameters, context }) => {
    const query = parameters.optional('q');
    if (query !== undefined) {
      const range = parameters.range();
      const limit = readLimit(parameters);
      parameters.finish();
      return searchTracesByQuery(context, { pipeline: readPipeline(query), range, limit });
    }
    const request = readSearch(parameters);
    parameters.finish();
    return searchTraces(context, request);
  }),
  get('traces/scatter', ({ parameters, context }) => {
    const request = readSearch(parameters);
    parameters.finish();
    return traceScatter(context, request);
  }),
  get('traces/{traceId}', ({ path, parameters, context }) => {
    parameters.finish();
    return getTrace(context, readHexId('traceId', path.traceId ?? '', 16));
  }),
];

function readSearch(parameters: RequestParameters): TraceSearchRequest {
  const kind = parameters.oneOf('kind', spanKinds);
  const status = parameters.oneOf('status', statusCodes);
  const minDuration = parameters.optional('minDuration');
  const maxDuration = parameters.optional('maxDuration');
  return {
    range: parameters.range(),
    service: parameters.optional('service'),
    operation: parameters.optional('operation'),
    filters: parameters.filters(),
    minDuration: minDuration === undefined ? undefined : parseDuration('minDuration', minDuration),
    maxDuration: maxDuration === undefined ? undefined : parseDuration('maxDuration', maxDuration),
    status: status === undefined ? undefined : statusCodes.indexOf(status),
    kind: kind === undefined ? undefined : spanKinds.indexOf(kind),
    rootOnly: parameters.oneOf('rootOnly', ['true', 'false']) === 'true',
    limit: readLimit(parameters),
  };
}

function readLimit(parameters: RequestParameters): number {
  return parameters.integer('limit', 1, 1_000) ?? 50;
}

function readPipeline(query: string): traceql.Pipeline {
  const { expr } = parse(query);
  if (expr.kind === 'pipeline') return expr;
  throw new QueryInputError('This TraceQL makes time series, not traces', {
    parameter: 'q',
    position: { start: 0, end: query.length },
    hint: 'Leave out what follows the last |, or ask /api/metrics/query_range.',
  });
}

function parse(query: string): traceql.TraceqlQuery {
  try {
    return parseTraceql(query);
  } catch (error) {
    if (!(error instanceof TraceqlError)) throw error;
    throw new QueryInputError(error.message, { parameter: 'q', position: error.range });
  }
}
