import { decodeTraces } from '@signalbox/otlp';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { QueryRegistry } from '../query-registry.ts';
import { TraceStore } from '../testing/trace-store.ts';
import type { SearchResponse } from './search-response.ts';
import { createTempoApi } from './tempo-api.ts';

const bugs: unknown[] = [];
afterEach(() => expect(bugs.splice(0)).toEqual([]));

const traceId = '00000000000000aa00000000000000bb';
const startMs = Date.now() - 600_000;
const start = Math.floor(startMs / 1000) - 60;
const end = start + 300;

function nanos(offsetMs: number): string {
  return `${startMs + offsetMs}000000`;
}

const request = {
  resourceSpans: [
    {
      resource: {
        attributes: [
          { key: 'service.name', value: { stringValue: 'shop' } },
          { key: 'host.names', value: { arrayValue: { values: [{ stringValue: 'a' }, { stringValue: 'b' }] } } },
        ],
      },
      schemaUrl: 'https://opentelemetry.io/schemas/1.40.0',
      scopeSpans: [
        {
          scope: { name: 'http', version: '1.2' },
          spans: [
            {
              traceId,
              spanId: '00000000000000a1',
              name: 'GET /cart',
              kind: 2,
              startTimeUnixNano: nanos(0),
              endTimeUnixNano: nanos(250),
              attributes: [
                { key: 'http.response.status_code', value: { intValue: '500' } },
                { key: 'http.route', value: { stringValue: '/cart' } },
                { key: 'ratio', value: { doubleValue: 0.5 } },
                { key: 'retried', value: { boolValue: true } },
              ],
              events: [
                { timeUnixNano: nanos(10), name: 'exception', attributes: [{ key: 'a', value: { intValue: '1' } }] },
              ],
              status: { code: 2, message: 'boom' },
            },
            {
              traceId,
              spanId: '00000000000000a2',
              parentSpanId: '00000000000000a1',
              name: 'SELECT',
              kind: 3,
              startTimeUnixNano: nanos(20),
              endTimeUnixNano: nanos(120),
              links: [{ traceId: '11111111111111111111111111111111', spanId: '2222222222222222' }],
            },
          ],
        },
      ],
    },
  ],
};

