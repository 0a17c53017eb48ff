import type { Incoming } from './incoming.ts';
import type { Reply } from './reply.ts';

export interface Route {
  method: 'GET' | 'POST' | 'DELETE';
  /** A path, or a path that ends in `/*` for everything below it. */
  path: string;
  /** The low-cardinality name in telemetry where it is not `path` itself. */
  name?: (path: string) => string;
  handle: (incoming: Incoming) => Reply | Promise<Reply>;
}

export type Match = { name: string; route: Route } | { name: string; allow: string[] } | null;

/** The route for a request; `allow` when the path is known but not with this method; null when it is not known. */
export function findRoute(routes: readonly Route[], method: string, path: string): Match {
  const onPath = routes.filter((route) => covers(route.path, path));
  const first = onPath[0];
  if (!first) return null;
  const name = first.name?.(path) ?? first.path;
  const route = onPath.find((candidate) => candidate.method === method);
  if (!route) return { name, allow: onPath.map((candidate) => candidate.method) };
  return { name: route.name?.(path) ?? route.path, route };
}

function covers(pattern: string, path: string): boolean {
  if (!pattern.endsWith('/*')) return pattern === path;
  return path === pattern.slice(0, -2) || path.startsWith(pattern.slice(0, -1));
}
