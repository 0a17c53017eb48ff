import { setTimeout as sleep } from 'node:timers/promises';
import { context, propagation, ROOT_CONTEXT } from '@opentelemetry/api';
import { beforeAll, describe, expect, test } from 'vitest';
import { functionSurface } from '../functions/function-surface.ts';
import { traced } from '../functions/traced.ts';
import type { OtlpSink } from '../testing/otlp-sink.ts';
import { record } from '../testing/record.ts';
import { type Delivery, observeQueue } from './observe-queue.ts';
import { queueSurface } from './queue-surface.ts';

const surfaces = [queueSurface.instrumentation, functionSurface.instrumentation];
const producer = 4;
const consumer = 5;

interface Message {
  id?: string;
  headers?: Record<string, unknown>;
  body: string;
}

/** As through a broker: only what can be written down arrives. */
function overTheWire<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value));
}

const orders = observeQueue<Message>({ name: 'orders', system: 'wippy' });

describe('one message from a function to its handler', () => {
  let sink: OtlpSink;
  const answers: unknown[] = [];
  const sent: Message[] = [];

  beforeAll(async () => {
    const checkout = traced(
      async () => orders.publish({ id: 'm1', body: 'secret' }, async (message) => sent.push(overTheWire(message))),
      { name: 'checkout' },
    );
    sink = await record(surfaces, async () => {
      answers.push(await checkout());
      const handle = traced(
        async ({ body }: Message) => {
          await sleep(10);
          return body;
        },
        { name: 'handle' },
      );
      for (const message of sent) answers.push(await orders.process(message, (received) => handle(received)));
    });
  });

  test('is one trace: function, producer, consumer, function', () => {
    expect(answers).toEqual([1, 'secret']);
    const chain = ['checkout', 'publish orders', 'process orders', 'handle'].map((name) => sink.span(name));
    expect(chain.map(({ kind }) => kind)).toEqual([2, producer, consumer, 1]);
    expect(new Set(chain.map(({ traceId }) => traceId)).size).toBe(1);
    expect(chain.slice(1).map(({ parentSpanId }) => parentSpanId)).toEqual(
      chain.slice(0, 3).map(({ spanId }) => spanId),
    );
  });

  test('has the names of the conventions, and the older messaging.operation', () => {
    expect(sink.span('publish orders').attributes).toEqual({
      'messaging.system': 'wippy',
      'messaging.destination.name': 'orders',
      'messaging.operation': 'publish',
      'messaging.operation.name': 'publish',
      'messaging.operation.type': 'send',
      'messaging.message.id': 'm1',
    });
    expect(sink.span('process orders').attributes).toEqual({
      'messaging.system': 'wippy',
      'messaging.destination.name': 'orders',
      'messaging.operation': 'process',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.message.id': 'm1',
    });
  });

  test('is counted as done with, timed, and no longer in flight', () => {
    const labels = { queue: 'orders', result: 'ack' };
    expect(sink.point('queue_messages_total')).toMatchObject({
      type: 'sum',
      monotonic: true,
      value: 1,
      attributes: labels,
    });
    const duration = sink.point('queue_process_duration_seconds');
    expect(duration).toMatchObject({ type: 'histogram', unit: 's', count: 1, attributes: labels });
    expect(duration.value).toBeGreaterThan(0.008);
    expect(sink.point('queue_in_flight')).toMatchObject({
      monotonic: false,
      value: 0,
      attributes: { queue: 'orders' },
    });
  });
});

describe('what becomes of a message', () => {
  test.each<[string, (message: Message, delivery: Delivery) => unknown, string, string | undefined]>([
    ['returned from', () => 1, 'ack', undefined],
    [
      'thrown',
      () => {
        throw new Error('bad');
      },
      'nack',
      'bad',
    ],
    [
      'rejected',
      async () => {
        throw new Error('bad later');
      },
      'nack',
      'bad later',
    ],
    ['given back', (_, delivery) => delivery.nack(), 'nack', undefined],
    ['given back for a reason', (_, delivery) => delivery.nack(new Error('not yet')), 'nack', 'not yet'],
    [
      'acknowledged before it failed',
      (_, delivery) => {
        delivery.ack();
        delivery.nack();
        throw new Error('late');
      },
      'ack',
      'late',
    ],
  ])('%s', async (_, handle, result, error) => {
    const sink = await record(surfaces, async () => {
      await (async () => orders.process({ id: '1', body: '' }, handle))().catch(() => {});
    });
    expect(sink.point('queue_messages_total').attributes).toEqual({ queue: 'orders', result });
    expect(sink.point('queue_in_flight').value).toBe(0);
    expect(sink.span('process orders').status).toEqual({ code: error === undefined ? 0 : 2, message: error ?? '' });
  });

  test('a failing send is the failure of the producer span, and reaches the application', async () => {
    const sink = await record(surfaces, () =>
      expect(
        orders.publish({ body: '' }, async () => {
          throw new Error('broker down');
        }),
      ).rejects.toThrow('broker down'),
    );
    expect(sink.span('publish orders').status).toEqual({ code: 2, message: 'broker down' });
  });
});

