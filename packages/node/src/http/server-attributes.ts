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
  const attributes: Attributes = {
    'http.request.method': method,
    'url.scheme': scheme,
    'url.path': path,
    'network.protocol.version': exchange.protocolVersion,
  };
  if (method !== rawMethod) attributes['http.request.method_original'] = rawMethod;
  if (query !== '') attributes['url.query'] = redactQuery(query);
  const host = forwarded.host ?? exchange.host;
  if (host !== undefined && host !== '') {
    const { address, port } = parseHost(host);
    attributes['server.address'] = address;
    const impliedPort = scheme === 'https' ? 443 : 80;
    attributes['server.port'] = port ?? impliedPort;
  }
  const remotePort = socket?.remotePort;
  const remoteAddress = socket?.remoteAddress === undefined ? undefined : plainAddress(socket.remoteAddress);
  if (remoteAddress !== undefined) attributes['network.peer.address'] = remoteAddress;
  if (remotePort !== undefined) attributes['network.peer.port'] = remotePort;
  const client = forwarded.client ?? remoteAddress;
  if (client !== undefined) attributes['client.address'] = client;
  const userAgent = headers['user-agent'];
  if (userAgent !== undefined) attributes['user_agent.original'] = userAgent;
  return attributes;
}
