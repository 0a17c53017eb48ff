import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { QueryRegistry } from '../query-registry.ts';
import { readConformanceJson } from '../testing/conformance-file.ts';
import { TraceStore } from '../testing/trace-store.ts';
import { createJaegerApi } from './jaeger-api.ts';
import type { JaegerUiTrace } from './jaeger-model.ts';
import { readTraceId } from './jaeger-parameters.ts';

const bugs: unknown[] = [];
afterEach(() => expect(bugs.splice(0)).toEqual([]));

function open(): Promise<TraceStore> {
  return TraceStore.open(({ connection }) =>
    createJaegerApi({
      connection,
      registry: new QueryRegistry(),
      maxExecutionMs: 20_000,
      allowedHosts: [],
      onError: (error) => bugs.push(error),
    }),
  );
}

interface QueryCase {
  Caption: string;
  Query: {
    ServiceName: string;
    OperationName: string;
    Tags: Record<string, unknown> | null;
    StartTimeMin: string;
    StartTimeMax: string;
    DurationMin: number;
    DurationMax: number;
    NumTraces: number;
  };
  ExpectedFixtures: string[];
}

const cases = readConformanceJson('jaeger/queries.json') as QueryCase[] | undefined;

interface Otlp {
  resourceSpans: { scopeSpans: { spans: { traceId: string }[] }[] }[];
}

function fixture(name: string): Otlp {
  return readConformanceJson(`jaeger/traces/${name}.json`) as Otlp;
}

describe.skipIf(cases === undefined)("Jaeger's own cases of its storage", () => {
  let store: TraceStore;

  beforeAll(async () => {
    store = await open();
    for (const name of new Set(cases?.flatMap(({ ExpectedFixtures: names }) => names)))
      await store.insert(fixture(name));
    await store.insert(readConformanceJson('jaeger/example_trace.json') as object);
  });
  afterAll(() => store.close());

  const idsOf = (names: string[]): string[] =>
    names.map((name) => fixture(name).resourceSpans[0]?.scopeSpans[0]?.spans[0]?.traceId ?? '').sort();

  const durationOf = (nanoseconds: number): string | undefined => (nanoseconds === 0 ? undefined : `${nanoseconds}ns`);

  test.each(cases ?? [])('v1: $Caption', async ({ Query: query, ExpectedFixtures: names }) => {
    const parameters = new URLSearchParams({
      service: query.ServiceName,
      operation: query.OperationName,
      tags: query.Tags === null ? '' : JSON.stringify(query.Tags),
      start: micros(query.StartTimeMin),
      end: micros(query.StartTimeMax),
      limit: `${query.NumTraces}`,
      minDuration: durationOf(query.DurationMin) ?? '',
      maxDuration: durationOf(query.DurationMax) ?? '',
    });
    const { data } = (await store.json(`/api/traces?${parameters}`)) as { data: JaegerUiTrace[] };
    expect(data.map(({ traceID }) => traceID).sort()).toEqual(idsOf(names));
  });

  // Both APIs search alike: all cases take half a minute.
  const isFull = process.env.SIGNALBOX_TEST_TIER === 'full';
  test.each((cases ?? []).slice(0, isFull ? undefined : 2))(
    'api_v3: $Caption',
    async ({ Query: query, ExpectedFixtures: names }) => {
      const parameters = new URLSearchParams({
        'query.serviceName': query.ServiceName,
        'query.operationName': query.OperationName,
        'query.attributes': query.Tags === null ? '' : JSON.stringify(query.Tags),
        'query.startTimeMin': query.StartTimeMin,
        'query.startTimeMax': query.StartTimeMax,
        'query.searchDepth': `${query.NumTraces}`,
        'query.durationMin': durationOf(query.DurationMin) ?? '',
        'query.durationMax': durationOf(query.DurationMax) ?? '',
      });
      const { result } = (await store.json(`/api/v3/traces?${parameters}`)) as { result: Otlp };
      const ids = result.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
      expect([...new Set(ids.map(({ traceId }) => traceId))].sort()).toEqual(idsOf(names));
      const { summaries } = (await store.json(`/api/v3/trace-summaries?${parameters}`)) as {
        summaries: { traceId: string }[];
      };
      expect(summaries.map(({ traceId }) => traceId).sort()).toEqual(idsOf(names));
    },
  );

  test('a whole trace, services and operations', async () => {
    const { data } = (await store.json('/api/traces/11')) as { data: JaegerUiTrace[] };
    const trace = data[0];
    expect(trace?.traceID).toBe('00000000000000000000000000000011');
    expect(
      Object.values(trace?.processes ?? {})
        .map(({ serviceName }) => serviceName)
        .sort(),
    ).toEqual(['example-service-1', 'example-service-2', 'example-service-3']);
    expect(await store.json('/api/operations?service=example-service-1')).toMatchObject({
      data: [
        { name: 'example-operation-1', spanKind: '' },
        { name: 'example-operation-3', spanKind: 'server' },
        { name: 'example-operation-4', spanKind: 'client' },
      ],
    });
    expect(await store.json('/api/v3/operations?service=example-service-1&spanKind=server')).toEqual({
      operations: [{ name: 'example-operation-3', spanKind: 'server' }],
    });
  });
});

