import { context } from '@opentelemetry/api';
import { handleOf, type Instrumentation, type InstrumentationContext } from '../../instrumentation.ts';
import type { LoadedModule } from '../../modules/loaded-module.ts';
import { QueueRecorder } from '../queue-surface.ts';
import { type AckPolicy, type JetStreamMessage, JetStreams, type Source } from './jetstream.ts';
import { NatsConnections } from './nats-connection.ts';
import type { CreateHeaders } from './nats-headers.ts';
import { isInsideCall, type NatsConnection } from './nats-message.ts';

type Exports = Readonly<Record<string, unknown>>;

/** A consumer, as far as it is looked at; before version 3 one in order had no configuration, and is never acknowledged. */
interface Consumer {
  readonly api: { readonly nc: NatsConnection };
  readonly _info?: { readonly config?: { readonly ack_policy?: AckPolicy } };
}

/** A client of JetStream before version 3, which had ways of its own to consume. */
interface OldClient {
  readonly nc: NatsConnection;
}

/** What such a client knows of a subscription. */
interface SubscriptionInfo {
  readonly config: { readonly ack_policy?: AckPolicy };
}

/**
 * NATS: the package `nats` from 2.15 and the packages `@nats-io/…` 3. Each file of theirs that matters is patched by what it
 * exports.
 */
export const natsInstrumentation: Instrumentation = {
  name: 'nats',
  enable(instrumentation) {
    const { wants, onModule } = instrumentation;
    if (!wants.spans && !wants.metrics) return handleOf();
    const recorder = new QueueRecorder(instrumentation);
    const patchFor = () => {
      const connections = new NatsConnections(instrumentation, recorder);
      return new NatsPatch(instrumentation, connections, new JetStreams(instrumentation, recorder, connections));
    };
    const [older, newer] = [patchFor(), patchFor()];
    const base = (name: string) => `lib/nats-base-client/${name}.js`;
    const jetstream = (name: string) => `lib/jetstream/${name}.js`;
    const own = (name: string) => `lib/${name}.js`;
    const three = { from: '3', below: '4' };
    return handleOf(
      onModule<Exports>(
        'nats',
        {
          versions: { from: '2.15', below: '3' },
          files: [...['headers', 'nats'].map(base), ...['jsclient', 'consumer', 'jsmsg'].map(jetstream)],
        },
        (exports, module) => older.apply(exports, module),
      ),
      onModule<Exports>(
        '@nats-io/nats-core',
        { versions: three, files: ['headers', 'nats'].map(own) },
        (exports, module) => newer.apply(exports, module),
      ),
      onModule<Exports>(
        '@nats-io/jetstream',
        { versions: three, files: ['jsclient', 'consumer', 'pushconsumer', 'jsmsg'].map(own) },
        (exports, module) => newer.apply(exports, module),
      ),
    );
  },
};

/** The classes of one generation of the client. */
class NatsPatch {
  readonly #connections: NatsConnections;
  readonly #streams: JetStreams;
  readonly #sourceOf: (consumer: Consumer) => Source | undefined;
  readonly #oldSourceOf: (client: OldClient, info?: SubscriptionInfo) => Source | undefined;

  constructor({ protect }: InstrumentationContext, connections: NatsConnections, streams: JetStreams) {
    this.#connections = connections;
    this.#streams = streams;
    this.#sourceOf = protect<[Consumer], Source | undefined>(
      ({ api, _info }) => ({ connection: api.nc, ackPolicy: _info?.config?.ack_policy ?? 'none' }),
      () => undefined,
    );
    this.#oldSourceOf = protect<[OldClient, SubscriptionInfo?], Source | undefined>(
      ({ nc }, info) => ({ connection: nc, ackPolicy: info?.config.ack_policy ?? 'explicit' }),
      () => undefined,
    );
  }

  apply(exports: Exports, { wrap }: LoadedModule): undefined {
    const prototypeOf = (name: string) => (exports[name] as { readonly prototype: object } | undefined)?.prototype;
    if (typeof exports.headers === 'function') this.#connections.createHeaders = exports.headers as CreateHeaders;
    const connection = prototypeOf('NatsConnectionImpl');
    if (connection !== undefined) this.#connections.observe(connection, wrap);
    const message = prototypeOf('JsMsgImpl');
    if (message !== undefined) this.#streams.observeSettlements(message, wrap);
    for (const name of ['PullConsumerImpl', 'OrderedPullConsumerImpl', 'PushConsumerImpl']) {
      const consumer = prototypeOf(name);
      if (consumer !== undefined) this.#observeConsumer(consumer, wrap);
    }
    const client = prototypeOf('JetStreamClientImpl');
    if (client === undefined) return undefined;
    this.#streams.observePublish(client, wrap);
    if ('pullSubscribe' in client) this.#observeOldClient(client, wrap);
    return undefined;
  }

  #observeConsumer(prototype: object, wrap: LoadedModule['wrap']): void {
    const streams = this.#streams;
    const sourceOf = this.#sourceOf;
    for (const method of ['consume', 'fetch'].filter((name) => name in prototype))
      wrap(
        prototype,
        method,
        (original) =>
          function (...args) {
            if (isInsideCall(context.active())) return Reflect.apply(original, this, args);
            const source = sourceOf(this as Consumer);
            const options = args[0] as { readonly callback?: unknown } | undefined;
            if (typeof options?.callback === 'function')
              args[0] = { ...options, callback: streams.observeCallback(options.callback, source) };
            return (Reflect.apply(original, this, args) as Promise<AsyncIterable<JetStreamMessage>>).then(
              (messages) => {
                if (options?.callback === undefined) streams.observeLoop(messages, source);
                return messages;
              },
            );
          },
      );
    if ('next' in prototype)
      wrap(
        prototype,
        'next',
        (next) =>
          function (...args) {
            const receive = () => Reflect.apply(next, this, args) as Promise<JetStreamMessage | null>;
            return streams.observeReceive(receive, sourceOf(this as Consumer));
          },
      );
  }

  #observeOldClient(prototype: object, wrap: LoadedModule['wrap']): void {
    const streams = this.#streams;
    const sourceOf = this.#oldSourceOf;
    wrap(
      prototype,
      '_buildTypedSubscriptionOpts',
      (build) =>
        function (...args) {
          const source = sourceOf(this as OldClient, args[0] as SubscriptionInfo);
          const options = Reflect.apply(build, this, args) as { callback?: unknown };
          options.callback = streams.observeCallback(options.callback, source);
          return options;
        },
    );
    for (const method of ['subscribe', 'pullSubscribe'])
      wrap(
        prototype,
        method,
        (subscribe) =>
          async function (...args) {
            const subscription = (await Reflect.apply(subscribe, this, args)) as AsyncIterable<JetStreamMessage> & {
              readonly info: SubscriptionInfo;
            };
            streams.observeLoop(subscription, sourceOf(this as OldClient, subscription.info));
            return subscription;
          },
      );
    wrap(
      prototype,
      'fetch',
      (fetch) =>
        function (...args) {
          const messages = Reflect.apply(fetch, this, args) as AsyncIterable<JetStreamMessage>;
          streams.observeLoop(messages, sourceOf(this as OldClient));
          return messages;
        },
    );
    wrap(
      prototype,
      'pull',
      (pull) =>
        function (...args) {
          const receive = () => Reflect.apply(pull, this, args) as Promise<JetStreamMessage | null>;
          return streams.observeReceive(receive, sourceOf(this as OldClient));
        },
    );
  }
}
