import type { QueriesResponse } from '@signalbox/api-contract';
import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import type { QueryRegistry } from '../query-registry.ts';
import { get, type Route } from '../route.ts';

export function queryRoutes(registry: QueryRegistry): readonly Route[] {
  return [
    get('queries', async ({ parameters }): Promise<QueriesResponse> => {
      parameters.finish();
      return { queries: registry.list(Date.now()) };
    }),
    {
      method: 'DELETE',
      pattern: 'queries/{id}',
      async json({ path, parameters }) {
        parameters.finish();
        if (!registry.cancel(path.id ?? '')) throw new SignalboxError('not_found', 'There is no such query running');
        return undefined;
      },
    },
  ];
}
