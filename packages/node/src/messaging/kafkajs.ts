import { trace } from '@opentelemetry/api';
import { handleOf, type Instrumentation, type InstrumentationContext } from '../instrumentation.ts';
import type { AnyFunction, LoadedModule } from '../modules/loaded-module.ts';
import { type Failure, type Operation, observeCall } from '../surfaces/operation.ts';
import { type Envelope, type QueueIdentity, QueueRecorder, type SettledBy } from './queue-surface.ts';

interface Message {
  readonly headers?: object;
}

interface TopicMessages {
  readonly topic: string;
  readonly messages: readonly Message[];
}

interface Batch {
  readonly topicMessages: readonly TopicMessages[];
}

/** Where the broker has put messages of one partition, the first of them at `baseOffset`. */
interface Stored {
  readonly partition: number;
  readonly baseOffset?: string;
}

interface Delivered extends Message {
  readonly offset: string;
}

interface MessagePayload {
  readonly topic: string;
  readonly partition: number;
  readonly message: Delivered;
}

interface BatchPayload {
  readonly batch: { readonly topic: string; readonly partition: number; readonly messages: readonly Delivered[] };
}

interface RunConfig {
  readonly eachMessage?: (payload: MessagePayload) => Promise<void>;
  readonly eachBatch?: (payload: BatchPayload) => Promise<void>;
}

type Sender = Record<'send' | 'sendBatch', AnyFunction>;

/** Kafka has no acknowledgements of single messages: what a handler returns from is done with. */
const nothingSaid: SettledBy = { settlement: undefined, reason: undefined };

/** KafkaJS 2: what producers send, inside and outside of transactions, until the broker has it; what consumers run. */
export const kafkajsInstrumentation: Instrumentation = {
  name: 'kafkajs',
  enable(instrumentation) {
    const { wants, onModule } = instrumentation;
    if (!wants.spans && !wants.metrics) return handleOf();
    const clients = new ObservedClients(instrumentation);
    return handleOf(
      onModule<{ Kafka: { prototype: object } }>(
        'kafkajs',
        { versions: { from: '2', below: '3' } },
        ({ Kafka }, module) => {
          clients.observe(Kafka.prototype, module);
          return undefined;
        },
      ),
    );
  },
};

class ObservedClients {
  readonly #protect: InstrumentationContext['protect'];
  readonly #recorder: QueueRecorder;

  constructor(instrumentation: InstrumentationContext) {
    this.#protect = instrumentation.protect;
    this.#recorder = new QueueRecorder(instrumentation);
  }

