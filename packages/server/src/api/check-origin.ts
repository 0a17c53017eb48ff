import type { IncomingMessage } from 'node:http';
import type { HostCheck } from '../page/host-check.ts';
import { SignalboxError } from '../pipeline/signalbox-error.ts';

/**
 * Refuses requests that a page of another site makes, unless its origin is allowed (`*`: any). Browsers name the page's site in
 * `Origin` and `Sec-Fetch-Site`; other clients send neither.
 */
export function checkOrigin(request: IncomingMessage, hosts: HostCheck, allowedOrigins: readonly string[] = []): void {
  const { host, origin } = request.headers;
  if (!hosts.allows(host)) {
    throw new SignalboxError('invalid_argument', 'This host name is not one of mine', {
      hint: 'If it should be, name it with --allowed-hosts (SIGNALBOX_ALLOWED_HOSTS).',
    });
  }
  if (origin !== undefined && isAllowed(origin, allowedOrigins)) return;
  const crossSite = request.headers['sec-fetch-site'] === 'cross-site';
  if (crossSite || (origin !== undefined && origin.replace(/^.*?:\/\//, '').toLowerCase() !== host?.toLowerCase())) {
    throw new SignalboxError('invalid_argument', 'Only pages of this server may ask');
  }
}

export function isAllowed(origin: string, allowedOrigins: readonly string[]): boolean {
  return allowedOrigins.includes('*') || allowedOrigins.includes(origin);
}
