import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { QueryRegistry } from '../query-registry.ts';
import { TraceStore } from '../testing/trace-store.ts';
import type { SearchResponse, TraceSearchMetadata } from './search-response.ts';
import { createTempoApi } from './tempo-api.ts';

const bugs: unknown[] = [];
afterEach(() => expect(bugs.splice(0)).toEqual([]));

interface TestSpan {
  trace: string;
  id: number;
  parent?: number;
  /** Milliseconds after `startMs`. */
  at?: number;
  ms?: number;
  name?: string;
  kind?: number;
  attributes?: object[];
  /** Names. */
  events?: string[];
}

const startMs = Date.now() - 1_200_000;
const spanId = (id: number): string => id.toString(16).padStart(16, '0');
const traceId = (name: string): string => Buffer.from(name).toString('hex').padStart(32, '0');

function request(spans: readonly TestSpan[]): object {
  return {
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'hard' } }] },
        scopeSpans: [
          {
            spans: spans.map(
              ({
                trace,
                id,
                parent,
                at = 0,
                ms = 10,
                name = `span ${id}`,
                kind = 1,
                attributes = [],
                events = [],
              }) => ({
                traceId: traceId(trace),
                spanId: spanId(id),
                parentSpanId: parent === undefined ? '' : spanId(parent),
                name,
                kind,
                startTimeUnixNano: `${startMs + at}000000`,
                endTimeUnixNano: `${startMs + at + ms}000000`,
                attributes,
                events: events.map((event) => ({ name: event, timeUnixNano: `${startMs + at}000000` })),
              }),
            ),
          },
        ],
      },
    ],
  };
}

