/** What a route is found by. */
export interface Routable {
  readonly method: string;
  /** Below the API's root, e.g. `services/{service}/red`. */
  readonly pattern: string;
}

export interface RouteMatch<Route extends Routable> {
  readonly route: Route;
  readonly path: Readonly<Record<string, string>>;
}

/** Finds routes by their path. Fixed parts win over `{name}` parts, whatever the order of the routes. */
export class Router<Route extends Routable> {
  readonly #routes: readonly { readonly route: Route; readonly parts: readonly string[] }[];

  constructor(routes: readonly Route[]) {
    this.#routes = routes
      .map((route) => ({ route, parts: route.pattern.split('/') }))
      .sort((a, b) => variableParts(a.parts) - variableParts(b.parts));
  }

  /**
   * @param path below the root, still percent-encoded.
   * @returns the match; the methods that the path knows when this one is none of them; null when nothing has the path.
   */
  find(method: string, path: string): RouteMatch<Route> | readonly string[] | null {
    const parts = path.split('/').map(decodePart);
    const methods = new Set<string>();
    for (const { route, parts: pattern } of this.#routes) {
      const values = matchParts(pattern, parts);
      if (values === undefined) continue;
      if (route.method === method) return { route, path: values };
      methods.add(route.method);
    }
    return methods.size === 0 ? null : [...methods];
  }
}

function variableParts(parts: readonly string[]): number {
  return parts.filter((part) => part.startsWith('{')).length;
}

function matchParts(
  pattern: readonly string[],
  parts: readonly (string | undefined)[],
): Record<string, string> | undefined {
  if (pattern.length !== parts.length) return undefined;
  const values: Record<string, string> = {};
  for (const [index, expected] of pattern.entries()) {
    const part = parts[index];
    if (part === undefined) return undefined;
    if (expected.startsWith('{')) {
      if (part === '') return undefined;
      values[expected.slice(1, -1)] = part;
    } else if (expected !== part) return undefined;
  }
  return values;
}

/** Undefined for what is no percent-encoded UTF-8. */
function decodePart(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
