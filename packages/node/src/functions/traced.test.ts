import { setTimeout as sleep } from 'node:timers/promises';
import { context, SpanKind, trace } from '@opentelemetry/api';
import { beforeAll, describe, expect, test } from 'vitest';
import type { OtlpSink, SinkSpan } from '../testing/otlp-sink.ts';
import { record } from '../testing/record.ts';
import { functionSurface } from './function-surface.ts';
import { traced } from './traced.ts';
import { tracedClass } from './traced-methods.ts';

const functions = [functionSurface.instrumentation];
const server = 2;
const internal = 1;
const client = 3;

function spansOf(sink: OtlpSink, name: string): SinkSpan[] {
  return sink.spans.filter((span) => span.name === name);
}

describe('calls that end well', () => {
  let sink: OtlpSink;
  const seen: unknown[] = [];

  beforeAll(async () => {
    const inner = traced(function double(this: { by: number }, n: number) {
      return n * this.by;
    });
    const outer = traced(
      async (id: string, secret: string) => {
        await sleep(20);
        return `${id}${inner.call({ by: 2 }, 4)}${secret.length}`;
      },
      { name: 'app.api:hello', attributes: (id) => ({ 'app.id': id }) },
    );
    const fetcher = traced(() => 1, { name: 'fetcher', kind: SpanKind.CLIENT });
    sink = await record(functions, async () => {
      seen.push(await outer('a', 'hidden'), fetcher(), fetcher(), inner.name, inner.length);
    });
  });

  test('answer what the function answers, with its this and arguments', () => {
    expect(seen).toEqual(['a86', 1, 1, 'double', 1]);
  });

  test('are a SERVER span at the root and INTERNAL ones below, in one trace', () => {
    const [root, below] = [sink.span('app.api:hello'), sink.span('double')];
    expect(root).toMatchObject({
      kind: server,
      parentSpanId: '',
      status: { code: 0 },
      scope: '@signalbox/node/functions',
    });
    expect(below).toMatchObject({ kind: internal, traceId: root.traceId, parentSpanId: root.spanId });
    expect(spansOf(sink, 'fetcher').map(({ kind }) => kind)).toEqual([client, client]);
  });

  test('last until the promise is settled, and carry only the attributes that were asked for', () => {
    const { start, end, attributes } = sink.span('app.api:hello');
    expect(end - start).toBeGreaterThanOrEqual(15_000_000n);
    expect(attributes).toEqual({ 'code.function.name': 'app.api:hello', 'app.id': 'a' });
  });

  test('are counted and timed, and nothing is left in flight', () => {
    expect(sink.point('function_calls', { function_id: 'fetcher' })).toMatchObject({
      type: 'sum',
      monotonic: true,
      value: 2,
      attributes: { function_id: 'fetcher', status: 'success' },
    });
    const duration = sink.point('function_duration', { function_id: 'app.api:hello' });
    expect(duration).toMatchObject({
      type: 'histogram',
      unit: 's',
      count: 1,
      attributes: { function_id: 'app.api:hello' },
    });
    expect(duration.value).toBeGreaterThan(0.015);
    expect(duration.exemplars[0]?.spanId).toBe(sink.span('app.api:hello').spanId);
    for (const name of ['app.api:hello', 'double', 'fetcher'])
      expect(sink.point('function_in_flight', { function_id: name })).toMatchObject({
        type: 'sum',
        monotonic: false,
        value: 0,
      });
  });
});

