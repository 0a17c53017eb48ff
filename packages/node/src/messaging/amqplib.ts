import { context } from '@opentelemetry/api';
import { handleOf, type Instrumentation, type InstrumentationContext } from '../instrumentation.ts';
import type { AnyFunction, LoadedModule } from '../modules/loaded-module.ts';
import { type Operation, observeCall } from '../surfaces/operation.ts';
import { QueueRecorder, type Settlement } from './queue-surface.ts';
import { UnsettledMessage } from './unsettled-message.ts';

interface Properties {
  readonly headers?: object;
  readonly messageId?: string;
}

interface Message {
  readonly fields: { readonly deliveryTag: number };
  readonly properties: Properties;
}

interface Channel {
  once(event: 'close', listener: () => void): unknown;
}

type Callback = (message: Message | null) => unknown;
/** By delivery tag. */
type Unsettled = ReadonlyMap<number, UnsettledMessage>;

const methods = ['publish', 'consume', 'ack', 'nack', 'reject', 'ackAll', 'nackAll'] as const;

/**
 * amqplib, with promises and with callbacks. A message that has to be acknowledged is processed until it is, or until its
 * channel is closed, whatever comes first; one that has not, until its handler is done.
 */
export const amqplibInstrumentation: Instrumentation = {
  name: 'amqplib',
  enable(instrumentation) {
    const { wants, onModule } = instrumentation;
    if (!wants.spans && !wants.metrics) return handleOf();
    const channels = new ObservedChannels(instrumentation);
    return handleOf(
      onModule<{ Channel: { prototype: object }; ConfirmChannel: { prototype: object } }>(
        'amqplib',
        { versions: { from: '0.10', below: '3' }, files: ['lib/channel_model.js', 'lib/callback_model.js'] },
        ({ Channel, ConfirmChannel }, { wrap }) => {
          channels.observe(Channel.prototype, wrap);
          channels.observeConfirms(ConfirmChannel.prototype, wrap);
          return undefined;
        },
      ),
    );
  },
};

class ObservedChannels {
  readonly #protect: InstrumentationContext['protect'];
  readonly #recorder: QueueRecorder;
  readonly #unsettled = new WeakMap<Channel, Map<number, UnsettledMessage>>();
  /** Set while a channel with confirmations hands a message to the one without, which is then not to be seen again. */
  #isConfirmed = false;

  constructor(instrumentation: InstrumentationContext) {
    this.#protect = instrumentation.protect;
    this.#recorder = new QueueRecorder(instrumentation);
  }

