import { trace } from '@opentelemetry/api';
import type { Logger } from 'pino';
import type { TieredCache } from '../cache/tiered-cache.ts';
import { checkSegments } from '../github/github-path.ts';
import { json, type Reply } from '../http/reply.ts';
import { RequestError } from '../http/request-error.ts';
import type { Route } from '../http/router.ts';

/** Invalidation while chimney runs: `POST /api/cache/invalidate` with a JSON body, or `DELETE /api/cache/{path}`. */
export function cacheRoutes(cache: TieredCache, repository: string, log: Logger): Route[] {
  /** `below` is a path below the repository; an empty one means everything. */
  const invalidate = async (below: string): Promise<Reply> => {
    const path = below === '' ? null : `/repos/${repository}/${checkSegments(below)}`;
    const removed = await cache.invalidate(path);
    const scope = path ?? '*';
    trace.getActiveSpan()?.setAttributes({
      'chimney.cache.invalidation': scope,
      'chimney.cache.invalidated_entries': removed.dragonfly + removed.memory,
    });
    log.info({ path: scope, dragonfly: removed.dragonfly, memory: removed.memory }, 'cache invalidated');
    return json(200, { path: scope, removed });
  };
  return [
    {
      method: 'GET',
      path: '/api/cache',
      handle: () => json(200, { memory_entries: cache.memoryEntries, dragonfly_connected: cache.dragonflyConnected }),
    },
    { method: 'DELETE', path: '/api/cache', handle: () => invalidate('') },
    {
      method: 'POST',
      path: '/api/cache/invalidate',
      handle: async (incoming) => invalidate(readPath(await incoming.json())),
    },
    {
      method: 'DELETE',
      path: '/api/cache/*',
      handle: (incoming) => invalidate(incoming.path.slice('/api/cache/'.length)),
    },
  ];
}

/** `{"all": true}`, or `{"path": "pulls"}` for a path below the repository. */
function readPath(value: unknown): string {
  const { all, path } = (typeof value === 'object' && value !== null ? value : {}) as { all?: unknown; path?: unknown };
  if (all === true && path === undefined) return '';
  if (typeof path === 'string' && all === undefined && path !== '') return path.replace(/^\//, '');
  throw new RequestError(400, 'The body is {"path": "pulls"} or {"all": true}.');
}
