/**
 * Whether trace context may be sent to `url`, by a list of hosts: a name (`api.example`), a name with its port
 * (`api.example:8443`), all names below one (`*.example`), or an expression for the origin (`https://api.example:8443`).
 */
export function createTargetFilter(targets: readonly (string | RegExp)[] | undefined): (url: URL) => boolean {
  if (targets === undefined) return () => true;
  const patterns = targets.map((target) => (target instanceof RegExp ? target : target.toLowerCase()));
  return (url) => patterns.some((pattern) => fits(pattern, url));
}

function fits(pattern: string | RegExp, url: URL): boolean {
  if (typeof pattern !== 'string') {
    // An expression with the flag `g` or `y` would begin where it last ended.
    pattern.lastIndex = 0;
    return pattern.test(url.origin);
  }
  const impliedPort = url.protocol === 'https:' ? '443' : '80';
  const withPort = `${url.hostname}:${url.port === '' ? impliedPort : url.port}`;
  if (pattern.startsWith('*.')) return url.hostname.endsWith(pattern.slice(1)) || withPort.endsWith(pattern.slice(1));
  return pattern === url.hostname || pattern === withPort;
}
