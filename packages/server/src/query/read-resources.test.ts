import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Connection } from '../store/connection.ts';
import type { QueryContext } from './query-context.ts';
import { readResources } from './read-resources.ts';
import { TestStore } from './testing/test-store.ts';

let store: TestStore;
beforeAll(async () => {
  store = await TestStore.open();
  const time = 1_790_000_000_000_000_000n;
  const span = { traceId: '1'.repeat(32), spanId: '2'.repeat(16), time };
  const resource = (id: bigint, value: string) => ({ id, attributes: { host: value } });
  await store.insertSpans([
    { ...span, resource: resource(1n, 'a') },
    { ...span, resource: resource(2n, 'x'.repeat(20_000)) },
  ]);
}, 60_000);
afterAll(() => store?.close());

test('asks the store for a resource once, unless it is large, and for one that is not there each time', async () => {
  const asked: unknown[] = [];
  const { connection } = store;
  const counting: Connection = Object.create(connection, {
    query: {
      value: (...request: Parameters<Connection['query']>) => {
        asked.push(Object.values(request[1]?.parameters ?? {})[0]);
        return connection.query(...request);
      },
    },
  });
  const context: QueryContext = {
    connection: counting,
    signal: new AbortController().signal,
    deadlineMs: Date.now() + 60_000,
    nowMs: Date.now(),
  };
  for (let turn = 0; turn < 2; turn++) {
    const resources = await readResources(context, ['1', '2', '3', '1']);
    expect([...resources.keys()].sort()).toEqual(['1', '2']);
    expect(resources.get('1')?.attributes).toEqual([{ key: 'host', type: 'string', value: 'a' }]);
  }
  expect(asked).toEqual([
    [1n, 2n, 3n],
    [2n, 3n],
  ]);
}, 60_000);