/** What Grafana asks of a Tempo data source, request by request (its source, versions 10 to 13). */
describe("Tempo's API as Grafana asks it", () => {
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
    await store.insert(request);
  });
  afterAll(() => store.close());

  test.each(['', '/tempo'])('"Save & test" below "%s"', async (prefix) => {
    const echo = await store.fetch(`${prefix}/api/echo`);
    expect([echo.status, await echo.text()]).toEqual([200, 'echo']);
    expect(await store.json(`${prefix}/api/status/buildinfo`)).toMatchObject({
      version: expect.stringMatching(/^\d+\./),
    });
    expect((await store.fetch(`${prefix}/ready`)).status).toBe(200);
  });

  test('a trace by its id, in protobuf, with parameters that we do not know', async () => {
    const path = `/api/v2/traces/${traceId}?start=${start}&end=${end}&recent_data=true`;
    const response = await store.fetch(path, { accept: 'application/protobuf' });
    expect(response.headers.get('content-type')).toBe('application/protobuf');
    // TraceByIDResponse: field 1 is the trace.
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(bytes[0]).toBe(0x0a);
    const { value: length, end: at } = varint(bytes, 1);
    const { batch, rejected } = decodeTraces(bytes.subarray(at, at + length), 'protobuf');
    expect([batch.rowCount, rejected]).toEqual([2, null]);
  });

  test('the same by the older path, and in JSON', async () => {
    const response = await store.fetch(`/api/traces/${traceId}`, { accept: 'application/protobuf' });
    const { batch } = decodeTraces(Buffer.from(await response.arrayBuffer()), 'protobuf');
    expect(batch.rowCount).toBe(2);
    const { batches } = (await store.json('/api/traces/aa00000000000000bb')) as { batches: unknown[] };
    expect(batches).toMatchObject([
      {
        resource: { attributes: [{ key: 'host.names' }, { key: 'service.name', value: { stringValue: 'shop' } }] },
        schemaUrl: 'https://opentelemetry.io/schemas/1.40.0',
        scopeSpans: [
          {
            scope: { name: 'http', version: '1.2' },
            spans: [
              {
                traceId: Buffer.from(traceId, 'hex').toString('base64'),
                name: 'GET /cart',
                kind: 'SPAN_KIND_SERVER',
                startTimeUnixNano: nanos(0),
                status: { code: 'STATUS_CODE_ERROR', message: 'boom' },
                events: [{ name: 'exception', timeUnixNano: nanos(10) }],
              },
              { name: 'SELECT', parentSpanId: Buffer.from('00000000000000a1', 'hex').toString('base64') },
            ],
          },
        ],
      },
    ]);
  });

  test.each([
    [{ q: '{ }', tags: 'a=b' }, "invalid request: can't specify tags and q in the same query"],
    [{ tags: 'a=b c=d a=e' }, 'invalid tags: tag a has been set twice'],
    [{ minDuration: '20s', maxDuration: '5s' }, 'invalid maxDuration: must be greater than minDuration'],
    [{ limit: '0' }, 'invalid limit: must be a positive number'],
    [{ tags: 'a=b', start: '20', end: '10' }, 'http parameter start must be before end'],
  ])('a search for %o is refused', async (search: Record<string, string>, message) => {
    const response = await store.fetch(`/api/search?${new URLSearchParams(search)}`);
    expect([response.status, await response.text()]).toEqual([400, message]);
  });

  test('a trace that is not there is 404, an id that is none 400', async () => {
    for (const version of ['/api/traces', '/api/v2/traces']) {
      const missing = await store.fetch(`${version}/${'9'.repeat(32)}`, { accept: 'application/protobuf' });
      expect([missing.status, await missing.text()]).toEqual([404, expect.stringContaining('trace not found')]);
    }
    expect((await store.fetch('/api/traces/xyz')).status).toBe(400);
  });

  test('a search: 64-bit numbers are texts, durationMs is a number', async () => {
    const q = encodeURIComponent(
      '{ resource.service.name = "shop" && span.http.response.status_code >= 500 } | select(name, .ratio)',
    );
    const { traces, metrics } = (await store.json(
      `/api/search?q=${q}&limit=20&spss=3&start=${start}&end=${end}`,
    )) as SearchResponse;
    const spanSet = {
      spans: [
        {
          spanID: '00000000000000a1',
          name: 'GET /cart',
          startTimeUnixNano: nanos(0),
          durationNanos: '250000000',
          attributes: [
            { key: 'service.name', value: { stringValue: 'shop' } },
            { key: 'http.response.status_code', value: { intValue: '500' } },
            { key: 'ratio', value: { doubleValue: 0.5 } },
          ],
        },
      ],
      matched: 1,
    };
    expect(traces).toEqual([
      {
        traceID: 'aa00000000000000bb',
        rootServiceName: 'shop',
        rootTraceName: 'GET /cart',
        startTimeUnixNano: nanos(0),
        durationMs: 250,
        spanSet,
        spanSets: [spanSet],
        serviceStats: { shop: { spanCount: 2, errorCount: 1 } },
      },
    ]);
    expect(metrics).toMatchObject({ inspectedTraces: 1, inspectedBytes: '0' });
  });

  test('groups and aggregates are attributes of the sets', async () => {
    const q = encodeURIComponent('{} | by(kind) | count() > 0 | avg(duration) > 1ms');
    const { traces } = (await store.json(`/api/search?q=${q}&start=${start}&end=${end}`)) as SearchResponse;
    expect(traces[0]?.spanSets.map(({ attributes }) => attributes)).toEqual([
      [
        { key: 'by(kind)', value: { stringValue: 'server' } },
        { key: 'count()', value: { intValue: '1' } },
        { key: 'avg(duration)', value: { stringValue: '250ms' } },
      ],
      [
        { key: 'by(kind)', value: { stringValue: 'client' } },
        { key: 'count()', value: { intValue: '1' } },
        { key: 'avg(duration)', value: { stringValue: '100ms' } },
      ],
    ]);
  });

  test('completion of names', async () => {
    const { scopes } = (await store.json('/api/v2/search/tags?limit=5000')) as {
      scopes: { name: string; tags: string[] }[];
    };
    expect(Object.fromEntries(scopes.map(({ name, tags }) => [name, tags]))).toMatchObject({
      resource: ['host.names', 'service.name'],
      span: ['http.response.status_code', 'http.route', 'ratio', 'retried'],
      event: ['a'],
      intrinsic: expect.arrayContaining(['span:name', 'trace:rootService', 'event:name']),
    });
    const { tagNames } = (await store.json('/api/search/tags')) as { tagNames: string[] };
    expect(tagNames).toContain('http.route');
    expect(await store.json('/api/v2/search/tags?scope=resource')).toMatchObject({
      scopes: [{ name: 'resource', tags: ['host.names', 'service.name'] }],
    });
  });

  test.each([
    ['resource.service.name', [{ type: 'string', value: 'shop' }]],
    ['span.http.response.status_code', [{ type: 'int', value: '500' }]],
    ['.ratio', [{ type: 'float', value: '0.5' }]],
    ['.retried', [{ type: 'bool', value: 'true' }]],
    [
      'resource.host.names',
      [
        { type: 'string', value: 'a' },
        { type: 'string', value: 'b' },
      ],
    ],
    ['event.a', [{ type: 'int', value: '1' }]],
    [
      'name',
      [
        { type: 'string', value: 'GET /cart' },
        { type: 'string', value: 'SELECT' },
      ],
    ],
    ['rootName', [{ type: 'string', value: 'GET /cart' }]],
    ['event:name', [{ type: 'string', value: 'exception' }]],
    ['status', ['error', 'ok', 'unset'].map((value) => ({ type: 'keyword', value }))],
    ['duration', []],
  ])('completion of values of %s, encoded twice', async (tag, expected) => {
    const path = `/api/v2/search/tag/${encodeURIComponent(encodeURIComponent(tag))}/values`;
    expect(((await store.json(path)) as { tagValues: unknown }).tagValues).toEqual(expected);
  });

  test('values are those of what the query finds, while it is still being written', async () => {
    const q = encodeURIComponent('{ kind = client && resource.service.name = "shop" && span.http.url = ');
    const path = `/api/v2/search/tag/name/values?q=${q}&start=${start}&end=${end}`;
    expect(await store.json(path)).toMatchObject({ tagValues: [{ type: 'string', value: 'SELECT' }] });
    expect(await store.json('/api/search/tag/service.name/values')).toMatchObject({ tagValues: ['shop'] });
  });

  test('a mistake in the query is 400 and says where it stands', async () => {
    const response = await store.fetch(`/api/search?q=${encodeURIComponent('{ .a = }')}`);
    expect(response.status).toBe(400);
    expect(await response.text()).toBe(
      'invalid TraceQL query: parse error at line 1, col 8: syntax error: unexpected "}"',
    );
    const type = await store.fetch(`/api/search?q=${encodeURIComponent('{ duration > "x" }')}`);
    expect([type.status, await type.text()]).toEqual([400, expect.stringContaining('must operate on the same type')]);
  });

  test('pages of other sites are refused', async () => {
    expect((await store.fetch('/api/search?q={}', { origin: 'https://evil.example' })).status).toBe(400);
  });
});

function varint(bytes: Uint8Array, from: number): { value: number; end: number } {
  let value = 0;
  for (let at = from, shift = 0; ; at++, shift += 7) {
    const byte = bytes[at] as number;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return { value, end: at + 1 };
  }
}