describe('traces that are not as they should be', () => {
  let store: TraceStore;

  async function find(
    trace: string,
    q: string,
    parameters: Record<string, string> = {},
  ): Promise<TraceSearchMetadata | undefined> {
    const search = new URLSearchParams({ q, limit: '1000', spss: '1000', ...parameters });
    const { traces } = (await store.json(`/api/search?${search}`)) as SearchResponse;
    return traces.find(({ traceID }) => traceID === traceId(trace).replace(/^0+/, ''));
  }

  async function ids(trace: string, q: string): Promise<number[]> {
    const found = await find(trace, q);
    return found?.spanSets.flatMap(({ spans }) => spans.map(({ spanID }) => Number.parseInt(spanID, 16))) ?? [];
  }

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
  });
  afterAll(() => store.close());

  test('without a root: found, said so, and related to nothing', async () => {
    await store.insert(
      request([
        { trace: 'rootless', id: 2, parent: 1 },
        { trace: 'rootless', id: 3, parent: 2, at: 5 },
      ]),
    );
    const found = await find('rootless', '{ name = "span 3" }');
    expect(found).toMatchObject({
      rootServiceName: '<root span not yet received>',
      rootTraceName: '<root span not yet received>',
      durationMs: 15,
    });
    expect(await ids('rootless', '{} > { name = "span 3" }')).toEqual([]);
    expect(await ids('rootless', '{ nestedSetParent < 0 }')).toEqual([]);
  });

  test('and right again when the root arrives late', async () => {
    await store.insert(request([{ trace: 'rootless', id: 1, at: -50, ms: 100, name: 'root' }]));
    expect(await find('rootless', '{ name = "span 3" }')).toMatchObject({
      rootServiceName: 'hard',
      rootTraceName: 'root',
      startTimeUnixNano: `${startMs - 50}000000`,
      durationMs: 100,
      serviceStats: { hard: { spanCount: 3 } },
    });
    expect(await ids('rootless', '{ rootName = "root" } >> { name = "span 3" }')).toEqual([3]);
    expect(await ids('rootless', '{ nestedSetParent < 0 }')).toEqual([1]);
    expect(await ids('rootless', '{ span:childCount = 1 }')).toEqual([1, 2]);
  });

  test('parents that go round in a circle end nowhere', async () => {
    await store.insert(
      request([
        { trace: 'circle', id: 1, name: 'root' },
        { trace: 'circle', id: 2, parent: 3 },
        { trace: 'circle', id: 3, parent: 2 },
        { trace: 'circle', id: 4, parent: 4 },
        { trace: 'circle', id: 5, parent: 1 },
      ]),
    );
    expect(await ids('circle', '{}')).toEqual([1, 2, 3, 4, 5]);
    expect(await ids('circle', '{} >> {}')).toEqual([5]);
    expect(await ids('circle', '{} &>> {}')).toEqual([1, 5]);
    expect(await ids('circle', '{ name = "root" } !>> {}')).toEqual([1]);
  });

  test('clocks that disagree: a child before its parent', async () => {
    await store.insert(
      request([
        { trace: 'skew', id: 1, at: 0, ms: 50 },
        { trace: 'skew', id: 2, parent: 1, at: -60_000, ms: 20 },
      ]),
    );
    expect(await find('skew', '{ name = "span 2" }')).toMatchObject({
      rootTraceName: 'span 1',
      startTimeUnixNano: `${startMs - 60_000}000000`,
      durationMs: 60_050,
    });
    expect(await ids('skew', '{ name = "span 1" } > { name = "span 2" }')).toEqual([2]);
  });

  test('a retry that repeats spans changes nothing', async () => {
    const spans = [
      { trace: 'retry', id: 1 },
      { trace: 'retry', id: 2, parent: 1 },
    ];
    await store.insert(request(spans));
    await store.insert(request(spans));
    expect(await find('retry', '{} | count() = 2')).toMatchObject({
      spanSet: { matched: 2 },
      serviceStats: { hard: { spanCount: 2 } },
    });
  });

  test("Zipkin's client and server with one id are parent and child", async () => {
    await store.insert(
      request([
        { trace: 'zipkin', id: 1, name: 'root' },
        { trace: 'zipkin', id: 2, parent: 1, name: 'call', kind: 3 },
        { trace: 'zipkin', id: 2, parent: 1, name: 'answer', kind: 2, at: 1 },
        { trace: 'zipkin', id: 3, parent: 2, name: 'query', at: 2 },
      ]),
    );
    expect(await find('zipkin', '{ kind = client } > { kind = server }')).toMatchObject({ spanSet: { matched: 1 } });
    expect(await ids('zipkin', '{ kind = server } > { name = "query" }')).toEqual([3]);
    expect(await ids('zipkin', '{ kind = client } > { name = "query" }')).toEqual([]);
  });

  test('a trace that began before the range and one that goes on after it', async () => {
    await store.insert(
      request([
        { trace: 'long', id: 1, at: 0, ms: 300_000, name: 'long root' },
        { trace: 'long', id: 2, parent: 1, at: 280_000, ms: 10, name: 'late' },
      ]),
    );
    const at = Math.floor(startMs / 1000);
    const within = { start: `${at + 100}`, end: `${at + 200}` };
    expect(await find('long', '{ name = "long root" }', within)).toBeDefined();
    expect(await find('long', '{ name = "late" }', within)).toBeDefined();
    expect(await find('long', '{ name = "long root" }', { start: `${at + 400}`, end: `${at + 500}` })).toBeUndefined();
  });

  test('of several events the one that is looked for is shown', async () => {
    await store.insert(request([{ trace: 'events', id: 1, events: ['begin', 'retry', 'end'] }]));
    const shown = async (q: string): Promise<unknown> =>
      (await find('events', q))?.spanSets[0]?.spans[0]?.attributes?.map(({ value }) => value);
    expect(await shown('{ event:name = "retry" }')).toEqual([{ stringValue: 'retry' }]);
    expect(await shown('{ event:name =~ "re.*" && duration > 0s }')).toContainEqual({ stringValue: 'retry' });
    expect(await shown('{ event:name != "end" }')).toEqual([{ stringValue: 'retry' }]);
    expect(await shown('{ name = "span 1" } | select(event:name)')).toContainEqual({ stringValue: 'begin' });
  });

  test('hostile names and values are only ever compared', async () => {
    const name = '\'; DROP TABLE spans; -- {p0:String} \\ " ` 😀';
    await store.insert(
      request([{ trace: 'hostile', id: 1, name, attributes: [{ key: name, value: { stringValue: name } }] }]),
    );
    const key = `"${name.replace(/[\\"]/g, '\\$&')}"`;
    expect(await ids('hostile', `{ name = ${JSON.stringify(name)} && span.${key} = ${JSON.stringify(name)} }`)).toEqual(
      [1],
    );
    expect(await ids('hostile', `{ .${key} =~ ".*DROP.*" } | by(.${key}) | count() = 1`)).toEqual([1]);
  });

  test('a hundred thousand spans in one trace, a thousand deep (ten thousand unless the tier is full)', async () => {
    const count = process.env.SIGNALBOX_TEST_TIER === 'full' ? 100_000 : 10_000;
    const spans = Array.from({ length: count }, (_, index): TestSpan => {
      const id = index + 1;
      const parent = index === 0 ? undefined : index < 1_000 ? index : 1 + (index % 1_000);
      return {
        trace: 'huge',
        id,
        at: index % 1_000,
        name: index === 0 ? 'root' : id % 1_000 === 7 ? 'rare' : 'common',
        ...(parent === undefined ? {} : { parent }),
      };
    });
    for (let at = 0; at < count; at += 20_000) await store.insert(request(spans.slice(at, at + 20_000)));
    expect(await find('huge', '{ name = "rare" }', { spss: '1' })).toMatchObject({
      spanSet: { matched: count / 1_000 },
      serviceStats: { hard: { spanCount: count } },
    });
    expect(await find('huge', '{ name = "root" } >> { name = "rare" }', { spss: '1' })).toMatchObject({
      spanSet: { matched: count / 1_000 },
    });
    expect(await find('huge', '{ name = "rare" } ~ { name = "rare" } | count() > 5', { spss: '1' })).toMatchObject({
      spanSet: { matched: count / 1_000 - 1 },
    });
    const response = await store.fetch(`/api/v2/traces/${traceId('huge')}`, { accept: 'application/protobuf' });
    expect((await response.arrayBuffer()).byteLength).toBeGreaterThan(count * 50);
  }, 60_000);
});
