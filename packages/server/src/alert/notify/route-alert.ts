import type { Route } from './notification-config.ts';

/** A group that an alert belongs to. */
export interface AlertGroupPlace {
  /** Path of the route and values of the labels by which it groups: equal for alerts of one group. */
  readonly key: string;
  readonly route: Route;
  readonly labels: Readonly<Record<string, string>>;
}

/** Where an alert goes: the deepest routes that match, the first of siblings unless it says `continue`. */
export function groupsOf(root: Route, labels: Readonly<Record<string, string>>): AlertGroupPlace[] {
  return routesOf(root, '{}', labels).map(({ route, path }) => {
    const names = route.groupBy === 'all' ? Object.keys(labels) : route.groupBy;
    const entries = names.toSorted().flatMap((name) => {
      const value = labels[name];
      return value === undefined ? [] : [[name, value] as const];
    });
    return { key: `${path}:${JSON.stringify(entries)}`, route, labels: Object.fromEntries(entries) };
  });
}

function routesOf(
  route: Route,
  path: string,
  labels: Readonly<Record<string, string>>,
): { route: Route; path: string }[] {
  const found: { route: Route; path: string }[] = [];
  for (const [index, child] of route.routes.entries()) {
    if (!child.matchers.every((matcher) => matcher.matches(labels))) continue;
    found.push(...routesOf(child, `${path}/${index}`, labels));
    if (!child.continue) break;
  }
  return found.length > 0 ? found : [{ route, path }];
}
