import { type Context, createContextKey } from '@opentelemetry/api';
import type { QueueIdentity } from '../queue-surface.ts';
import type { NatsHeaders } from './nats-headers.ts';

/** A message as it was delivered. */
export interface NatsMessage {
  readonly subject: string;
  readonly reply?: string;
  readonly headers?: NatsHeaders;
}

/** A connection, as far as it is looked at. */
export interface NatsConnection {
  /** What the server said of itself; undefined while there is none. */
  readonly info?: { readonly headers?: boolean };
  readonly options?: { readonly inboxPrefix?: string };
  closed(): Promise<unknown>;
}

/** The header by which JetStream recognises what it has stored before. */
export const messageIdHeader = 'Nats-Msg-Id';

export function natsQueue(name: string, attributes: QueueIdentity['attributes'] = {}): QueueIdentity {
  return { name, system: 'nats', attributes };
}

/** Whether applications send messages there: `$` begins what is the server's own, and answers go to inboxes. */
export function isForMessages(subject: string, { options }: NatsConnection): boolean {
  return !subject.startsWith('$') && !subject.startsWith(`${options?.inboxPrefix ?? '_INBOX'}.`);
}

const insideKey = createContextKey('signalbox: inside of a call of the NATS client');

/** Marks what the client does for a call that is observed already. */
export function insideCall(context: Context): Context {
  return context.setValue(insideKey, true);
}

export function isInsideCall(context: Context): boolean {
  return context.getValue(insideKey) === true;
}
