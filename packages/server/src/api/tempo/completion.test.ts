import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { QueryRegistry } from '../query-registry.ts';
import { TraceStore } from '../testing/trace-store.ts';
import { createTempoApi } from './tempo-api.ts';

const bugs: unknown[] = [];
afterEach(() => expect(bugs.splice(0)).toEqual([]));

const startMs = 1_790_000_000_000;
const times = `start=${startMs / 1000 - 60}&end=${startMs / 1000 + 60}`;

/** Two traces: the first of `shop` with a span of `stock`, the second of `batch`. */
const traces = [
  trace('a1', 'shop', [
    { spanId: '01', name: 'GET /cart', kind: 2, attributes: { size: { doubleValue: 3 }, route: text('/cart') } },
    { spanId: '02', parent: '01', name: 'SELECT', kind: 3, code: 2, attributes: { table: text('carts') } },
  ]),
  trace('b2', 'batch', [
    { spanId: '03', name: 'sweep', kind: 1, attributes: { size: { doubleValue: 0.25 } } },
    { spanId: '04', parent: '03', name: 'SELECT', kind: 3, code: 1, attributes: { table: text('orders') } },
  ]),
];

function text(stringValue: string): object {
  return { stringValue };
}

interface TestSpan {
  readonly spanId: string;
  readonly parent?: string;
  readonly name: string;
  readonly kind: number;
  readonly code?: number;
  readonly attributes: Readonly<Record<string, object>>;
}

function trace(id: string, service: string, spans: readonly TestSpan[]): object {
  return {
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: text(service) }] },
        scopeSpans: [
          {
            scope: { name: 'lib', attributes: [{ key: 'lane', value: text(`${service} lane`) }] },
            spans: spans.map(({ spanId, parent, name, kind, code = 0, attributes }) => ({
              traceId: id.padStart(32, '0'),
              spanId: spanId.padStart(16, '0'),
              ...(parent !== undefined && { parentSpanId: parent.padStart(16, '0') }),
              name,
              kind,
              startTimeUnixNano: `${startMs}000000`,
              endTimeUnixNano: `${startMs + 10}000000`,
              attributes: Object.entries(attributes).map(([key, value]) => ({ key, value })),
              status: { code },
            })),
          },
        ],
      },
    ],
  };
}

describe('completion', () => {
  let store: TraceStore;

  beforeAll(async () => {
    store = await TraceStore.open(({ connection }) =>
      createTempoApi({
        connection,
        registry: new QueryRegistry(),
        maxExecutionMs: 20_000,
        allowedHosts: [],
        version: '1.2.3',
        onError: (error) => bugs.push(error),
      }),
    );
    for (const each of traces) await store.insert(each);
  });
  afterAll(() => store.close());

  async function values(tag: string, query: string): Promise<string[]> {
    const path = `/api/v2/search/tag/${encodeURIComponent(tag)}/values?${times}&q=${encodeURIComponent(query)}`;
    const { tagValues } = (await store.json(path)) as { tagValues: { value: string }[] };
    return tagValues.map(({ value }) => value);
  }

  async function valuesV1(tag: string): Promise<string[]> {
    const path = `/api/search/tag/${encodeURIComponent(tag)}/values?${times}`;
    return ((await store.json(path)) as { tagValues: string[] }).tagValues;
  }

  async function tags(query: string): Promise<Record<string, string[]>> {
    const path = `/api/v2/search/tags?${times}&q=${encodeURIComponent(query)}`;
    const { scopes } = (await store.json(path)) as { scopes: { name: string; tags: string[] }[] };
    return Object.fromEntries(
      scopes.filter(({ name }) => name !== 'intrinsic').map(({ name, tags: own }) => [name, own]),
    );
  }

  test.each([
    ['rootName', '{ span.table = "carts" }', ['GET /cart']],
    ['rootServiceName', '{ name = "SELECT" && status = ok }', ['batch']],
    ['trace:rootName', '{}', ['GET /cart', 'sweep']],
    ['rootName', '{ span.table = "none" }', []],
  ])('%s is that of traces in which %s is', async (tag, query, expected) => {
    expect(await values(tag, query)).toEqual(expected);
  });

  test.each([
    ['{ rootName = "sweep" }', ['orders']],
    ['{ rootServiceName = "shop" && kind = client }', ['carts']],
    ['{ trace:rootService =~ "s.*" || rootName = "sweep" }', ['carts', 'orders']],
    ['{ !(rootName = "sweep") }', ['carts', 'orders']],
    ['{ rootName = "none" }', []],
  ])('%s is asked of the whole trace', async (query, expected) => {
    expect(await values('span.table', query)).toEqual(expected);
  });

  test('status and kind are those that spans have, if something is asked of them', async () => {
    expect(await values('status', '')).toEqual(['error', 'ok', 'unset']);
    expect(await values('status', '{ name = "SELECT" }')).toEqual(['error', 'ok']);
    expect(await values('kind', '{ rootName = "sweep" }')).toEqual(['internal', 'client']);
    expect(await values('span:status', '{ name = "none" }')).toEqual([]);
  });

  test('a query of series asks what its pipeline asks', async () => {
    expect(await values('span.table', '{ resource.service.name = "shop" } | rate() by (span.table)')).toEqual([
      'carts',
    ]);
    expect(await tags('{ resource.service.name = "batch" } | quantile_over_time(duration, .9)')).toEqual({
      resource: ['service.name'],
      span: ['size', 'table'],
      instrumentation: ['lane'],
    });
  });

  test('numbers stand as they do in a query, and a name without a scope is also one of the instrumentation', async () => {
    expect(await values('span.size', '')).toEqual(['0.25', '3.0']);
    expect(await values('.lane', '')).toEqual(['batch lane', 'shop lane']);
  });

  test('the first version has names of its own for what is no attribute', async () => {
    expect(await valuesV1('root.name')).toEqual(['GET /cart', 'sweep']);
    expect(await valuesV1('root.service.name')).toEqual(['batch', 'shop']);
    expect(await valuesV1('status.code')).toEqual(['error', 'ok', 'unset']);
    expect(await valuesV1('service.name')).toEqual(['batch', 'shop']);
    expect(await valuesV1('name')).toEqual(['GET /cart', 'SELECT', 'sweep']);
  });
});