function micros(time: string): string {
  const [, whole, fraction = ''] = /^([^.]+)(?:\.(\d+))?Z$/.exec(time) ?? [];
  return `${Date.parse(`${whole}Z`) / 1000}${fraction.padEnd(6, '0')}`;
}

const startMs = 1_790_000_000_000;
const traceId = '0000000000000001000000000000000f';

/** What Grafana asks of a Jaeger data source. */
describe("Jaeger's API as Grafana asks it", () => {
  let store: TraceStore;

  beforeAll(async () => {
    store = await open();
    const call = { error: false, durationSum: 5, durationMax: 5, buckets: new Map([[18, 1]]) };
    const time = Math.floor(Date.now() / 10_000) * 10 - 60;
    await store.store.edges.consume([
      { ...call, time, source: 'shop', target: 'stock', targetType: 'service', count: 7 },
      { ...call, time: time - 10, source: 'shop', target: 'stock', targetType: 'service', count: 3 },
      { ...call, time, source: 'shop', target: 'postgres', targetType: 'database', count: 5 },
      { ...call, time: time - 7_200, source: 'stock', target: 'price', targetType: 'service', count: 1 },
    ]);
    await store.insert({
      resourceSpans: [
        {
          resource: {
            attributes: [
              { key: 'service.name', value: { stringValue: 'shop' } },
              { key: 'host.name', value: { stringValue: 'a' } },
            ],
          },
          scopeSpans: [
            {
              scope: { name: 'http', version: '1' },
              spans: [
                {
                  traceId,
                  spanId: '00000000000000a1',
                  name: 'GET /cart',
                  kind: 2,
                  startTimeUnixNano: `${startMs}000000`,
                  endTimeUnixNano: `${startMs + 250}000000`,
                  attributes: [
                    { key: 'big', value: { intValue: '9007199254740993' } },
                    { key: 'code', value: { intValue: '500' } },
                    { key: 'list', value: { arrayValue: { values: [{ intValue: '1' }, { stringValue: 'x' }] } } },
                    { key: 'ratio', value: { doubleValue: 0.5 } },
                  ],
                  events: [
                    {
                      timeUnixNano: `${startMs + 1}000000`,
                      name: 'exception',
                      attributes: [{ key: 'm', value: { boolValue: true } }],
                    },
                  ],
                  status: { code: 2, message: 'boom' },
                },
                {
                  traceId,
                  spanId: '00000000000000a2',
                  parentSpanId: '00000000000000a1',
                  name: 'SELECT',
                  kind: 3,
                  startTimeUnixNano: `${startMs + 20}000000`,
                  endTimeUnixNano: `${startMs + 120}000000`,
                  links: [{ traceId: '1'.repeat(32), spanId: '2'.repeat(16) }],
                },
              ],
            },
          ],
        },
      ],
    });
  });
  afterAll(() => store.close());

  test('"Save & test", completion', async () => {
    expect(await store.json('/api/services')).toEqual({ data: ['shop'], total: 1, limit: 0, offset: 0, errors: null });
    expect(await store.json('/api/services/shop/operations')).toMatchObject({
      data: ['GET /cart', 'SELECT'],
      total: 2,
    });
    expect(await store.json('/api/v3/services')).toEqual({ services: ['shop'] });
  });

  test('a trace by its id', async () => {
    expect(await store.json(`/api/traces/${traceId}?start=1&end=2`)).toEqual({
      data: [
        {
          traceID: traceId,
          spans: [
            {
              traceID: traceId,
              spanID: '00000000000000a1',
              flags: 0,
              operationName: 'GET /cart',
              references: [],
              startTime: startMs * 1000,
              duration: 250_000,
              tags: [
                { key: 'big', type: 'int64', value: '9007199254740993' },
                { key: 'code', type: 'int64', value: 500 },
                { key: 'list', type: 'string', value: '[1,"x"]' },
                { key: 'ratio', type: 'float64', value: 0.5 },
                { key: 'span.kind', type: 'string', value: 'server' },
                { key: 'otel.status_code', type: 'string', value: 'ERROR' },
                { key: 'error', type: 'bool', value: true },
                { key: 'otel.status_description', type: 'string', value: 'boom' },
                { key: 'otel.scope.name', type: 'string', value: 'http' },
                { key: 'otel.scope.version', type: 'string', value: '1' },
              ],
              logs: [
                {
                  timestamp: (startMs + 1) * 1000,
                  fields: [
                    { key: 'event', type: 'string', value: 'exception' },
                    { key: 'm', type: 'bool', value: true },
                  ],
                },
              ],
              processID: 'p1',
              warnings: null,
            },
            {
              traceID: traceId,
              spanID: '00000000000000a2',
              flags: 0,
              operationName: 'SELECT',
              references: [
                { refType: 'CHILD_OF', traceID: traceId, spanID: '00000000000000a1' },
                { refType: 'FOLLOWS_FROM', traceID: '1'.repeat(32), spanID: '2'.repeat(16) },
              ],
              startTime: (startMs + 20) * 1000,
              duration: 100_000,
              tags: [
                { key: 'span.kind', type: 'string', value: 'client' },
                { key: 'otel.scope.name', type: 'string', value: 'http' },
                { key: 'otel.scope.version', type: 'string', value: '1' },
              ],
              logs: [],
              processID: 'p1',
              warnings: null,
            },
          ],
          processes: { p1: { serviceName: 'shop', tags: [{ key: 'host.name', type: 'string', value: 'a' }] } },
          warnings: null,
        },
      ],
      total: 0,
      limit: 0,
      offset: 0,
      errors: null,
    });
  });

  test.each([
    [{ service: 'shop', operation: 'GET /cart', tags: '{"error":"true","code":"500"}' }, 1],
    [{ service: 'shop', tags: '{"span.kind":"client"}' }, 1],
    [{ service: 'shop', tag: 'ratio:0.5' }, 1],
    [{ service: 'shop', minDuration: '200ms' }, 1],
    [{ service: 'shop', minDuration: '251ms' }, 0],
    [{ service: 'shop', operation: 'SELECT', tags: '{"code":"500"}' }, 0],
    [{ service: 'other' }, 0],
  ])('a search for %o', async (search, found) => {
    const times = {
      start: `${(startMs - 1) * 1000}`,
      end: `${(startMs + 1_000) * 1000}`,
      limit: '20',
      lookback: 'custom',
    };
    const parameters = new URLSearchParams({ ...times, ...search });
    const { data } = (await store.json(`/api/traces?${parameters}`)) as { data: unknown[] };
    expect(data).toHaveLength(found);
  });

  test('what is not there is 404, what is wrong 400, in the words of either API', async () => {
    const missing = await store.fetch(`/api/traces/${'9'.repeat(32)}`);
    expect([missing.status, await missing.json()]).toEqual([
      404,
      { data: null, total: 0, limit: 0, offset: 0, errors: [{ code: 404, msg: 'trace not found' }] },
    ]);
    const missingV3 = await store.fetch(`/api/v3/traces/${'9'.repeat(32)}`);
    expect([missingV3.status, await missingV3.json()]).toEqual([
      404,
      { error: { httpCode: 404, message: 'No traces found' } },
    ]);
    expect((await store.fetch('/api/traces')).status).toBe(400);
    expect((await store.fetch('/api/traces?service=a&tags=nonsense')).status).toBe(400);
    const untimed = await store.fetch('/api/v3/traces?query.serviceName=a');
    expect([untimed.status, await untimed.json()]).toEqual([
      400,
      { error: { httpCode: 400, message: 'query.startTimeMin and query.startTimeMax are required' } },
    ]);
  });

  const minute = 'query.startTimeMin=2026-01-01T00:00:00Z&query.startTimeMax=2026-01-01T00:01:00Z';

  test.each([
    ['v3/traces/no-id!', 'malformed parameter trace_id'],
    ['v3/traces/1?start_time=NaN', 'malformed parameter start_time'],
    ['v3/traces/1?endTime=NaN', 'malformed parameter endTime'],
    ['v3/traces/1?raw_traces=maybe', 'malformed parameter raw_traces'],
    ['v3/traces?query.start_time_min=NaN&query.start_time_max=NaN', 'malformed parameter query.start_time_min'],
    [`v3/traces?${minute}&query.num_traces=NaN`, 'malformed parameter query.num_traces'],
    [`v3/traces?${minute}&query.search_depth=NaN`, 'malformed parameter query.search_depth'],
    [`v3/traces?${minute}&query.duration_max=NaN`, 'malformed parameter query.duration_max'],
    [`v3/traces?${minute}&query.raw_traces=maybe`, 'malformed parameter query.raw_traces'],
    ['dependencies?endTs=x', `unable to parse param 'endTs': strconv.ParseInt: parsing "x": invalid syntax`],
    ['traces?service=a&start=x', `unable to parse param 'start': strconv.ParseInt: parsing "x": invalid syntax`],
    ['traces/1?start=a', `unable to parse param 'start'`],
    ['traces/1?end=b', `unable to parse param 'end'`],
    ['traces/1?raw=foobar', `unable to parse param 'raw': strconv.ParseBool: parsing "foobar": invalid syntax`],
    ['traces', "parameter 'service' is required"],
    ['operations', "parameter 'service' is required"],
  ])('%s is refused under the name that the parameter has there', async (path, message) => {
    const response = await store.fetch(`/api/${path}`);
    expect(response.status).toBe(400);
    const body = (await response.json()) as { error?: { message: string }; errors?: { msg: string }[] };
    expect(body.error?.message ?? body.errors?.[0]?.msg).toContain(message);
  });

  test('dependencies of the time asked for', async () => {
    const calls = [{ parent: 'shop', child: 'stock', callCount: 10 }];
    expect(await store.json(`/api/dependencies?endTs=${Date.now()}&lookback=3600000`)).toMatchObject({ data: calls });
    const all = [...calls, { parent: 'stock', child: 'price', callCount: 1 }];
    expect(await store.json('/api/dependencies')).toMatchObject({ data: all });
    expect(await store.json('/api/dependencies?service=stock')).toMatchObject({ data: all });
    expect(await store.json('/api/dependencies?service=price')).toMatchObject({ data: all.slice(1) });
    expect(await store.json('/api/dependencies?service=other')).toMatchObject({ data: [] });
  });

  test.each([
    ['1', '1'],
    ['00000000000000010000000000000002', '10000000000000002'],
    ['AAAAAAAAAAEAAAAAAAAAAQ==', '10000000000000001'],
    ['AAAAAAAAAAEAAAAAAAAAAQ', '10000000000000001'],
    ['EjRWeJq83vA', '123456789abcdef0'],
    ['EjRWeJq83vA=', '123456789abcdef0'],
    ['AAAAAAAAAP///////////w==', 'ffffffffffffffffff'],
    ['EjRWeJq83vD-3LqYdlQyEA==', '123456789abcdef0fedcba9876543210'],
    ['AAAAAAAAAP___________w==', 'ffffffffffffffffff'],
  ])('%s is the id of a trace', (text, hex) => {
    expect(readTraceId(text, 'traceID')).toBe(hex.padStart(32, '0'));
  });

  test('api_v3 gives OTLP without defaults, also for an id in base64', async () => {
    const id = Buffer.from(traceId, 'hex').toString('base64url');
    expect(await store.json(`/api/v3/traces/${id}`)).toMatchObject({
      result: {
        resourceSpans: [
          {
            scopeSpans: [
              {
                scope: { name: 'http' },
                spans: [
                  { traceId, kind: 2, status: { code: 2 } },
                  { name: 'SELECT', status: {} },
                ],
              },
            ],
          },
        ],
      },
    });
  });
});
