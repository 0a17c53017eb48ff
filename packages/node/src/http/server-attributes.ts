import type { Attributes } from '@opentelemetry/api';
import type { Forwarded } from './forwarded.ts';
import { normalizeMethod, parseHost, plainAddress, redactQuery, splitTarget } from './http-attributes.ts';
import type { ServerExchange } from './server-exchange.ts';

/** What a server span begins with: https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server */
export function serverRequestAttributes(exchange: ServerExchange, forwarded: Forwarded): Attributes {
  const { method: rawMethod, headers, socket } = exchange;
  const method = normalizeMethod(rawMethod);
  const scheme = forwarded.scheme ?? exchange.scheme;
  const { path, query } = splitTarget(exchange.target);
  const host = forwarded.host ?? exchange.host;
  const server = host === undefined || host === '' ? undefined : parseHost(host);
  const impliedPort = scheme === 'https' ? 443 : 80;
  const remoteAddress = socket?.remoteAddress === undefined ? undefined : plainAddress(socket.remoteAddress);
  // All at once, undefined where there is none: an object that grows is copied for every few of them.
  const attributes: Attributes = {
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
  };
  if (method !== rawMethod) attributes['http.request.method_original'] = rawMethod;
  if (query !== '') attributes['url.query'] = redactQuery(query);
  return attributes;
}
