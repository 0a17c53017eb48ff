import { context, trace } from '@opentelemetry/api';
import type { InstrumentationContext } from '../../instrumentation.ts';
import type { LoadedModule } from '../../modules/loaded-module.ts';
import { type Operation, observeCall } from '../../surfaces/operation.ts';
import { observeIteration } from '../observe-iteration.ts';
import type { QueueRecorder, Settlement } from '../queue-surface.ts';
import { UnsettledMessage } from '../unsettled-message.ts';
import type { NatsConnections } from './nats-connection.ts';
import { NatsHeaderReader, type NatsHeaders } from './nats-headers.ts';
import {
  insideCall,
  isForMessages,
  isInsideCall,
  messageIdHeader,
  type NatsConnection,
  type NatsMessage,
  natsQueue,
} from './nats-message.ts';

/** A stored message, with what the server says of it. */
export interface JetStreamMessage extends NatsMessage {
  readonly info: { readonly stream: string; readonly consumer: string; readonly streamSequence: number };
}

interface PublishOptions {
  readonly msgID?: string;
  readonly headers?: NatsHeaders;
}

/** Who has to acknowledge what: each message, with one all before it, or nobody anything. */
export type AckPolicy = 'explicit' | 'all' | 'none';

/** Where messages come from. */
export interface Source {
  readonly connection: NatsConnection;
  readonly ackPolicy: AckPolicy;
}

interface Delivered {
  readonly unsettled: UnsettledMessage;
  readonly source: Source;
  readonly info: JetStreamMessage['info'];
}

/** Messages that one connection leaves unsettled at once; the server gives out a thousand unless told otherwise. */
const maxUnsettled = 10_000;

/**
 * What is sent to a stream, until the stream has it, and what consumers do with its messages: until they are acknowledged or
 * given back, delivered again, or their connection is closed.
 */
export class JetStreams {
  readonly #instrumentation: InstrumentationContext;
  readonly #recorder: QueueRecorder;
  readonly #connections: NatsConnections;
  readonly #delivered = new WeakMap<object, Delivered>();
  readonly #unsettled = new WeakMap<NatsConnection, Map<string, Delivered>>();
  /** Observes loops over these messages. */
  readonly observeLoop: (messages: AsyncIterable<JetStreamMessage>, source: Source | undefined) => void;
  readonly #begin: (message: JetStreamMessage, source: Source) => UnsettledMessage | undefined;