describe('parents', () => {
  test('without a sender the consumer span is a root; inside of something active, its child', async () => {
    const sink = await record(surfaces, () => {
      orders.process({ body: '', headers: { traceparent: 'nonsense' } }, () => {});
      traced(() => orders.process({ body: '' }, () => {}), { name: 'poll' })();
    });
    const [root, below] = sink.spans.filter(({ kind }) => kind === consumer);
    expect(root?.parentSpanId).toBe('');
    expect(below?.parentSpanId).toBe(sink.span('poll').spanId);
  });

  test('the sender is the parent wherever the message is handled, and its baggage arrives', async () => {
    let tenant: string | undefined;
    const sink = await record(surfaces, () => {
      const message: Message = { body: '' };
      const baggage = propagation.createBaggage({ tenant: { value: 'acme' } });
      context.with(propagation.setBaggage(ROOT_CONTEXT, baggage), () => orders.publish(message, () => {}));
      traced(
        () =>
          orders.process(overTheWire(message), () => {
            tenant = propagation.getActiveBaggage()?.getEntry('tenant')?.value;
          }),
        { name: 'poll' },
      )();
    });
    expect(sink.span('process orders').parentSpanId).toBe(sink.span('publish orders').spanId);
    expect(tenant).toBe('acme');
  });

  test('a batch has links to all senders, and no parent among them', async () => {
    const messages: Message[] = [
      { id: 'a', body: '' },
      { id: 'b', body: '' },
    ];
    const sink = await record(surfaces, () => {
      for (const message of messages) orders.publish(message, () => {});
      orders.processBatch([...overTheWire(messages), { body: '' }], () => {});
    });
    const senders = sink.spans.filter(({ kind }) => kind === producer);
    expect(sink.span('process orders').links).toEqual(senders.map(({ traceId, spanId }) => ({ traceId, spanId })));
    expect(sink.span('process orders')).toMatchObject({
      parentSpanId: '',
      attributes: { 'messaging.batch.message_count': 3 },
    });
    expect(sink.span('process orders').attributes).not.toHaveProperty('messaging.message.id');
    expect(sink.point('queue_messages_total').value).toBe(3);
    expect(sink.point('queue_process_duration_seconds').count).toBe(1);
    expect(sink.point('queue_in_flight').value).toBe(0);
  });

  test('one span sends a batch', async () => {
    const messages: Message[] = [{ body: '' }, { body: '' }];
    const sink = await record(surfaces, () => orders.publishBatch(messages, (all) => expect(all).toBe(messages)));
    const { traceId, spanId, attributes } = sink.span('publish orders');
    expect(messages.map(({ headers }) => headers?.traceparent)).toEqual(Array(2).fill(`00-${traceId}-${spanId}-01`));
    expect(attributes['messaging.batch.message_count']).toBe(2);
  });
});

describe('headers', () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

  test.each([
    ['text', { traceparent }],
    ['bytes', { traceparent: Buffer.from(traceparent) }],
    ['a list', { traceparent: [traceparent] }],
    ['a map', new Map([['traceparent', traceparent]])],
    ['Headers', new Headers({ traceparent })],
  ])('are read from %s', async (_, headers) => {
    const jobs = observeQueue<{ meta: object }>({ name: 'jobs', headersOf: ({ meta }) => meta, idOf: () => 7 });
    const sink = await record(surfaces, () => jobs.process({ meta: headers }, () => {}));
    expect(sink.span('process jobs')).toMatchObject({
      traceId: '0af7651916cd43dd8448eb211c80319c',
      parentSpanId: 'b7ad6b7169203331',
      attributes: { 'messaging.message.id': '7', 'messaging.system': 'in_process' },
    });
  });

  test('are written where they are kept', async () => {
    const meta = new Map<string, string>();
    const jobs = observeQueue<{ meta: Map<string, string> }>({ name: 'jobs', headersOf: (message) => message.meta });
    const sink = await record(surfaces, () => jobs.publish({ meta }, () => {}));
    expect(meta.get('traceparent')).toContain(sink.span('publish jobs').spanId);
  });
});

test('an instrumentation that fails, and none at all, leave messages and answers alone', async () => {
  const message = Object.freeze({ id: '1', body: 'b' });
  const broken = observeQueue<Message>({
    name: 'broken',
    idOf: () => {
      throw new Error('mine');
    },
  });
  expect(orders.publish(message, ({ body }) => body)).toBe('b');
  const sink = await record(surfaces, () => {
    expect(orders.publish(message, (sent) => sent)).toBe(message);
    expect(broken.process(message, ({ body }) => body)).toBe('b');
  });
  expect(sink.spans.map(({ name }) => name)).toEqual(['publish orders']);
});

test('without spans the sender is passed on all the same', async () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const forwarded: Message = { body: '' };
  const sink = await record(
    surfaces,
    () => orders.process({ body: '', headers: { traceparent } }, () => orders.publish(forwarded, () => {})),
    { switches: { queues: { spans: false } } },
  );
  expect(forwarded.headers).toEqual({ traceparent });
  expect(sink.spans).toEqual([]);
  expect(sink.point('queue_messages_total').value).toBe(1);
});
