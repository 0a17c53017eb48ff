import type { FilterComparison } from '@signalbox/api-contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { prepareFilters } from '../filter/prepare-filters.ts';
import { readFilters } from '../filter/read-filters.ts';
import { TestStore } from '../testing/test-store.ts';
import { findNewestTraces, planEarlierMatches, planTraceCount } from './find-newest-traces.ts';
import { getTrace, planTrace } from './get-trace.ts';
import { planTraceSearch } from './plan-trace-search.ts';
import { planTraceSummaries, searchTraces } from './search-traces.ts';
import { planTraceScatter, traceScatter } from './trace-scatter.ts';
import { spanCondition, type TraceSearchRequest } from './trace-search-request.ts';

const second = 1_000_000_000n;
const base = 1_760_000_000n * second;
const range = { from: base, to: base + 3_600n * second };
const a = 'aa'.repeat(16);
const b = 'bb'.repeat(16);
const c = 'cc'.repeat(16);
const search = (part: Partial<TraceSearchRequest> & { filter?: string[] } = {}): TraceSearchRequest => ({
  range,
  filters: readFilters(part.filter ?? []),
  rootOnly: false,
  limit: 50,
  ...part,
});

let store: TestStore;

beforeAll(async () => {
  store = await TestStore.open();
  const web = { id: 18446744073709551615n, attributes: { 'service.name': 'web', 'deployment.slot': 'blue' } };
  const root = {
    traceId: a,
    spanId: '1111111111111111',
    time: base + 10n * second,
    duration: 2n * second,
    name: 'GET /pulls',
    kind: 2,
    service: 'web',
    attributes: {
      'http.response.status_code': 503n,
      'http.route': '/pulls',
      'cache.hit': false,
      ratio: 0.5,
      big: 9007199254740993n,
      tags: { other: '{"arrayValue":{"values":[{"stringValue":"x"}]}}' },
    },
    resource: web,
    scope: ['@test/http', '1.2.3', '[{"key":"tier","value":{"intValue":"2"}}]'],
  } as const;
  await store.insertSpans([
    root,
    // A request that was tried again.
    root,
    {
      traceId: a,
      spanId: '2222222222222222',
      parentSpanId: '1111111111111111',
      time: base + 10n * second + 500_000_001n,
      duration: second,
      name: 'fetch',
      kind: 3,
      service: 'web',
      status: 2,
      statusMessage: 'refused',
      resource: web,
      events: [
        {
          time: base + 11n * second,
          name: 'exception',
          attributes:
            '[{"key":"exception.type","value":{"stringValue":"TypeError"}},{"key":"retries","value":{"intValue":"3"}}]',
          exception: ['TypeError', 'connection timeout: peer'],
        },
      ],
      links: [
        { traceId: b, spanId: '3333333333333333', attributes: '[{"key":"why","value":{"stringValue":"batch"}}]' },
      ],
    },
    // Its root never came.
    {
      traceId: b,
      spanId: '3333333333333333',
      parentSpanId: '9999999999999999',
      time: base + 20n * second,
      duration: 5_000_000n,
      name: 'consume',
      kind: 5,
      service: '',
      attributes: { 'http.response.status_code': '503', 'db.system.name': 'redis' },
    },
    { traceId: c, spanId: '4444444444444444', time: base + 20n * second, duration: 7n, name: 'tick', service: 'cron' },
    // Outside of the range.
    { traceId: 'dd'.repeat(16), spanId: '5555555555555555', time: base - 1n, name: 'old' },
  ]);
  await store.insertLogs([
    { time: base, traceId: a, body: 'x' },
    { time: base, traceId: a, body: 'y' },
    { time: base, traceId: b, body: 'z' },
  ]);
});

afterAll(() => store.close());