  observe(prototype: object, { wrap }: LoadedModule): void {
    const observeProducer = this.#protect<[Sender & { transaction: AnyFunction }], void>(
      (producer) => this.#observeProducer(producer),
      () => {},
    );
    wrap(
      prototype,
      'producer',
      (create) =>
        function (...args) {
          const producer = Reflect.apply(create, this, args) as Sender & { transaction: AnyFunction };
          observeProducer(producer);
          return producer;
        },
    );
    const observeConsumer = this.#protect<[{ run: AnyFunction }, unknown], void>(
      (consumer, options) => this.#observeConsumer(consumer, (options as { groupId?: string } | undefined)?.groupId),
      () => {},
    );
    wrap(
      prototype,
      'consumer',
      (create) =>
        function (...args) {
          const consumer = Reflect.apply(create, this, args) as { run: AnyFunction };
          observeConsumer(consumer, args[0]);
          return consumer;
        },
    );
  }

  #observeProducer(producer: Sender & { transaction: AnyFunction }): void {
    const { transaction } = producer;
    const observeSender = this.#protect<[Sender], void>(
      (sender) => this.#observeSender(sender),
      () => {},
    );
    observeSender(producer);
    producer.transaction = async (...args) => {
      const begun = (await transaction(...args)) as Sender;
      observeSender(begun);
      return begun;
    };
  }

  #observeSender(sender: Sender): void {
    const { send, sendBatch } = sender;
    const beginSend = this.#protect<[unknown[]], Operation | undefined>(
      (args) => {
        const [given] = args as [TopicMessages | undefined];
        if (given === undefined || !Array.isArray(given.messages)) return undefined;
        const { sent, operation } = this.#publish(given);
        args[0] = sent;
        return operation;
      },
      () => undefined,
    );
    sender.send = (...args) => {
      const operation = beginSend(args);
      return observeCall(operation, () => send(...args));
    };
    const beginBatch = this.#protect<[unknown[]], Operation | undefined>(
      (args) => {
        const [given] = args as [Batch | undefined];
        const topics = given?.topicMessages;
        if (!Array.isArray(topics) || !topics.every(({ messages }) => Array.isArray(messages))) return undefined;
        const published = topics.map((topic: TopicMessages) => this.#publish(topic));
        args[0] = { ...given, topicMessages: published.map(({ sent }) => sent) };
        return together(published.flatMap(({ operation }) => operation ?? []));
      },
      () => undefined,
    );
    sender.sendBatch = (...args) => {
      const operation = beginBatch(args);
      return observeCall(operation, () => sendBatch(...args));
    };
  }

  /** The application's messages stay as they are; those that are sent are copies. */
  #publish(given: TopicMessages): { readonly sent: TopicMessages; readonly operation: Operation | undefined } {
    const envelopes = given.messages.map(({ headers }) => ({ id: undefined, headers: { ...headers } }));
    const operation = this.#recorder.publish(kafkaQueue(given.topic), () => envelopes);
    const messages = given.messages.map((message, index) => ({ ...message, headers: envelopes[index]?.headers ?? {} }));
    const isOne = messages.length === 1;
    return {
      sent: { ...given, messages },
      operation: operation && { ...operation, end: isOne ? endWithId(operation) : operation.end },
    };
  }

  #observeConsumer(consumer: { run: AnyFunction }, group: string | undefined): void {
    const { run } = consumer;
    const queueOf = (topic: string, partition: number, offset?: string): QueueIdentity =>
      kafkaQueue(topic, {
        'messaging.destination.partition.id': String(partition),
        ...(offset !== undefined && { 'messaging.kafka.offset': Number(offset) }),
        ...(group !== undefined && { 'messaging.consumer.group.name': group }),
      });
    const envelopeOf = (partition: number, { offset, headers }: Delivered): Envelope => ({
      id: idOf(partition, offset),
      headers,
    });
    const beginMessage = this.#protect<[MessagePayload], Operation | undefined>(
      ({ topic, partition, message }) =>
        this.#recorder.process(
          queueOf(topic, partition, message.offset),
          () => [envelopeOf(partition, message)],
          nothingSaid,
          false,
        ),
      () => undefined,
    );
    const beginBatch = this.#protect<[BatchPayload], Operation | undefined>(
      ({ batch: { topic, partition, messages } }) => {
        const envelopes = messages.map((message) => envelopeOf(partition, message));
        return this.#recorder.process(queueOf(topic, partition), () => envelopes, nothingSaid, true);
      },
      () => undefined,
    );
    consumer.run = (...args) => {
      const { eachMessage, eachBatch, ...config } = (args[0] ?? {}) as RunConfig;
      return run({
        ...config,
        ...(eachMessage && {
          eachMessage: (payload: MessagePayload) => observeCall(beginMessage(payload), () => eachMessage(payload)),
        }),
        ...(eachBatch && {
          eachBatch: (payload: BatchPayload) => observeCall(beginBatch(payload), () => eachBatch(payload)),
        }),
      });
    };
  }
}

function kafkaQueue(name: string, attributes: QueueIdentity['attributes'] = {}): QueueIdentity {
  return { name, system: 'kafka', attributes };
}

/** A message has no name but its place, in its topic. */
function idOf(partition: number, offset: string): string {
  return `${partition}:${offset}`;
}

function endWithId(operation: Operation): Operation['end'] {
  return (failure?: Failure, answer?: unknown) => {
    const [stored] = (Array.isArray(answer) ? answer : []) as Stored[];
    if (stored?.baseOffset !== undefined)
      trace.getSpan(operation.context)?.setAttribute('messaging.message.id', idOf(stored.partition, stored.baseOffset));
    operation.end(failure);
  };
}

/** Messages to several topics are sent by one call: their spans begin and end with it. */
function together(operations: readonly Operation[]): Operation | undefined {
  const [first] = operations;
  if (first === undefined) return undefined;
  return {
    context: first.context,
    end(failure) {
      for (const operation of operations) operation.end(failure);
    },
  };
}
