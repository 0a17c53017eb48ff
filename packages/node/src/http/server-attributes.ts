import type { Attributes } from '@opentelemetry/api';
import type { Forwarded } from './forwarded.ts';
import { normalizeMethod, parseHost, plainAddress, redactQuery, splitTarget } from './http-attributes.ts';
import type { ServerExchange } from './server-exchange.ts';

/** What a server span has when it ends, too. */
interface ServerAttributes extends Attributes {
  'http.route': string | undefined;
  'http.response.status_code': number | undefined;
  'http.response.body.size': number | undefined;
}

/** What a server span begins with: https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server */
export function serverRequestAttributes(exchange: ServerExchange, forwarded: Forwarded): ServerAttributes {
  const { method: rawMethod, headers, socket } = exchange;
  const method = normalizeMethod(rawMethod);
  const scheme = forwarded.scheme ?? exchange.scheme;
  const { path, query } = splitTarget(exchange.target);
  const host = forwarded.host ?? exchange.host;
  const server = host === undefined || host === '' ? undefined : parseHost(host);
  const impliedPort = scheme === 'https' ? 443 : 80;
  const remoteAddress = socket?.remoteAddress === undefined ? undefined : plainAddress(socket.remoteAddress);
  // All at once, undefined where there is none: an object that grows is copied for every few of them.
  const attributes: ServerAttributes = {
    'http.request.method': method,
    'url.scheme': scheme,
    'url.path': path,
    'network.protocol.version': exchange.protocolVersion,
    'server.address': server?.address,
    'server.port': server && (server.port ?? impliedPort),
    'network.peer.address': remoteAddress,
    'network.peer.port': socket?.remotePort,
    'client.address': forwarded.client ?? remoteAddress,
    'user_agent.original': headers['user-agent'],
    'http.route': undefined,
    'http.response.status_code': undefined,
    'http.response.body.size': undefined,
  };
  if (method !== rawMethod) attributes['http.request.method_original'] = rawMethod;
  if (query !== '') attributes['url.query'] = redactQuery(query);
  return attributes;
}

/** By name, in an object that has a place for them: one key after the other takes longer than the rest of the end of a span. */
export function completeAttributes(
  attributes: Attributes,
  route: string | undefined,
  status: number | undefined,
  size: number | undefined,
): void {
  if (route !== undefined) attributes['http.route'] = route;
  if (status !== undefined) attributes['http.response.status_code'] = status;
  if (size !== undefined) attributes['http.response.body.size'] = size;
}
