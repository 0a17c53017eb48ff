import type { Attributes } from '@opentelemetry/api';
import type { ServerExchange } from './server-exchange.ts';

/** The names of semantic conventions 1.20 and before, emitted beside the stable ones under `http/dup`. */
export function oldServerRequestAttributes(exchange: ServerExchange, stable: Attributes): Attributes {
  const query = stable['url.query'];
  const attributes: Attributes = {
    'http.method': stable['http.request.method'],
    'http.scheme': stable['url.scheme'],
    'http.target': `${stable['url.path']}${query === undefined ? '' : `?${query}`}`,
    'http.flavor': exchange.protocolVersion,
    'http.client_ip': stable['client.address'],
    'net.host.name': stable['server.address'],
    'net.host.port': stable['server.port'],
    'net.sock.peer.addr': stable['network.peer.address'],
    'net.sock.peer.port': stable['network.peer.port'],
    'http.user_agent': stable['user_agent.original'],
  };
  const length = Number(exchange.headers['content-length']);
  if (Number.isSafeInteger(length)) attributes['http.request_content_length'] = length;
  return attributes;
}

export function oldServerResponseAttributes(status: number | undefined, size: number | undefined): Attributes {
  return {
    ...(status !== undefined && { 'http.status_code': status }),
    ...(size !== undefined && { 'http.response_content_length': size }),
  };
}

export function oldClientRequestAttributes(stable: Attributes, url: URL): Attributes {
  return {
    'http.method': stable['http.request.method'],
    'http.url': stable['url.full'],
    'http.scheme': url.protocol.slice(0, -1),
    'http.target': `${url.pathname}${url.search === '' ? '' : (String(stable['url.full']).match(/\?[^#]*/)?.[0] ?? '')}`,
    'net.peer.name': stable['server.address'],
    'net.peer.port': stable['server.port'],
  };
}

export function oldClientResponseAttributes(outcome: Attributes): Attributes {
  return {
    'http.status_code': outcome['http.response.status_code'],
    'http.response_content_length': outcome['http.response.body.size'],
    'http.flavor': outcome['network.protocol.version'],
    'net.sock.peer.addr': outcome['network.peer.address'],
    'net.sock.peer.port': outcome['network.peer.port'],
  };
}
