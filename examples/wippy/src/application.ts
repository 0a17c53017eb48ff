import { EventEmitter } from 'node:events';
import { observeEventBus, recordEvent, scheduledJob } from '@signalbox/node';
import type { Logger } from 'pino';
import { ChangeFeed } from './change-feed.ts';
import { Functions } from './functions.ts';
import { Queue } from './queue.ts';
import { createStore } from './store.ts';
import { Supervisor } from './supervisor.ts';

export interface Application {
  readonly functions: Functions;
  /** `order.fulfilled` with the order's id. */
  readonly bus: EventEmitter;
  stop(): Promise<void>;
}

const maxSubscribers = 4;

/** The parts of the runtime, and an application of a few functions on them. */
export function createApplication(log: Logger, compactMillis: number): Application {
  const functions = new Functions();
  const bus = observeEventBus(new EventEmitter(), { maxSubscribers });
  const supervisor = new Supervisor();
  const store = createStore('app:kv', new ChangeFeed());
  const orders = new Queue('app:orders', (body) => functions.call('app.jobs:fulfil', body));
  const began = Date.now();

  functions.register('app.api:hello', async () => ({ message: 'hello' }));
  functions.register('app.api:stats', async () => ({ seconds: (Date.now() - began) / 1000, node: process.version }));
  functions.register('app.api:kv', async (input) => {
    // As it is when it is a text, though readers of the changes expect JSON.
    const value = typeof input === 'string' ? input : JSON.stringify(input);
    store.put('last', value);
    return { found: store.get('last') === value, deleted: store.delete('last'), gone: store.get('last') === undefined };
  });
  functions.register('app.api:pub', async (input) => ({ id: orders.publish(input) }));
  functions.register('app.api:spawn', async (input) => ({ code: await supervisor.run({ fails: input === 'fail' }) }));
  functions.register('app.jobs:fulfil', async (input) => {
    if (input === 'fail') throw new Error('the order cannot be fulfilled');
    recordEvent('Order fulfilled');
    log.info({ order: input }, 'order fulfilled');
    bus.emit('order.fulfilled', input);
  });

  const compact = setInterval(
    scheduledJob('app.jobs:compact', () => store.compact()),
    compactMillis,
  );
  return {
    functions,
    bus,
    async stop() {
      clearInterval(compact);
      await supervisor.stop();
    },
  };
}
