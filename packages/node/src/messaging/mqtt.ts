import type { EventEmitter } from 'node:events';
import { context, trace } from '@opentelemetry/api';
import { handleOf, type Instrumentation, type InstrumentationContext } from '../instrumentation.ts';
import type { AnyFunction, LoadedModule } from '../modules/loaded-module.ts';
import { type Operation, observeCall } from '../surfaces/operation.ts';
import { type MqttFilter, matchesTopic, parseFilter } from './mqtt-filters.ts';
import { type QueueIdentity, QueueRecorder, type SettledBy } from './queue-surface.ts';

interface Properties {
  readonly userProperties?: object;
}

interface Packet {
  /** Of one way between client and broker, and given again when that is done; 0 or absent where nothing is acknowledged. */
  readonly messageId?: number;
  readonly properties?: Properties;
}

interface Client extends EventEmitter {
  readonly options: { readonly protocolVersion?: number };
}

/** The client acknowledges by itself, as soon as the handlers were called. */
const nothingSaid: SettledBy = { settlement: undefined, reason: undefined };

/** MQTT.js 5. A message is published when the broker says so, if it is asked to, and processed until its listeners are done. */
export const mqttInstrumentation: Instrumentation = {
  name: 'mqtt',
  enable(instrumentation) {
    const { wants, onModule } = instrumentation;
    if (!wants.spans && !wants.metrics) return handleOf();
    const clients = new ObservedClients(instrumentation);
    return handleOf(
      onModule<{ default: { prototype: object } }>(
        'mqtt',
        // The first ones of 5 kept their files in another folder.
        { versions: { from: '5', below: '6' }, files: ['build/lib/client.js', 'build/src/lib/client.js'] },
        (exports, { wrap }) => {
          clients.observe(exports.default.prototype, wrap);
          return undefined;
        },
      ),
    );
  },
};

class ObservedClients {
  readonly #instrumentation: InstrumentationContext;
  readonly #recorder: QueueRecorder;
  /** What each client is subscribed to, as it was written. */
  readonly #filters = new WeakMap<object, Map<string, MqttFilter>>();

  constructor(instrumentation: InstrumentationContext) {
    this.#instrumentation = instrumentation;
    this.#recorder = new QueueRecorder(instrumentation);
  }

  observe(prototype: object, wrap: LoadedModule['wrap']): void {
    const { protect } = this.#instrumentation;
    const publish = protect<[Client, unknown[]], Operation | undefined>(
      (client, args) => this.#publish(client, args),
      () => undefined,
    );
    wrap(prototype, 'publish', (original) => observePublish(original, publish));
    const process = protect<[Client, unknown[]], Operation | undefined>(
      (client, args) => this.#process(client, args),
      () => undefined,
    );
    wrap(prototype, 'emit', (original) => observeMessages(original, process));
    const note = protect<[object, unknown, boolean], void>(
      (client, filters, isThere) => this.#noteFilters(client, filters, isThere),
      () => {},
    );
    for (const method of ['subscribe', 'unsubscribe'])
      wrap(
        prototype,
        method,
        (original) =>
          function (...args) {
            note(this as object, args[0], method === 'subscribe');
            return Reflect.apply(original, this, args);
          },
      );
  }

  /** Only MQTT 5 has room for a trace. The application's options and properties stay as they are. */
  #publish({ options }: Client, args: unknown[]): Operation | undefined {
    const [topic, , given] = args as [string, unknown, unknown];
    // Options may be left out, with the callback in their place.
    if (typeof given === 'function') args.splice(2, 1, {}, given);
    const own = args[2] as { readonly properties?: Properties } | null | undefined;
    const headers = options.protocolVersion === 5 ? { ...own?.properties?.userProperties } : undefined;
    const operation = this.#recorder.publish(mqttQueue(topic), () => [{ id: undefined, headers }]);
    // Properties without any are not the same to every broker.
    if (headers !== undefined && Object.keys(headers).length > 0)
      args[2] = { ...own, properties: { ...own?.properties, userProperties: headers } };
    return operation;
  }

  #process(client: Client, [, topic, , packet]: unknown[]): Operation | undefined {
    if (typeof topic !== 'string') return undefined;
    const { messageId, properties } = packet as Packet;
    const filters = this.#filters.get(client)?.values() ?? [];
    const filter = [...filters].find(({ pattern }) => matchesTopic(pattern, topic));
    const queue = mqttQueue(filter?.pattern ?? topic, {
      ...(filter !== undefined &&
        filter.pattern !== topic && {
          'messaging.destination.name': topic,
          'messaging.destination.template': filter.pattern,
        }),
      ...(filter?.group !== undefined && { 'messaging.consumer.group.name': filter.group }),
    });
    const envelope = { id: messageId ? String(messageId) : undefined, headers: properties?.userProperties };
    return this.#recorder.process(queue, () => [envelope], nothingSaid, false);
  }

  #noteFilters(client: object, given: unknown, isThere: boolean): void {
    const names = typeof given === 'string' ? [given] : Array.isArray(given) ? given : Object.keys(Object(given));
    let filters = this.#filters.get(client);
    if (filters === undefined) {
      filters = new Map();
      this.#filters.set(client, filters);
    }
    for (const name of names) {
      if (typeof name !== 'string' || name === 'resubscribe') continue;
      if (isThere) filters.set(name, parseFilter(name));
      else filters.delete(name);
    }
  }
}

function mqttQueue(name: string, attributes: QueueIdentity['attributes'] = {}): QueueIdentity {
  return { name, system: 'mqtt', attributes };
}

function observePublish(
  publish: AnyFunction,
  begin: (client: Client, args: unknown[]) => Operation | undefined,
): AnyFunction {
  return function (...args) {
    const operation = begin(this as Client, args);
    if (operation === undefined) return Reflect.apply(publish, this, args);
    const around = context.active();
    const callback = args[3];
    args[3] = (...answer: [error?: unknown, packet?: Packet]) => {
      const [error, packet] = answer;
      if (packet?.messageId)
        trace.getSpan(operation.context)?.setAttribute('messaging.message.id', String(packet.messageId));
      operation.end(error === null || error === undefined ? undefined : { error });
      if (typeof callback === 'function') context.with(around, callback as AnyFunction, undefined, ...answer);
    };
    try {
      return context.with(operation.context, () => Reflect.apply(publish, this, args));
    } catch (error) {
      operation.end({ error });
      throw error;
    }
  };
}

/** Calls the listeners of a message itself, as `emit` does, to know when those that are asynchronous are done. */
function observeMessages(
  emit: AnyFunction,
  begin: (client: Client, args: unknown[]) => Operation | undefined,
): AnyFunction {
  return function (...args) {
    const client = this as Client;
    if (args[0] !== 'message' || client.listenerCount('message') === 0) return Reflect.apply(emit, this, args);
    const operation = begin(client, args);
    if (operation === undefined) return Reflect.apply(emit, this, args);
    // What a listener rejects with is left to Node, as `emit` leaves it.
    void observeCall(operation, () => {
      const results = client.rawListeners('message').map((listener) => Reflect.apply(listener, client, args.slice(1)));
      const pending = results.filter((result) => result instanceof Promise);
      return pending.length === 0 ? undefined : Promise.all(pending);
    });
    return true;
  };
}
