import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { QueryRegistry } from '../query-registry.ts';
import { TraceStore } from '../testing/trace-store.ts';
import type { SearchResponse } from './search-response.ts';
import { createTempoApi } from './tempo-api.ts';

const bugs: unknown[] = [];
afterEach(() => expect(bugs.splice(0)).toEqual([]));

const startMs = Date.now() - 600_000;
const text = (key: string, stringValue: string): object => ({ key, value: { stringValue } });

/** A trace of one span each. */
const spans: readonly { name: string; attributes?: object[]; event?: object[] }[] = [
  { name: 'inside', attributes: [text('client.address', '10.1.2.3')] },
  { name: 'mapped', attributes: [text('client.address', '::ffff:10.1.2.4')] },
  { name: 'private v6', attributes: [text('client.address', 'fd12:3456::1')] },
  { name: 'outside', attributes: [text('client.address', '192.0.2.1')] },
  { name: 'no address', attributes: [text('client.address', '10.1.2.3:8080')] },
  { name: 'a number', attributes: [{ key: 'client.address', value: { intValue: '10' } }] },
  { name: 'absent' },
  { name: 'in an event', event: [text('peer', '192.0.2.1'), text('peer.other', '10.0.0.1')] },
];

let store: TraceStore;
beforeAll(async () => {
  store = await TraceStore.open(({ connection }) =>
    createTempoApi({
      connection,
      registry: new QueryRegistry(),
      maxExecutionMs: 30_000,
      allowedHosts: [],
      version: 'test',
      onError: (error) => bugs.push(error),
    }),
  );
  await store.insert({
    resourceSpans: [
      {
        resource: { attributes: [text('host.ip', '172.16.0.9')] },
        scopeSpans: [
          {
            spans: spans.map(({ name, attributes = [], event }, index) => ({
              traceId: `${index + 1}`.repeat(32),
              spanId: '1'.repeat(16),
              name,
              kind: 2,
              startTimeUnixNano: `${startMs + index}000000`,
              endTimeUnixNano: `${startMs + index + 5}000000`,
              attributes,
              events: event === undefined ? [] : [{ name: 'e', timeUnixNano: `${startMs}000000`, attributes: event }],
            })),
          },
        ],
      },
    ],
  });
});
afterAll(() => store?.close());

async function names(q: string): Promise<unknown[]> {
  const query = new URLSearchParams({ q: `${q} | select(name)`, limit: '20' });
  const { traces } = (await store.json(`/api/search?${query}`)) as SearchResponse;
  return traces.flatMap(({ spanSets }) => spanSets.flatMap(({ spans }) => spans.map(({ name }) => name))).sort();
}

test.each([
  ['{ cidr(span.client.address, "10.0.0.0/8") }', ['inside', 'mapped']],
  ['{ cidr(.client.address, "10.0.0.0/8", `fc00::/7`) }', ['inside', 'mapped', 'private v6']],
  ['{ cidr(span.client.address, "192.0.2.0/31") && kind = server }', ['outside']],
  [
    '{ !cidr(span.client.address, "10.0.0.0/8") && span.client.address =~ ".+" }',
    ['no address', 'outside', 'private v6'],
  ],
  ['{ cidr(event.peer.other, "10.0.0.0/8") }', ['in an event']],
  ['{ cidr(event.peer, "10.0.0.0/8") }', []],
  ['{ cidr(resource.host.ip, "172.16.0.0/12") && name = "absent" }', ['absent']],
  ['{ cidr(name, "::/0") }', []],
])('%s', async (q, expected) => {
  expect(await names(q)).toEqual(expected);
});

test('counted over time as well', async () => {
  const query = new URLSearchParams({
    q: '{ cidr(span.client.address, "10.0.0.0/8") } | count_over_time()',
    start: `${Math.floor(startMs / 1000) - 60}`,
    end: `${Math.floor(startMs / 1000) + 60}`,
    step: '600s',
  });
  const { series } = (await store.json(`/api/metrics/query_range?${query}`)) as {
    series: { samples: { value: number }[] }[];
  };
  const total = series.flatMap(({ samples }) => samples).reduce((sum, { value }) => sum + value, 0);
  expect(total).toBe(2);
});