  observe(prototype: object, wrap: LoadedModule['wrap']): void {
    const target = prototype as Record<(typeof methods)[number], AnyFunction>;
    const channels = this;
    const begin = this.#protect<[unknown[]], Operation | undefined>(
      (args) => this.#publish(args),
      () => undefined,
    );
    wrap(target, 'publish', (publish) => {
      return function (...args) {
        const operation = channels.#isConfirmed ? undefined : begin(args);
        return observeCall(operation, () => Reflect.apply(publish, this, args));
      };
    });
    wrap(target, 'consume', (consume) => {
      return function (...args) {
        const [queue, callback, options] = args as [string, Callback, { noAck?: boolean } | undefined];
        if (typeof callback === 'function')
          args[1] = channels.#observeCallback(this as Channel, String(queue), callback, options?.noAck === true);
        return Reflect.apply(consume, this, args);
      };
    });
    this.#settleWith(wrap, target, 'ack', 'ack', (unsettled, [message, allUpTo]) =>
      tagsOf(unsettled, message, allUpTo),
    );
    this.#settleWith(wrap, target, 'nack', 'nack', (unsettled, [message, allUpTo]) =>
      tagsOf(unsettled, message, allUpTo),
    );
    this.#settleWith(wrap, target, 'reject', 'nack', (unsettled, [message]) => tagsOf(unsettled, message, false));
    this.#settleWith(wrap, target, 'ackAll', 'ack', (unsettled) => [...unsettled.keys()]);
    this.#settleWith(wrap, target, 'nackAll', 'nack', (unsettled) => [...unsettled.keys()]);
  }

  /** A message for which the broker's word is asked for is published when the word is there. */
  observeConfirms(prototype: object, wrap: LoadedModule['wrap']): void {
    const channels = this;
    const begin = this.#protect<[unknown[]], Operation | undefined>(
      (args) => this.#publish(args),
      () => undefined,
    );
    wrap(prototype as Record<'publish', AnyFunction>, 'publish', (publish) => {
      return function (...args) {
        const operation = begin(args);
        if (operation === undefined) return Reflect.apply(publish, this, args);
        const parent = context.active();
        const confirmed = args[4];
        args[4] = (...answer: unknown[]) => {
          const [error] = answer;
          operation.end(error === null || error === undefined ? undefined : { error });
          if (typeof confirmed === 'function') context.with(parent, confirmed as AnyFunction, undefined, ...answer);
        };
        channels.#isConfirmed = true;
        try {
          return context.with(operation.context, () => Reflect.apply(publish, this, args));
        } catch (error) {
          operation.end({ error });
          throw error;
        } finally {
          channels.#isConfirmed = false;
        }
      };
    });
  }

  /** The headers are in options that belong to the application, so those of the message are others. */
  #publish(args: unknown[]): Operation | undefined {
    const [exchange, routingKey, , options] = args as [string, string, unknown, Properties | undefined];
    const headers = { ...options?.headers };
    args[3] = { ...options, headers };
    const queue = {
      // The exchange without a name hands on to the queue that the key names.
      name: exchange || routingKey,
      system: 'rabbitmq',
      attributes: { 'messaging.rabbitmq.destination.routing_key': routingKey },
    };
    return this.#recorder.publish(queue, () => [{ id: options?.messageId, headers }]);
  }

  #observeCallback(channel: Channel, queue: string, callback: Callback, noAck: boolean): Callback {
    const begin = this.#protect<[Message], UnsettledMessage | undefined>(
      (message) => {
        const { headers, messageId } = message.properties;
        const envelope = { id: messageId, headers };
        const unsettled = new UnsettledMessage().start((settledBy) =>
          this.#recorder.process({ name: queue, system: 'rabbitmq' }, () => [envelope], settledBy, false),
        );
        if (unsettled !== undefined && !noAck) this.#unsettledOf(channel).set(message.fields.deliveryTag, unsettled);
        return unsettled;
      },
      () => undefined,
    );
    return (message) => {
      // A consumer that the broker cancels is told so by a message that is none.
      const unsettled = message === null ? undefined : begin(message);
      const handle = () => callback(message);
      if (unsettled === undefined) return handle();
      return noAck ? unsettled.complete(handle) : unsettled.handle(handle);
    };
  }

  #unsettledOf(channel: Channel): Map<number, UnsettledMessage> {
    const known = this.#unsettled.get(channel);
    if (known !== undefined) return known;
    const created = new Map<number, UnsettledMessage>();
    this.#unsettled.set(channel, created);
    // The broker gives what is not settled by now to somebody else.
    channel.once('close', () => {
      const error = new Error('the channel was closed before the message was acknowledged');
      for (const unsettled of created.values()) unsettled.end({ error });
      created.clear();
    });
    return created;
  }

  #settleWith(
    wrap: LoadedModule['wrap'],
    target: Record<(typeof methods)[number], AnyFunction>,
    method: (typeof methods)[number],
    settlement: Settlement,
    select: (unsettled: Unsettled, args: readonly unknown[]) => readonly number[],
  ): void {
    const settle = this.#protect<[Channel, readonly unknown[]], void>(
      (channel, args) => {
        const unsettled = this.#unsettled.get(channel);
        if (unsettled === undefined) return;
        for (const tag of select(unsettled, args)) {
          unsettled.get(tag)?.settle(settlement);
          unsettled.delete(tag);
        }
      },
      () => {},
    );
    wrap(target, method, (original) => {
      return function (...args) {
        const answer = Reflect.apply(original, this, args);
        settle(this as Channel, args);
        return answer;
      };
    });
  }
}

/** The tag of a message or, where all up to it are meant, those of the ones before it as well. */
function tagsOf(unsettled: Unsettled, message: unknown, allUpTo: unknown): readonly number[] {
  const { deliveryTag } = (message as Message).fields;
  return allUpTo === true ? [...unsettled.keys()].filter((tag) => tag <= deliveryTag) : [deliveryTag];
}
