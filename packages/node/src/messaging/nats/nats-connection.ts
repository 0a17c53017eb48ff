import { context } from '@opentelemetry/api';
import type { InstrumentationContext } from '../../instrumentation.ts';
import type { AnyFunction, LoadedModule } from '../../modules/loaded-module.ts';
import { type Operation, observeCall } from '../../surfaces/operation.ts';
import { observeIteration } from '../observe-iteration.ts';
import type { QueueRecorder, SettledBy } from '../queue-surface.ts';
import { type CreateHeaders, copyHeaders, NatsHeaderReader, type NatsHeaders } from './nats-headers.ts';
import {
  insideCall,
  isForMessages,
  isInsideCall,
  messageIdHeader,
  type NatsConnection,
  type NatsMessage,
  natsQueue,
} from './nats-message.ts';

interface SendOptions {
  readonly headers?: NatsHeaders;
  readonly reply?: string;
}

interface SubscribeOptions {
  readonly queue?: string;
  readonly callback?: (error: unknown, message: NatsMessage) => unknown;
}

type Subscription = AsyncIterable<NatsMessage>;

/** Core NATS has no acknowledgements. */
const nothingSaid: SettledBy = { settlement: undefined, reason: undefined };

/** Core NATS: what a connection publishes, requests and is subscribed to. A request lasts until it is answered. */
export class NatsConnections {
  readonly #instrumentation: InstrumentationContext;
  readonly #recorder: QueueRecorder;
  readonly #send: (connection: NatsConnection, args: unknown[]) => Operation | undefined;
  readonly #begin: (subject: string, group: string | undefined, message: NatsMessage) => Operation | undefined;
  /** The client's own way to make headers, whose file is loaded before what needs it. */
  createHeaders: CreateHeaders | undefined;

  constructor(instrumentation: InstrumentationContext, recorder: QueueRecorder) {
    this.#instrumentation = instrumentation;
    this.#recorder = recorder;
    this.#send = instrumentation.protect<[NatsConnection, unknown[]], Operation | undefined>(
      (connection, args) => this.#publish(connection, args),
      () => undefined,
    );
    this.#begin = instrumentation.protect<[string, string | undefined, NatsMessage], Operation | undefined>(
      (subject, group, message) => this.#process(subject, group, message),
      () => undefined,
    );
  }

  observe(prototype: object, wrap: LoadedModule['wrap']): void {
    const send = this.#send;
    const observeSend = (original: AnyFunction): AnyFunction =>
      function (...args) {
        const operation = isInsideCall(context.active()) ? undefined : send(this as NatsConnection, args);
        return observeCall(operation, () => Reflect.apply(original, this, args));
      };
    for (const method of ['publish', 'request', 'requestMany']) wrap(prototype, method, observeSend);
    const connections = this;
    wrap(
      prototype,
      'subscribe',
      (subscribe) =>
        function (...args) {
          const [subject, options] = args as [string, SubscribeOptions | undefined];
          if (typeof subject !== 'string' || !isForMessages(subject, this as NatsConnection))
            return Reflect.apply(subscribe, this, args);
          const callback = options?.callback;
          if (typeof callback === 'function') {
            args[1] = { ...options, callback: connections.#observeCallback(subject, options?.queue, callback) };
            return Reflect.apply(subscribe, this, args);
          }
          const subscription = Reflect.apply(subscribe, this, args) as Subscription;
          connections.#observeLoop(subscription, subject, options?.queue);
          return subscription;
        },
    );
  }

  #publish(connection: NatsConnection, args: unknown[]): Operation | undefined {
    const [subject, , options] = args as [string, unknown, SendOptions | undefined];
    if (typeof subject !== 'string' || !isForMessages(subject, connection)) return undefined;
    const headers = this.writableHeaders(connection, options?.headers);
    if (headers !== undefined) args[2] = { ...options, headers };
    const id = options?.headers?.values(messageIdHeader)[0];
    const operation = this.#recorder.publish(natsQueue(subject), () => [{ id, headers }]);
    return operation && { context: insideCall(operation.context), end: operation.end };
  }

  /** Undefined where the server, or one not known yet, would refuse a message for having headers. */
  writableHeaders(connection: NatsConnection, headers: NatsHeaders | undefined): NatsHeaders | undefined {
    if (this.createHeaders === undefined || connection.info?.headers !== true) return undefined;
    return copyHeaders(headers, this.createHeaders);
  }

  #process(subject: string, group: string | undefined, message: NatsMessage): Operation | undefined {
    const { headers, reply } = message;
    // What JetStream pushes is looked at there; a code is a word of the server's.
    if (reply?.startsWith('$JS.') === true || (headers?.code ?? 0) > 0) return undefined;
    const queue = natsQueue(subject, {
      ...(message.subject !== subject && {
        'messaging.destination.name': message.subject,
        'messaging.destination.template': subject,
      }),
      ...(group && { 'messaging.consumer.group.name': group }),
    });
    const id = headers?.values(messageIdHeader)[0];
    const envelope = { id, headers: headers && new NatsHeaderReader(headers) };
    return this.#recorder.process(queue, () => [envelope], nothingSaid, false);
  }

  #observeCallback(
    subject: string,
    group: string | undefined,
    callback: NonNullable<SubscribeOptions['callback']>,
  ): SubscribeOptions['callback'] {
    const begin = this.#begin;
    return (error, message) => {
      const operation = error ? undefined : begin(subject, group, message);
      return observeCall(operation, () => callback(error, message));
    };
  }

  #observeLoop(subscription: Subscription, subject: string, group: string | undefined): void {
    const iterate = subscription[Symbol.asyncIterator].bind(subscription);
    const begin = (message: NatsMessage) => {
      const operation = this.#begin(subject, group, message);
      return operation && { context: operation.context, leave: () => operation.end() };
    };
    subscription[Symbol.asyncIterator] = () =>
      observeIteration(iterate(), begin, (entered) => this.#instrumentation.enterContext(entered));
  }
}