  constructor(instrumentation: InstrumentationContext, recorder: QueueRecorder, connections: NatsConnections) {
    this.#instrumentation = instrumentation;
    this.#recorder = recorder;
    this.#connections = connections;
    this.#begin = instrumentation.protect<[JetStreamMessage, Source], UnsettledMessage | undefined>(
      (message, source) => this.#process(message, source),
      () => undefined,
    );
    this.observeLoop = instrumentation.protect<[AsyncIterable<JetStreamMessage>, Source | undefined], void>(
      (messages, source) => source && this.#observeLoop(messages, source),
      () => {},
    );
  }

  observePublish(prototype: object, wrap: LoadedModule['wrap']): void {
    const begin = this.#instrumentation.protect<[NatsConnection, unknown[]], Operation | undefined>(
      (connection, args) => this.#publish(connection, args),
      () => undefined,
    );
    wrap(
      prototype,
      'publish',
      (publish) =>
        function (...args) {
          const { nc } = this as { readonly nc: NatsConnection };
          const operation = isInsideCall(context.active()) ? undefined : begin(nc, args);
          if (operation === undefined) return Reflect.apply(publish, this, args);
          return observeCall(operation, async () => {
            const stored = (await Reflect.apply(publish, this, args)) as { readonly seq: number };
            const span = trace.getSpan(operation.context);
            if ((args[2] as PublishOptions).msgID === undefined)
              span?.setAttribute('messaging.message.id', String(stored.seq));
            return stored;
          });
        },
    );
  }

  /** `ack`, `nak` and their like; what the server has not heard is not said. */
  observeSettlements(prototype: object, wrap: LoadedModule['wrap']): void {
    const settle = this.#instrumentation.protect<[unknown, Settlement, unknown], void>(
      (message, settlement, reason) => this.#settle(message as JetStreamMessage, settlement, reason),
      () => {},
    );
    const settlements = { ack: 'ack', ackAck: 'ack', next: 'ack', nak: 'nack', term: 'nack' } as const;
    for (const [method, settlement] of Object.entries(settlements))
      wrap(
        prototype,
        method,
        (original) =>
          function (...args) {
            const answer = Reflect.apply(original, this, args);
            // Why a message is never to be given again is the only reason that there is.
            const reason = method === 'term' && typeof args[0] === 'string' && args[0] !== '' ? args[0] : undefined;
            if (!(answer instanceof Promise)) {
              settle(this, settlement, reason);
              return answer;
            }
            return answer.then((result: unknown) => {
              settle(this, settlement, reason);
              return result;
            });
          },
      );
  }

  /** For what subscribes with a function; anything else is left as it is. */
  observeCallback(callback: unknown, source: Source | undefined): unknown {
    if (source === undefined || typeof callback !== 'function') return callback;
    const begin = this.#begin;
    return (...args: [JetStreamMessage]) => {
      const unsettled = begin(args[0], source);
      const handle = () => Reflect.apply(callback, undefined, args);
      if (unsettled === undefined) return handle();
      return source.ackPolicy === 'none' ? unsettled.complete(handle) : unsettled.handle(handle);
    };
  }

  #observeLoop(messages: AsyncIterable<JetStreamMessage>, source: Source): void {
    const iterate = messages[Symbol.asyncIterator].bind(messages);
    const begin = (message: JetStreamMessage) => {
      const unsettled = this.#begin(message, source);
      if (unsettled?.context === undefined) return undefined;
      const leave = source.ackPolicy === 'none' ? () => unsettled.end() : () => {};
      return { context: unsettled.context, leave };
    };
    messages[Symbol.asyncIterator] = () =>
      observeIteration(iterate(), begin, (entered) => this.#instrumentation.enterContext(entered));
  }

  /**
   * A single message, which is worked on until it is acknowledged; nobody knows how long one that need not be. What awaits
   * the message keeps the context that it has.
   */
  async observeReceive(
    receive: () => Promise<JetStreamMessage | null>,
    source: Source | undefined,
  ): Promise<JetStreamMessage | null> {
    const message = await context.with(insideCall(context.active()), receive);
    if (source === undefined || message === null) return message;
    const unsettled = this.#begin(message, source);
    if (source.ackPolicy === 'none') unsettled?.end();
    return message;
  }

  #publish(connection: NatsConnection, args: unknown[]): Operation | undefined {
    const [subject, , options] = args as [string, unknown, PublishOptions | undefined];
    if (typeof subject !== 'string' || !isForMessages(subject, connection)) return undefined;
    const headers = this.#connections.writableHeaders(connection, options?.headers);
    args[2] = { ...options, ...(headers && { headers }) };
    const operation = this.#recorder.publish(natsQueue(subject), () => [{ id: options?.msgID, headers }]);
    return operation && { context: insideCall(operation.context), end: operation.end };
  }

  #process(message: JetStreamMessage, source: Source): UnsettledMessage | undefined {
    const { info, headers, subject } = message;
    const queue = natsQueue(info.stream, {
      'messaging.destination.name': subject,
      'messaging.destination.subscription.name': info.consumer,
    });
    const id = headers?.values(messageIdHeader)[0] ?? String(info.streamSequence);
    const envelope = { id, headers: headers && new NatsHeaderReader(headers) };
    const unsettled = new UnsettledMessage().start((settledBy) =>
      this.#recorder.process(queue, () => [envelope], settledBy, false),
    );
    if (unsettled === undefined || source.ackPolicy === 'none') return unsettled;
    const all = this.#unsettledOf(source.connection);
    const key = keyOf(info);
    all
      .get(key)
      ?.unsettled.end({ error: new Error('the message was not acknowledged in time and is delivered again') });
    const [oldest] = all;
    if (all.size >= maxUnsettled && oldest !== undefined) {
      oldest[1].unsettled.end({ error: new Error('the message is one of too many that were never acknowledged') });
      all.delete(oldest[0]);
    }
    const delivered = { unsettled, source, info };
    all.delete(key);
    all.set(key, delivered);
    this.#delivered.set(message, delivered);
    return unsettled;
  }

  #unsettledOf(connection: NatsConnection): Map<string, Delivered> {
    const known = this.#unsettled.get(connection);
    if (known !== undefined) return known;
    const created = new Map<string, Delivered>();
    this.#unsettled.set(connection, created);
    const end = (): void => {
      const error = new Error('the connection was closed before the message was acknowledged');
      for (const { unsettled } of created.values()) unsettled.end({ error });
      created.clear();
    };
    connection.closed().then(end, end);
    return created;
  }

  #settle(message: JetStreamMessage, settlement: Settlement, reason: unknown): void {
    const delivered = this.#delivered.get(message);
    if (delivered === undefined) return;
    const { source, info } = delivered;
    const all = this.#unsettledOf(source.connection);
    const settled = source.ackPolicy === 'all' && settlement === 'ack' ? upTo(all.values(), info) : [delivered];
    for (const { unsettled, info } of settled) {
      unsettled.settle(settlement, reason === undefined ? undefined : { error: reason });
      if (all.get(keyOf(info))?.unsettled === unsettled) all.delete(keyOf(info));
    }
  }
}

function keyOf({ stream, consumer, streamSequence }: JetStreamMessage['info']): string {
  return `${stream} ${consumer} ${streamSequence}`;
}

/** Those of the same consumer that an acknowledgement of this one acknowledges. */
function upTo(delivered: Iterable<Delivered>, last: JetStreamMessage['info']): Delivered[] {
  return [...delivered].filter(
    ({ info }) =>
      info.stream === last.stream && info.consumer === last.consumer && info.streamSequence <= last.streamSequence,
  );
}