describe('search', () => {
  test('newest first, ties by trace id, with figures of the whole trace', async () => {
    const { traces, total, totalIsLowerBound } = await searchTraces(store.context(), search());
    expect({ total, totalIsLowerBound }).toEqual({ total: 3, totalIsLowerBound: false });
    expect(traces.map((trace) => trace.traceId)).toEqual([b, c, a]);
    expect(traces[2]).toEqual({
      traceId: a,
      rootService: 'web',
      rootName: 'GET /pulls',
      rootMissing: false,
      startTimeUnixNano: String(base + 10n * second),
      durationNano: 2e9,
      spanCount: 2,
      errorCount: 1,
      services: [{ name: 'web', spanCount: 2 }],
      matchedSpans: 2,
      matched: { spanId: '1111111111111111', name: 'GET /pulls', service: 'web', durationNano: 2e9, status: 'UNSET' },
    });
    expect(traces[0]).toMatchObject({ rootMissing: true, rootService: 'unknown_service', rootName: 'consume' });
  });

  test('a limit does not change the total', async () => {
    const { traces, total } = await searchTraces(store.context(), search({ limit: 1 }));
    expect([traces.map((trace) => trace.traceId), total]).toEqual([[b], 3]);
  });

  test.each<[string, Partial<TraceSearchRequest> & { filter?: string[] }, string[]]>([
    ['service', { service: 'web' }, [a]],
    ['service without a name', { service: 'unknown_service' }, [b]],
    ['operation', { operation: 'fetch' }, [a]],
    ['kind', { kind: 5 }, [b]],
    ['status', { status: 2 }, [a]],
    ['shortest', { minDuration: second }, [a]],
    ['both ends of the duration', { minDuration: 7n, maxDuration: 5_000_000n }, [b, c]],
    ['roots', { rootOnly: true }, [c, a]],
    ['all on the same span', { operation: 'fetch', kind: 2 }, []],
    ['number', { filter: ['http.response.status_code >= 500'] }, [a]],
    ['number that is a text', { filter: ['http.response.status_code = "503"'] }, [b]],
    ['double', { filter: ['ratio < 0.6'] }, [a]],
    ['int with double', { filter: ['http.response.status_code > 502.5'] }, [a]],
    ['beyond 2^53', { filter: ['big = 9007199254740993'] }, [a]],
    ['beyond 2^53, one off', { filter: ['big = 9007199254740992'] }, []],
    ['bool', { filter: ['cache.hit = false'] }, [a]],
    ['text', { filter: ['http.route = /pulls'] }, [a]],
    ['unequal only where it is', { filter: ['http.route != /issues'] }, [a]],
    ['pattern', { filter: ['http.route =~ "/p.*s"'] }, [a]],
    ['pattern is anchored', { filter: ['http.route =~ ull'] }, []],
    ['pattern over numbers', { filter: ['http.response.status_code =~ 5..'] }, [b, a]],
    ['not pattern', { filter: ['http.response.status_code !~ 4..'] }, [b, a]],
    ['exists', { filter: ['db.system.name exists'] }, [b]],
    ['exists, composite', { filter: ['tags exists'] }, [a]],
    ['absent', { filter: ['db.system.name !exists'] }, [c, a]],
    ['resource', { filter: ['resource.deployment.slot = blue'] }, [a]],
    ['resource without a prefix', { filter: ['deployment.slot = blue'] }, [a]],
    ['resource is no span attribute', { filter: ['span.deployment.slot = blue'] }, []],
    ['resource unequal', { filter: ['resource.deployment.slot != green'] }, [a]],
    ['resource absent', { filter: ['resource.deployment.slot !exists'] }, [b, c]],
    ['exception', { filter: ['exception.message =~ ".*timeout.*"'] }, [a]],
    ['exception unequal', { filter: ['event.exception.type != RangeError'] }, [a]],
    ['event attribute', { filter: ['event.retries > 2'] }, [a]],
    ['event attribute without a prefix', { filter: ['retries = 3'] }, [a]],
    ['event attribute, one off', { filter: ['event.retries > 3'] }, []],
    ['event name', { filter: ['event:name = exception'] }, [a]],
    ['scope attribute', { filter: ['scope.tier = 2'] }, [a]],
    ['scope name', { filter: ['scope:name = @test/http'] }, [a]],
    ['field: duration', { filter: ['span:duration > 1500ms'] }, [a]],
    ['field: kind', { filter: ['span:kind = client'] }, [a]],
    ['field: status', { filter: ['span:status != error', 'span:name = fetch'] }, []],
    ['field: status message', { filter: ['span:statusMessage =~ ref.*'] }, [a]],
    ['field: id', { filter: ['span:id = 4444444444444444'] }, [c]],
    // Keys that every JavaScript object seems to have.
    ['a key like an object member', { filter: ['constructor exists'] }, []],
    ['an event key like an object member', { filter: ['event.toString = x'] }, []],
    ['__proto__', { filter: ['__proto__ !exists', '__proto__ =~ x'] }, []],
    ['two that hold on different spans', { filter: ['http.route exists', 'event.retries exists'] }, []],
    ['hostile', { filter: ['a = "\'; DROP TABLE spans; --\\\\"'], service: "{p0:String}'\\\n\n\u0000" }, []],
  ])('%s', async (_, part, expected) => {
    const { traces, total } = await searchTraces(store.context(), search(part));
    expect(traces.map((trace) => trace.traceId)).toEqual(expected);
    expect(total).toBe(expected.length);
  });

  test.each([
    ['log.a = 1', 0, 5],
    ['span:duration > 5', 16, 17],
    ['span:kind = butler', 12, 18],
    ['span:id = 12', 10, 12],
    ['log:body = x', 0, 8],
    ['a =~ "x("', 5, 9],
    ['span:kind < server', 0, 9],
  ])('%s is refused with its place', async (filter, start, end) => {
    await expect((async () => searchTraces(store.context(), search({ filter: [filter] })))()).rejects.toMatchObject({
      code: 'invalid_argument',
      parameter: 'filter',
      position: { start, end },
    });
  });

  test('a key that only spans have is looked for only there, so that the index helps', async () => {
    const [filter] = readFilters(['http.route = /pulls']);
    const [prepared] = await prepareFilters(store.context(), [filter as FilterComparison], 'spans', range);
    expect(prepared?.absentIn).toEqual(['resource', 'event']);
    expect(planTraceSearch({ ...search(), filters: prepared === undefined ? [] : [prepared] })).toEqual(
      planTraceSearch(search({ filter: ['span.http.route = /pulls'] })),
    );
    const found = await prepareFilters(
      store.context(),
      readFilters(['deployment.slot exists', 'retries > 1']),
      'spans',
      range,
    );
    expect(found.map(({ absentIn }) => absentIn)).toEqual([['event'], ['resource']]);
  });

  describe('among many', () => {
    const busy = { from: base + 864_000n * second, to: base + 867_600n * second };
    const id = (number: number): string => number.toString(16).padStart(32, '0');
    const at = (secondsBeforeEnd: number): bigint => busy.to - BigInt(secondsBeforeEnd) * second;

    beforeAll(async () => {
      const span = { spanId: '1111111111111111', name: 'busy' };
      await store.insertSpans([
        // One every two seconds: 150 in the last five minutes. Two of each time, for ties.
        ...Array.from({ length: 1_000 }, (_, index) => ({
          ...span,
          traceId: id(index + 1),
          time: at(1 + Math.floor(index / 2) * 4),
        })),
        // Traces that end in the last five minutes and began long before, the second outside of the range.
        { ...span, traceId: id(5_000), time: at(2_000) },
        { ...span, traceId: id(5_000), time: at(2), spanId: '2222222222222222' },
        { ...span, traceId: id(5_001), time: at(4_000) },
        { ...span, traceId: id(5_001), time: at(2), spanId: '2222222222222222' },
        { ...span, traceId: id(5_002), time: at(2_000), name: 'quiet' },
        { ...span, traceId: id(5_002), time: at(3), spanId: '2222222222222222' },
      ]);
    });

    test.each<[number, Partial<TraceSearchRequest>]>([
      [1, {}],
      [5, {}],
      [50, {}],
      [148, {}],
      [50, { operation: 'busy' }],
    ])('the end of the range answers as all of it would: %i', async (limit, part) => {
      const request = search({ range: busy, limit, ...part });
      const context = store.context();
      const { rows } = await context.connection.query<[string, string, string]>(planTraceSearch(request).sql, {
        parameters: planTraceSearch(request).parameters,
      });
      const newest = await findNewestTraces(context, request);
      expect(newest?.found.map(([traceId]) => traceId)).toEqual(rows.map(([traceId]) => traceId));
      expect(newest).toMatchObject({ total: Number(rows[0]?.[2]), totalIsLowerBound: false });
      const { traces, total } = await searchTraces(context, request);
      expect(traces.map(({ traceId }) => traceId)).toEqual(rows.map(([traceId]) => traceId));
      expect(total).toBe(1_003);
    });

    test('when the end of the range has too few, all of it is searched', async () => {
      const request = search({ range: busy, limit: 200 });
      expect(await findNewestTraces(store.context(), request)).toBeUndefined();
      expect((await searchTraces(store.context(), request)).traces).toHaveLength(200);
    });

    test('counting stops', async () => {
      const { sql, parameters } = planTraceCount(search({ range: busy }), 10);
      const { rows } = await store.context().connection.query<[string, string]>(sql, { parameters });
      expect(rows[0]?.[1]).toBe('10');
    });

    test('the SQL', () => {
      const request = search({ range: busy, service: 'web' });
      const window = { from: at(300), to: busy.to };
      expect(planEarlierMatches(request, window, [[id(1), '1', '1']])).toMatchSnapshot();
      expect(planTraceCount(request, 10)).toMatchSnapshot();
    });
  });

  test('the SQL', () => {
    const request = search({ service: 'web', filter: ['http.response.status_code >= 500'], minDuration: second });
    expect(planTraceSearch(request)).toMatchSnapshot();
    expect(
      planTraceSummaries([[a, String(base), '1']], (parameters) => spanCondition(request, parameters)),
    ).toMatchSnapshot();
  });
});

