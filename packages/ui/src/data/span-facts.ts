import type { Span } from '@signalbox/api-contract';
import { attributeText, findAttribute, printShort } from './attribute-value.ts';

/** The short word that tells spans of one name apart: the statement of a database call, the address of an HTTP call, the queue of a message. */
export function shortDetail({ attributes, kind }: Span): string {
  const query = findAttribute(attributes, 'db.query.text') ?? findAttribute(attributes, 'db.statement');
  if (query) return printShort(query, 80);
  const status =
    attributeText(attributes, 'http.response.status_code') || attributeText(attributes, 'http.status_code');
  if (kind === 'CLIENT') {
    const host = attributeText(attributes, 'server.address') || attributeText(attributes, 'net.peer.name');
    return [host, status].filter(Boolean).join(' ').slice(0, 80);
  }
  if (kind === 'SERVER') return status;
  return attributeText(attributes, 'messaging.destination.name').slice(0, 80);
}
