import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { functionSurface } from '../functions/function-surface.ts';
import { traced } from '../functions/traced.ts';
import type { OtlpSink } from '../testing/otlp-sink.ts';
import { record } from '../testing/record.ts';
import { observeStore, recordCacheLookup } from './observe-store.ts';
import { storeSurface } from './store-surface.ts';

const surfaces = [storeSurface.instrumentation, functionSurface.instrumentation];

class NotFound extends Error {}

/** A client of a store over the network, as applications write them. */
class Remote {
  readonly #values = new Map<string, unknown>([['zero', 0]]);
  async get(key: string): Promise<unknown> {
    await sleep(5);
    if (key === 'down') throw Object.assign(new Error('connection refused'), { code: 'ECONNREFUSED' });
    if (!this.#values.has(key)) throw new NotFound(key);
    return this.#values.get(key);
  }
  async put(key: string, value: unknown): Promise<void> {
    this.#values.set(key, value);
  }
  async delete(key: string): Promise<number> {
    return this.#values.delete(key) ? 1 : 0;
  }
  get size(): number {
    return this.#values.size;
  }
  ping(): string {
    return `pong ${this.#values.size}`;
  }
}

describe('an asynchronous store', () => {
  let sink: OtlpSink;
  const answers: unknown[] = [];

  beforeAll(async () => {
    const store = observeStore(new Remote(), {
      namespace: 'app:kv',
      node: 'node-1',
      keys: true,
      isMissingError: (error) => error instanceof NotFound,
    });
    const request = traced(
      async () => {
        await store.put('a', { secret: 1 });
        answers.push(await store.get('a'), await store.get('zero'), await store.delete('a'), await store.delete('a'));
        answers.push(await store.get('a').catch((error: unknown) => error instanceof NotFound));
        answers.push(await store.get('down').catch((error: Error) => error.message));
        const { get } = store;
        answers.push(store.size, store.ping(), get === store.get);
      },
      { name: 'request' },
    );
    sink = await record(surfaces, request);
  });

  test('behaves as the store itself', () => {
    expect(answers).toEqual([{ secret: 1 }, 0, 1, 0, true, 'connection refused', 1, 'pong 1', true]);
  });

  test('has a span for each operation, with what became of it', () => {
    const request = sink.span('request');
    const spans = sink.spans.filter(({ name }) => name.startsWith('kv.'));
    expect(
      spans.map(({ name, attributes, status }) => [name, attributes['kv.key'], attributes['kv.found'], status.code]),
    ).toEqual([
      ['kv.put', 'a', undefined, 0],
      ['kv.get', 'a', true, 0],
      ['kv.get', 'zero', true, 0],
      ['kv.delete', 'a', undefined, 0],
      ['kv.delete', 'a', undefined, 0],
      ['kv.get', 'a', false, 0],
      ['kv.get', 'down', undefined, 2],
    ]);
    for (const span of spans)
      expect(span).toMatchObject({
        kind: 1,
        parentSpanId: request.spanId,
        attributes: { 'kv.namespace': 'app:kv', 'kv.node': 'node-1' },
      });
    expect(spans[1]?.attributes['kv.duration_us']).toBeGreaterThan(4000);
    expect(spans[6]).toMatchObject({
      status: { message: 'connection refused' },
      attributes: { 'error.type': 'ECONNREFUSED' },
    });
    expect(JSON.stringify(spans.map(({ attributes }) => attributes))).not.toContain('secret');
  });

  test('is counted and timed by namespace, operation and result', () => {
    const counts = sink.points
      .filter(({ metric }) => metric === 'kv_ops_total')
      .map(({ attributes: { op, result, namespace }, value }) => [namespace, op, result, value]);
    expect(counts).toEqual([
      ['app:kv', 'put', 'ok', 1],
      ['app:kv', 'get', 'ok', 2],
      ['app:kv', 'delete', 'ok', 1],
      ['app:kv', 'delete', 'not_found', 1],
      ['app:kv', 'get', 'not_found', 1],
      ['app:kv', 'get', 'error', 1],
    ]);
    const duration = sink.point('kv_op_duration_seconds', { op: 'get', result: 'ok' });
    expect(duration).toMatchObject({ type: 'histogram', unit: 's', count: 2, attributes: { namespace: 'app:kv' } });
    expect(duration.value).toBeGreaterThan(0.008);
  });
});

describe('a Map', () => {
  test('stays a Map, whose chains, size and iteration work, and keys are not recorded', async () => {
    const sink = await record(surfaces, () => {
      const map = observeStore(new Map<string, number>(), { namespace: 'memory' });
      expect(map.set('a', 1)).toBe(map);
      map.set('b', 0);
      expect([map.get('a'), map.get('b'), map.get('c'), map.has('c'), map.delete('c'), map.size]).toEqual([
        1,
        0,
        undefined,
        false,
        false,
        2,
      ]);
      expect([...map]).toEqual([
        ['a', 1],
        ['b', 0],
      ]);
      expect(map).toBeInstanceOf(Map);
    });
    const results = sink.points
      .filter(({ metric }) => metric === 'kv_ops_total')
      .map(({ attributes, value }) => [attributes.op, attributes.result, value]);
    expect(results).toEqual([
      ['set', 'ok', 2],
      ['get', 'ok', 2],
      ['get', 'not_found', 1],
      ['has', 'not_found', 1],
      ['delete', 'not_found', 1],
    ]);
    expect(sink.span('kv.has').attributes).toEqual({
      'kv.namespace': 'memory',
      'kv.node': hostname(),
      'kv.found': false,
      'kv.duration_us': expect.any(Number),
    });
  });
});

test("operations, keys and what is missing are the application's to name", async () => {
  const sink = await record(surfaces, () => {
    const store = observeStore(
      { fetch: (key: string) => (key === 'user:7' ? '' : 'x'), get: () => 1 },
      {
        namespace: 'sessions',
        operations: { fetch: 'get' },
        keys: (key) => key.replace(/\d+/, '?'),
        isMissing: (value) => value === '',
      },
    );
    store.fetch('user:7');
    store.get();
  });
  expect(sink.spans.map(({ name, attributes }) => [name, attributes['kv.key'], attributes['kv.found']])).toEqual([
    ['kv.get', 'user:?', false],
  ]);
  expect(sink.point('kv_ops_total').attributes).toEqual({ namespace: 'sessions', op: 'get', result: 'not_found' });
});

test('spans and metrics are switched apart; without both, and without telemetry, the store alone runs', async () => {
  const map = observeStore(new Map<string, number>(), { namespace: 'memory' });
  map.set('a', 1);
  const measured = await record(surfaces, () => map.get('a'), { switches: { kv: { spans: false } } });
  expect([measured.spans.length, measured.point('kv_ops_total').value]).toEqual([0, 1]);
  const traced = await record(surfaces, () => map.get('a'), { switches: { kv: { metrics: false } } });
  expect([traced.spans.length, traced.points.filter(({ metric }) => metric.startsWith('kv_')).length]).toEqual([1, 0]);
});

test('callbacks that throw do not reach the application', async () => {
  const fail = () => {
    throw new Error('mine');
  };
  const sink = await record(surfaces, () => {
    expect(observeStore(new Map([['a', 1]]), { namespace: 'm', isMissing: fail }).get('a')).toBe(1);
    expect(observeStore(new Map([['a', 1]]), { namespace: 'm', keys: fail }).get('a')).toBe(1);
    expect(observeStore(Object.freeze({ get: () => 2 }), { namespace: 'm' }).get()).toBe(2);
  });
  expect(sink.point('kv_ops_total')).toMatchObject({ value: 1, attributes: { result: 'ok' } });
});

test('lookups through tiers are counted by the tier that answered', async () => {
  const lookup = traced((tier?: string) => recordCacheLookup(tier), { name: 'lookup' });
  const sink = await record(
    surfaces,
    () => {
      for (const tier of ['memory', 'dragonfly', 'memory', undefined]) lookup(tier);
    },
    { metricPrefix: 'chimney.' },
  );
  expect(sink.point('chimney.cache.hits', { tier: 'memory' })).toMatchObject({ value: 2, monotonic: true });
  expect(sink.point('chimney.cache.hits', { tier: 'dragonfly' }).value).toBe(1);
  expect(sink.point('chimney.cache.misses')).toMatchObject({ value: 1, attributes: {} });
  expect(sink.spans.map(({ attributes }) => [attributes['cache.hit'], attributes['cache.tier']])).toEqual([
    [true, 'memory'],
    [true, 'dragonfly'],
    [true, 'memory'],
    [false, 'none'],
  ]);
});
