import { observeCall } from '../surfaces/operation.ts';
import type { MessageHeaders } from './header-carrier.ts';
import { type Envelope, queueSurface, type SettledBy, type Settlement } from './queue-surface.ts';

export interface QueueOptions<Message> {
  /** `messaging.destination.name` of the spans, `queue` of the metrics. */
  readonly name: string;
  /** `messaging.system`; `in_process` unless given. */
  readonly system?: string;
  /** `message.id` unless given. */
  readonly idOf?: (message: Message) => string | number | undefined;
  /**
   * The headers that carry the trace: a plain object, or anything with `get`, `set` and `keys`. `message.headers` unless
   * given, which publishing adds to messages that have none.
   */
  readonly headersOf?: (message: Message) => MessageHeaders | undefined;
}

/** Tells what became of a message, where that is not: returned, so done with; thrown, so given back. The first word counts. */
export interface Delivery {
  ack(): void;
  /** `reason`, where it is given, is recorded as the error of the span. */
  nack(reason?: unknown): void;
}

/** A queue as the application sees it; every method answers what the function given to it answers. */
export interface ObservedQueue<Message> {
  /** Sends a message in a PRODUCER span, whose context is in the headers when `send` is called. */
  publish<Result>(message: Message, send: (message: Message) => Result): Result;
  /** Sends several messages in one span. */
  publishBatch<Result>(messages: readonly Message[], send: (messages: readonly Message[]) => Result): Result;
  /** Handles a message in a CONSUMER span, the child of its sender's; without one, of what is active, or a root. */
  process<Result>(message: Message, handle: (message: Message, delivery: Delivery) => Result): Result;
  /** Handles several messages in one span, which has links to their senders'; they are all done with, or all given back. */
  processBatch<Result>(
    messages: readonly Message[],
    handle: (messages: readonly Message[], delivery: Delivery) => Result,
  ): Result;
}

/** Wraps any queue: the application keeps calling its client, inside `publish` and `process`. */
export function observeQueue<Message>(options: QueueOptions<Message>): ObservedQueue<Message> {
  const queue = { name: options.name, system: options.system ?? 'in_process' };
  const envelopesOf = (messages: readonly Message[], isNew: boolean): Envelope[] =>
    messages.map((message) => envelopeOf(message, options, isNew));
  const publish = <Result>(messages: readonly Message[], send: () => Result): Result => {
    const recorder = queueSurface.recorder();
    return observeCall(
      recorder?.publish(queue, () => envelopesOf(messages, true)),
      send,
    );
  };
  const process = <Result>(messages: readonly Message[], isBatch: boolean, handle: (delivery: Delivery) => Result) => {
    const recorder = queueSurface.recorder();
    const settled = new FirstSettlement();
    const operation = recorder?.process(queue, () => envelopesOf(messages, false), settled, isBatch);
    return observeCall(operation, () => handle(settled));
  };
  return {
    publish: (message, send) => publish([message], () => send(message)),
    publishBatch: (messages, send) => publish(messages, () => send(messages)),
    process: (message, handle) => process([message], false, (delivery) => handle(message, delivery)),
    processBatch: (messages, handle) => process(messages, true, (delivery) => handle(messages, delivery)),
  };
}

class FirstSettlement implements Delivery, SettledBy {
  settlement: Settlement | undefined;
  reason: SettledBy['reason'];

  ack(): void {
    this.settlement ??= 'ack';
  }

  nack(reason?: unknown): void {
    if (this.settlement !== undefined) return;
    this.settlement = 'nack';
    if (reason !== undefined) this.reason = { error: reason };
  }
}

function envelopeOf<Message>(message: Message, { idOf, headersOf }: QueueOptions<Message>, isNew: boolean): Envelope {
  const object = typeof message === 'object' && message !== null ? message : undefined;
  const id: unknown = idOf === undefined ? object && Reflect.get(object, 'id') : idOf(message);
  if (headersOf === undefined && object !== undefined && isNew && Reflect.get(object, 'headers') === undefined)
    Reflect.set(object, 'headers', {});
  const headers: unknown = headersOf === undefined ? object && Reflect.get(object, 'headers') : headersOf(message);
  return {
    id: typeof id === 'string' || typeof id === 'number' ? String(id) : undefined,
    headers: typeof headers === 'object' && headers !== null ? headers : undefined,
  };
}
