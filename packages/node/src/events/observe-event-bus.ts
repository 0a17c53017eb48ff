import type { EventEmitter } from 'node:events';
import type { InstrumentationContext } from '../instrumentation.ts';
import type { CellLookup, SumCell } from '../metrics/cells.ts';
import { defineSurface } from '../surfaces/surface.ts';

export interface EventBusOptions {
  /** Subscribers to refuse further ones from; any number unless given. */
  readonly maxSubscribers?: number;
}

/** `eventbus_subscribers_active`, and `eventbus_subscribers_rejected_total` by `reason`: names that take no prefix. */
const eventBusSurface = defineSurface('eventbus', (instrumentation) => new EventBusRecorder(instrumentation));
export const eventBusInstrumentation = eventBusSurface.instrumentation;

const additions = ['on', 'addListener', 'prependListener', 'once', 'prependOnceListener'] as const;
const removals = ['off', 'removeListener', 'removeAllListeners'] as const;

/**
 * Counts the subscribers of an `EventEmitter` that serves as an event bus, those that it has already included. With
 * `maxSubscribers` further ones are refused, with telemetry or without: subscribing throws a `RangeError`, and is counted with
 * the reason `cap`. Answers the emitter itself, whose methods are replaced.
 */
export function observeEventBus<Bus extends EventEmitter>(bus: Bus, { maxSubscribers }: EventBusOptions = {}): Bus {
  const subscribers = new Subscribers(bus);
  for (const method of additions) {
    replace(
      bus,
      method,
      (add) => {
        if (maxSubscribers !== undefined && subscribers.count() >= maxSubscribers) {
          eventBusSurface.recorder()?.reject('cap');
          throw new RangeError(
            `this event bus has ${maxSubscribers} subscribers, as many as its maxSubscribers allows: unsubscribe those that are done, or raise it`,
          );
        }
        return add();
      },
      subscribers,
    );
  }
  for (const method of removals) replace(bus, method, (remove) => remove(), subscribers);
  subscribers.report();
  return bus;
}

/** Puts `around` in place of a method; afterwards the subscribers are counted. */
function replace(
  bus: EventEmitter,
  method: (typeof additions)[number] | (typeof removals)[number],
  around: (original: () => unknown) => unknown,
  subscribers: Subscribers,
): void {
  const original: unknown = Reflect.get(bus, method);
  if (typeof original !== 'function') return;
  // Node's methods call each other (`once` calls `on`); only the outermost counts.
  Object.defineProperty(bus, method, {
    configurable: true,
    writable: true,
    enumerable: false,
    value(this: EventEmitter, ...args: unknown[]): unknown {
      const call = (): unknown => Reflect.apply(original, this, args);
      if (subscribers.isChanging) return call();
      return subscribers.change(() => around(call));
    },
  });
}

class Subscribers {
  readonly #bus: EventEmitter;
  isChanging = false;
  #recorder: EventBusRecorder | undefined;
  /** As many as `#recorder` has been told of. */
  #reported = 0;

  constructor(bus: EventEmitter) {
    this.#bus = bus;
  }

  count(): number {
    let count = 0;
    for (const name of this.#bus.eventNames()) count += this.#bus.listenerCount(name);
    return count;
  }

  /** Telemetry may have been started since the last time, and then knows of none. */
  report(): void {
    const recorder = eventBusSurface.recorder();
    if (recorder !== this.#recorder) this.#reported = 0;
    this.#recorder = recorder;
    if (recorder === undefined) return;
    const count = this.count();
    if (count !== this.#reported) recorder.change(count - this.#reported);
    this.#reported = count;
  }

  change(run: () => unknown): unknown {
    this.isChanging = true;
    try {
      return run();
    } finally {
      this.isChanging = false;
      this.report();
    }
  }
}

class EventBusRecorder {
  readonly #active: CellLookup<[], SumCell>;
  readonly #rejected: CellLookup<[reason: string], SumCell>;

  constructor({ cells }: InstrumentationContext) {
    this.#active = cells.upDownCounter(
      'eventbus_subscribers_active',
      { description: 'Subscribers of event buses.', unit: '{subscriber}' },
      () => ({}),
    );
    this.#rejected = cells.counter(
      'eventbus_subscribers_rejected_total',
      { description: 'Subscribers that event buses have refused.', unit: '{subscriber}' },
      (reason) => ({ reason }),
    );
  }

  change(by: number): void {
    this.#active().add(by);
  }

  reject(reason: string): void {
    this.#rejected(reason).add(1);
  }
}