describe('scatter', () => {
  test('one point per trace', async () => {
    const { points, total } = await traceScatter(store.context(), search());
    expect(total).toBe(3);
    expect(points).toEqual([
      { traceId: a, timeMs: 1_760_000_010_000, durationMs: 2000, error: false, name: 'GET /pulls', service: 'web' },
      {
        traceId: b,
        timeMs: 1_760_000_020_000,
        durationMs: 5,
        error: false,
        name: 'consume',
        service: 'unknown_service',
      },
      { traceId: c, timeMs: 1_760_000_020_000, durationMs: 0.000007, error: false, name: 'tick', service: 'cron' },
    ]);
    expect(planTraceScatter(search())).toMatchSnapshot();
  });

  test('evenly picked when there are too many', async () => {
    const at = base - 100_000n * second;
    await store.insertSpans(
      Array.from({ length: 4_001 }, (_, index) => ({
        traceId: index.toString(16).padStart(32, '0'),
        spanId: '1111111111111111',
        time: at + BigInt(index) * second,
      })),
    );
    const { points, total } = await traceScatter(
      store.context(),
      search({ range: { from: at, to: at + 5_000n * second } }),
    );
    expect(total).toBe(4_001);
    // Every third: 0, 3, …, 3999.
    expect(points.length).toBe(1_334);
    expect(points.slice(0, 2).map((point) => Number.parseInt(point.traceId, 16))).toEqual([0, 3]);
  });
});

