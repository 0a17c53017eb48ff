import { parseLogql, prettyPrintLogql } from '@signalbox/query-language';
import { LogqlEngine, type LogqlLimits } from '../../../query/logql/engine.ts';
import { StoreLogs } from '../../../query/logql-store/store-logs.ts';
import type { StreamCatalog } from '../../../query/logql-store/stream-catalog.ts';
import type { QueryContext } from '../../../query/query-context.ts';
import { resultData } from '../encode-result.ts';
import { LokiError } from '../loki-error.ts';
import { type LokiRoute, route, success } from '../loki-route.ts';

export function queryRoutes(catalog: StreamCatalog, limits: LogqlLimits): readonly LokiRoute[] {
  const engine = (context: QueryContext) => new LogqlEngine(new StoreLogs(context, catalog), limits);
  return [
    ...route('query', async ({ parameters, context, categorizesLabels }) => {
      const query = requiredQuery(parameters.text('query'));
      parameters.limit();
      parameters.direction();
      const startedAt = performance.now();
      const answer = await engine(context).queryInstant(query, parameters.time('time'), context.signal);
      return success(resultData(answer, performance.now() - startedAt, categorizesLabels));
    }),
    ...route('query_range', async ({ parameters, context, categorizesLabels }) => {
      const query = requiredQuery(parameters.text('query'));
      const range = parameters.range();
      const options = {
        ...range,
        stepNs: parameters.step(range),
        limit: parameters.limit(),
        direction: parameters.direction(),
        intervalNs: parameters.interval(),
      };
      const startedAt = performance.now();
      const answer = await engine(context).queryRange(query, options, context.signal);
      return success(resultData(answer, performance.now() - startedAt, categorizesLabels));
    }),
    ...route('format_query', ({ parameters }) =>
      success(prettyPrintLogql(parseLogql(requiredQuery(parameters.text('query'))))),
    ),
  ];
}

function requiredQuery(query: string): string {
  if (query.trim() === '') throw new LokiError(400, 'parse error : syntax error: unexpected $end');
  return query;
}
