import { readBodyWords } from '../../query/logs/body-words.ts';
import { parseCursor } from '../../query/logs/log-cursor.ts';
import { logHistogram } from '../../query/logs/log-histogram.ts';
import type { LogConditions } from '../../query/logs/log-search-request.ts';
import type { LogTail } from '../../query/logs/log-tail.ts';
import { searchLogs } from '../../query/logs/search-logs.ts';
import { severities } from '../../query/logs/severity.ts';
import { streamLogTail } from '../log-tail-stream.ts';
import type { RequestParameters } from '../request-parameters.ts';
import { get, type Route } from '../route.ts';
import { longestStepMs } from './services.ts';

/** @param tail what live tails listen to. */
export function logRoutes(tail: LogTail): readonly Route[] {
  return [
    ...searchRoutes,
    {
      method: 'GET',
      pattern: 'logs/tail',
      async stream({ parameters, context }, { response }) {
        const conditions = readConditions(parameters);
        // The search's parameters are taken as they are; these mean nothing here.
        for (const name of ['start', 'end', 'limit', 'cursor', 'stepMs']) parameters.optional(name);
        parameters.finish();
        await streamLogTail(tail, conditions, response, context.signal);
      },
    },
  ];
}

const searchRoutes: readonly Route[] = [
  get('logs', ({ parameters, context }) => {
    const cursor = parameters.optional('cursor');
    const request = {
      ...readConditions(parameters),
      range: parameters.range(),
      limit: parameters.integer('limit', 1, 5_000) ?? 200,
      cursor: cursor === undefined ? undefined : parseCursor(cursor),
    };
    parameters.finish();
    return searchLogs(context, request);
  }),
  get('logs/histogram', ({ parameters, context }) => {
    const request = { ...readConditions(parameters), range: parameters.range() };
    const stepMs = parameters.integer('stepMs', 1_000, longestStepMs);
    // The search's parameters are taken as they are; these two mean nothing here.
    parameters.optional('limit');
    parameters.optional('cursor');
    parameters.finish();
    return logHistogram(context, request, stepMs);
  }),
];

export function readConditions(parameters: RequestParameters): LogConditions {
  return {
    words: readBodyWords(parameters.optional('q') ?? ''),
    service: parameters.optional('service'),
    severities: parameters.listOf('severity', severities),
    filters: parameters.filters(),
    traceId: parameters.hexId('traceId', 16),
    spanId: parameters.hexId('spanId', 8),
  };
}