describe('calls that fail', () => {
  test.each([
    [
      'at once',
      () => {
        throw new RangeError('too much');
      },
    ],
    [
      'later',
      async () => {
        await sleep(1);
        throw new RangeError('too much');
      },
    ],
  ])('%s throw what was thrown, which is recorded', async (_, fails) => {
    const broken = traced(fails, { name: 'broken' });
    const sink = await record(functions, () => expect((async () => broken())()).rejects.toThrow('too much'));
    const span = sink.span('broken');
    expect(span.status).toEqual({ code: 2, message: 'too much' });
    expect(span.attributes['error.type']).toBe('RangeError');
    expect(span.events).toEqual([
      {
        name: 'exception',
        attributes: expect.objectContaining({ 'exception.type': 'RangeError', 'exception.message': 'too much' }),
      },
    ]);
    expect(sink.point('function_calls').attributes).toEqual({ function_id: 'broken', status: 'error' });
    expect(sink.point('function_in_flight').value).toBe(0);
  });

  test('anything can be thrown', async () => {
    const odd = traced(
      () => {
        throw undefined;
      },
      { name: 'odd' },
    );
    const sink = await record(functions, () => {
      let thrown: unknown = 'nothing';
      try {
        odd();
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeUndefined();
    });
    expect(sink.span('odd')).toMatchObject({
      status: { code: 2, message: 'undefined' },
      attributes: { 'error.type': '_OTHER' },
    });
  });

  test('a rejection that nobody handles is still one', async () => {
    const broken = traced(() => Promise.reject(new Error('unhandled')), { name: 'broken' });
    await record(functions, async () => {
      const listeners = process.listeners('unhandledRejection');
      process.removeAllListeners('unhandledRejection');
      try {
        const unhandled = new Promise((resolve) => process.once('unhandledRejection', resolve));
        void broken();
        expect(await unhandled).toMatchObject({ message: 'unhandled' });
      } finally {
        for (const listener of listeners) process.on('unhandledRejection', listener);
      }
    });
  });
});

describe('generators', () => {
  test('are one span from the first step to the last, which steps run inside of', async () => {
    const children: (string | undefined)[] = [];
    const current = (): void => void children.push(trace.getSpanContext(context.active())?.spanId);
    const count = traced(function* count(to: number) {
      for (let n = 1; n <= to; n++) {
        current();
        yield n;
      }
      return 'over';
    });
    const stream = traced(async function* stream() {
      for (const n of [1, 2, 3]) {
        await sleep(1);
        current();
        yield n;
      }
    });
    const sink = await record(functions, async () => {
      expect([...count(3)]).toEqual([1, 2, 3]);
      for await (const n of stream()) if (n === 2) break;
      count(9);
      const never = count(9);
      never.return('early');
      expect(never.next()).toEqual({ value: undefined, done: true });
    });
    expect(sink.spans.map(({ name }) => name)).toEqual(['count', 'stream']);
    const [one, two] = [sink.span('count').spanId, sink.span('stream').spanId];
    expect(children).toEqual([one, one, one, two, two]);
    expect(sink.point('function_calls', { function_id: 'count' }).value).toBe(1);
    expect(sink.point('function_in_flight', { function_id: 'count' }).value).toBe(0);
    expect(sink.point('function_in_flight', { function_id: 'stream' }).value).toBe(0);
  });

  test('that throw have failed', async () => {
    const sink = await record(functions, async () => {
      const sync = traced(function* sync(): Generator<number> {
        yield 1;
        throw new Error('sync');
      });
      expect(() => [...sync()]).toThrow('sync');
      const later = traced(async function* later(): AsyncGenerator<number> {
        yield 1;
        throw new Error('later');
      });
      const iterator = later();
      await iterator.next();
      await expect(iterator.next()).rejects.toThrow('later');
    });
    expect(sink.span('sync').status).toEqual({ code: 2, message: 'sync' });
    expect(sink.span('later').status).toEqual({ code: 2, message: 'later' });
  });
});

test('methods of a class are named after it; accessors, constructor and what is inherited are left alone', async () => {
  class Base {
    inherited() {
      return 'base';
    }
  }
  class Orders extends Base {
    static of(n: number) {
      return new Orders(n);
    }
    readonly #n: number;
    constructor(n: number) {
      super();
      this.#n = n;
    }
    get n() {
      return this.#n;
    }
    async load() {
      return this.#n;
    }
    skipped() {
      return 1;
    }
  }
  const sink = await record(functions, async () => {
    expect(tracedClass({ methods: ['of', 'load'] })(Orders)).toBe(Orders);
    const orders = Orders.of(7);
    expect([orders.n, await orders.load(), orders.inherited(), orders.skipped()]).toEqual([7, 7, 'base', 1]);
  });
  expect(sink.spans.map(({ name }) => name)).toEqual(['Orders.of', 'Orders.load']);
});

describe('costs and harms nothing', () => {
  test('without telemetry, and with both signals off, the function alone runs', async () => {
    let asked = 0;
    const plain = traced((n: number) => n + 1, { attributes: () => ({ asked: ++asked }) });
    expect(plain(1)).toBe(2);
    const off = { switches: { functions: { spans: false, metrics: false } } };
    const sink = await record(functions, () => expect(plain(2)).toBe(3), off);
    expect([asked, sink.spans.length]).toEqual([0, 0]);
    expect(sink.points.filter(({ metric }) => metric.startsWith('function'))).toEqual([]);
  });

  test('spans and metrics are switched apart, and unsampled calls ask for no attributes', async () => {
    let asked = 0;
    const plain = traced(() => 1, { name: 'plain', attributes: () => ({ asked: ++asked }) });
    const measured = await record(functions, plain, { switches: { functions: { spans: false } } });
    expect([asked, measured.spans.length, measured.point('function_calls').value]).toEqual([0, 0, 1]);
    const unsampled = await record(functions, plain, { sampling: { ratio: 0 } });
    expect([asked, unsampled.spans.length, unsampled.point('function_calls').value]).toEqual([0, 0, 1]);
    const spansOnly = await record(functions, plain, { switches: { functions: { metrics: false } } });
    expect([asked, spansOnly.spans.length]).toEqual([1, 1]);
    expect(spansOnly.points.filter(({ metric }) => metric.startsWith('function'))).toEqual([]);
  });

  test('attributes that throw do not reach the application, and cost the span only themselves', async () => {
    const attributes = () => {
      throw new Error('mine');
    };
    const plain = traced(() => 'answer', { name: 'plain', attributes });
    const sink = await record(functions, () => expect(plain()).toBe('answer'));
    expect(sink.span('plain').attributes).toEqual({ 'code.function.name': 'plain' });
  });
});
