const knownMethods = new Set(['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'QUERY', 'TRACE']);
/** Those of the conventions, and the usual names of tokens and passwords. */
const sensitiveQueryKeys =
  /([?&](?:AWSAccessKeyId|Signature|sig|X-Goog-Signature|X-Amz-Signature|X-Amz-Credential|X-Amz-Security-Token|(?:[a-z]+[-_]?)?token|(?:[a-z]+[-_]?)?secret|api[-_]?key|pass|passwd|password|pwd|auth|authorization|jwt|session(?:[-_]?id)?)=)[^&#]*/gi;

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

interface HostAndPort {
  readonly address: string;
  readonly port: number | undefined;
}

let lastHost = '';
let lastParsed: HostAndPort = { address: '', port: undefined };

/** Splits `host:port`, `[::1]:port` or `host`. Clients of a service call it by the same name again and again. */
export function parseHost(host: string): HostAndPort {
  if (host !== lastHost) {
    lastParsed = splitHost(host);
    lastHost = host;
  }
  return lastParsed;
}

function splitHost(host: string): HostAndPort {
  const match = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(host);
  if (match === null) return { address: host, port: undefined };
  const address = (match[1] ?? '').replace(/^\[|\]$/g, '');
  return { address, port: match[2] === undefined ? undefined : Number(match[2]) };
}

/** Path and query (without `?`) of a request's target, which proxies are given as a whole URL, maybe with credentials. */
export function splitTarget(target: string): { path: string; query: string } {
  const url =
    !target.startsWith('/') && /^https?:\/\//i.test(target) && URL.canParse(target) ? new URL(target) : undefined;
  const text = url === undefined ? target : `${url.pathname}${url.search}`;
  const question = text.indexOf('?');
  return question < 0 ? { path: text, query: '' } : { path: text.slice(0, question), query: text.slice(question + 1) };
}

/** Replaces the values of secrets in query strings (given with or without leading `?`). */
export function redactQuery(query: string): string {
  return query.includes('=') ? `?${query}`.replace(sensitiveQueryKeys, '$1REDACTED').slice(1) : query;
}

/** `url.full`: credentials and secret query values redacted. */
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
