const knownMethods = new Set(['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'QUERY', 'TRACE']);
const sensitiveQueryKeys =
  /([?&](?:AWSAccessKeyId|Signature|sig|X-Goog-Signature|X-Amz-Signature|X-Amz-Credential|X-Amz-Security-Token)=)[^&#]*/gi;

/** Bucket boundaries of `http.{server,client}.request.duration`, in seconds, as the conventions advise. */
export const durationBoundaries = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** `_OTHER` for methods outside the registry: a method is text from outside and must not make new series. */
export function normalizeMethod(method: string): string {
  return knownMethods.has(method) ? method : '_OTHER';
}

/** What a span is called by its method, following the conventions' rule for unknown ones. */
export function spanMethod(normalized: string): string {
  return normalized === '_OTHER' ? 'HTTP' : normalized;
}

/** Splits `host:port`, `[::1]:port` or `host`. */
export function parseHost(host: string): { address: string; port: number | undefined } {
  const match = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(host);
  if (match === null) return { address: host, port: undefined };
  const address = (match[1] ?? '').replace(/^\[|\]$/g, '');
  return { address, port: match[2] === undefined ? undefined : Number(match[2]) };
}

/** Replaces the values that the conventions name as secrets in query strings (given with or without leading `?`). */
export function redactQuery(query: string): string {
  return query.includes('=') ? `?${query}`.replace(sensitiveQueryKeys, '$1REDACTED').slice(1) : query;
}

/** `url.full`: credentials and the conventions' secret query values redacted. */
export function redactUrl(url: URL): string {
  const hasCredentials = url.username !== '' || url.password !== '';
  if (!hasCredentials && url.search === '') return url.href;
  const copy = new URL(url);
  if (copy.username !== '') copy.username = 'REDACTED';
  if (copy.password !== '') copy.password = 'REDACTED';
  if (copy.search !== '') copy.search = redactQuery(copy.search.slice(1));
  return copy.href;
}

/** Text of a header that may be absent, a list or a number. */
export function headerText(value: number | string | readonly string[] | undefined): string | undefined {
  if (value === undefined) return undefined;
  return typeof value === 'object' ? value[0] : String(value);
}

/** An IPv4 client of a dual-stack socket appears as `::ffff:10.0.0.1`; its address is what follows. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address;
}
