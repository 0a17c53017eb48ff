/** A GitHub path with its query in one order, so that `?a&b` and `?b&a` share an entry. */
export function cacheKey(path: string, query: URLSearchParams): string {
  const sorted = new URLSearchParams(query);
  sorted.sort();
  const text = sorted.toString();
  return text === '' ? path : `${path}?${text}`;
}

/** Whether `key` belongs to `path` or to something below it; a null path takes everything. */
export function isKeyBelow(key: string, path: string | null): boolean {
  if (path === null || key === path) return true;
  return key.startsWith(path) && (key[path.length] === '/' || key[path.length] === '?');
}
