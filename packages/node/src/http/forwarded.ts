import type { IncomingHttpHeaders } from 'node:http';
import { headerText, parseHost } from './http-attributes.ts';

/** What proxies say of a request as the client made it. */
export interface Forwarded {
  readonly client?: string;
  readonly host?: string;
  readonly scheme?: 'http' | 'https';
}

/** How many headers' worth of hops is looked at. */
const maxHops = 32;

/**
 * Reads `Forwarded` (RFC 7239) or, where there is none, `X-Forwarded-For`, `-Host` and `-Proto`. Every proxy appends to
 * them what it saw, so that only the last entries are the proxies' own and the first is whatever the client sent: `trusted`
 * is the number of proxies in front of this server, or `true` to believe the first entry.
 */
export function readForwarded(headers: IncomingHttpHeaders, trusted: number | true): Forwarded {
  const standard = headerText(headers.forwarded);
  if (standard !== undefined) return readHop(pick(standard, trusted));
  const client = pick(headerText(headers['x-forwarded-for']), trusted);
  const host = pick(headerText(headers['x-forwarded-host']), trusted);
  const scheme = schemeOf(pick(headerText(headers['x-forwarded-proto']), trusted));
  return {
    ...(client !== undefined && { client: addressOf(client) }),
    ...(host !== undefined && { host }),
    ...(scheme !== undefined && { scheme }),
  };
}

function readHop(hop: string | undefined): Forwarded {
  const values = new Map<string, string>();
  for (const pair of (hop ?? '').split(';')) {
    const equals = pair.indexOf('=');
    if (equals < 0) continue;
    const value = pair.slice(equals + 1).trim();
    values.set(pair.slice(0, equals).trim().toLowerCase(), value.replace(/^"(.*)"$/, '$1'));
  }
  const client = values.get('for');
  const host = values.get('host');
  const scheme = schemeOf(values.get('proto'));
  return {
    // An obfuscated identifier (`_hidden`, `unknown`) is no address.
    ...(client !== undefined && !/^_|^unknown$/i.test(client) && { client: addressOf(client) }),
    ...(host !== undefined && host !== '' && { host }),
    ...(scheme !== undefined && { scheme }),
  };
}

/** The entry that the outermost trusted proxy made; with fewer entries than proxies, the first. */
function pick(list: string | undefined, trusted: number | true): string | undefined {
  if (list === undefined) return undefined;
  const entries = list.split(',').slice(-maxHops);
  const entry = entries[trusted === true ? 0 : Math.max(0, entries.length - trusted)]?.trim();
  return entry === '' ? undefined : entry;
}

/** Without the port that some proxies add. */
function addressOf(node: string): string {
  return node.includes('.') || node.startsWith('[') ? parseHost(node).address : node;
}

/** Part of a metric's series, so nothing but the two that a server of HTTP can have. */
function schemeOf(text: string | undefined): 'http' | 'https' | undefined {
  const scheme = text?.toLowerCase();
  return scheme === 'http' || scheme === 'https' ? scheme : undefined;
}