describe('one trace', () => {
  test('spans once each, by start', async () => {
    const trace = await getTrace(store.context(), a.toUpperCase());
    expect(trace).toMatchObject({
      traceId: a,
      startTimeUnixNano: String(base + 10n * second),
      durationNano: 2e9,
      logCount: 2,
      truncated: false,
      scopes: [
        { name: '@test/http', version: '1.2.3' },
        { name: '', version: '' },
      ],
      resources: [
        {
          attributes: [
            { key: 'deployment.slot', value: { stringValue: 'blue' } },
            { key: 'service.name', value: { stringValue: 'web' } },
          ],
        },
      ],
    });
    expect(trace.spans.map((span) => [span.spanId, span.parentSpanId, span.scope, span.resource])).toEqual([
      ['1111111111111111', '', 0, 0],
      ['2222222222222222', '1111111111111111', 1, 0],
    ]);
    const [root, child] = trace.spans;
    expect(root?.attributes).toEqual([
      { key: 'big', value: { intValue: '9007199254740993' } },
      { key: 'cache.hit', value: { boolValue: false } },
      { key: 'http.response.status_code', value: { intValue: '503' } },
      { key: 'http.route', value: { stringValue: '/pulls' } },
      { key: 'ratio', value: { doubleValue: 0.5 } },
      { key: 'tags', value: { arrayValue: { values: [{ stringValue: 'x' }] } } },
    ]);
    expect(child).toMatchObject({
      kind: 'CLIENT',
      startTimeUnixNano: String(base + 10n * second + 500_000_001n),
      endTimeUnixNano: String(base + 11n * second + 500_000_001n),
      durationNano: 1e9,
      status: { code: 'ERROR', message: 'refused' },
      events: [
        {
          timeUnixNano: String(base + 11n * second),
          name: 'exception',
          attributes: [
            { key: 'exception.type', value: { stringValue: 'TypeError' } },
            { key: 'retries', value: { intValue: '3' } },
          ],
          droppedAttributesCount: 0,
        },
      ],
      links: [
        {
          traceId: b,
          spanId: '3333333333333333',
          traceState: '',
          attributes: [{ key: 'why', value: { stringValue: 'batch' } }],
        },
      ],
    });
    expect(planTrace(a)).toMatchSnapshot();
  });

  test('that is not there', async () => {
    await expect(getTrace(store.context(), 'ee'.repeat(16))).rejects.toMatchObject({ code: 'not_found' });
  });
});
