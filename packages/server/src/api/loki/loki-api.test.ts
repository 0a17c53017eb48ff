import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LokiServer } from './testing/loki-server.ts';

let server: LokiServer;

/** A quarter of an hour ago, on a whole second. */
const start = BigInt(Math.floor(Date.now() / 1000) - 900) * 1_000_000_000n;
const at = (seconds: number) => String(start + BigInt(seconds) * 1_000_000_000n);
const range = { start: at(0), end: at(600) };
const traceId = '5b8efff798038103d269b633813fc60c';

beforeAll(async () => {
  server = await LokiServer.open();
  await server.push([
    {
      stream: { app: 'web', namespace: 'shop' },
      values: [
        [at(10), 'level=info msg="hello world" took=3ms'],
        [at(20), 'level=error msg="no such track" took=30ms', { trace_id: traceId }],
        [at(30), '{"status":500,"user":{"id":"u1"}}'],
      ],
    },
    { stream: { app: 'db', namespace: 'shop', service_name: 'postgres' }, values: [[at(15), 'ready']] },
  ]);
  const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  await server.pushOtlp({
    resourceLogs: [
      {
        resource: {
          attributes: [
            attribute('service.name', 'checkout'),
            attribute('k8s.namespace.name', 'prod'),
            attribute('host.name', 'node-1'),
          ],
        },
        scopeLogs: [
          {
            scope: { name: 'lib', version: '1' },
            logRecords: [
              {
                timeUnixNano: at(40),
                severityNumber: 17,
                severityText: 'ERROR',
                traceId,
                body: { stringValue: 'payment failed' },
                attributes: [attribute('order.id', '7'), { key: 'amount', value: { doubleValue: 2.5 } }],
              },
              {
                timeUnixNano: at(50),
                severityNumber: 9,
                body: { kvlistValue: { values: [attribute('event', 'paid')] } },
              },
            ],
          },
        ],
      },
    ],
  });
}, 30_000);

afterAll(async () => await server.close());

interface Streams {
  status: string;
  data: {
    resultType: string;
    encodingFlags?: string[];
    result: { stream: Record<string, string>; values: unknown[][] }[];
    stats: { summary: { totalLinesProcessed: number } };
  };
}

interface Samples {
  data: { resultType: string; result: { metric: object; value?: [number, string]; values?: [number, string][] }[] };
}

describe('what Grafana asks', () => {
  test('save and test: exactly one sample, 2', async () => {
    const { data } = await server.json<Samples>('query', { query: 'vector(1)+vector(1)', time: at(0) });
    expect(data.resultType).toBe('vector');
    expect(data.result).toEqual([{ metric: {}, value: [Number(start / 1_000_000_000n), '2'] }]);
  });

  test('lines, newest first, without a limit', async () => {
    const query = { query: '{app="web"}', step: '1000ms', direction: 'backward', ...range };
    const { status, data } = await server.json<Streams>('query_range', query);
    expect(status).toBe('success');
    expect(data.resultType).toBe('streams');
    expect(data.result).toEqual([
      {
        stream: { app: 'web', namespace: 'shop' },
        values: [
          [at(30), '{"status":500,"user":{"id":"u1"}}'],
          [at(10), 'level=info msg="hello world" took=3ms'],
        ],
      },
      {
        stream: { app: 'web', namespace: 'shop', trace_id: traceId },
        values: [[at(20), 'level=error msg="no such track" took=30ms']],
      },
    ]);
    expect(data.stats.summary.totalLinesProcessed).toBe(3);
  });

  test('categorised labels keep a stream together', async () => {
    const query = { query: '{app="web"} | logfmt | took > 5ms', ...range };
    const flags = { 'x-loki-response-encoding-flags': 'categorize-labels' };
    const { data } = await server.json<Streams>('query_range', query, flags);
    expect(data.encodingFlags).toEqual(['categorize-labels']);
    expect(data.result).toEqual([
      {
        stream: { app: 'web', namespace: 'shop' },
        values: [
          [
            at(20),
            'level=error msg="no such track" took=30ms',
            {
              structuredMetadata: { trace_id: traceId, detected_level: 'error' },
              parsed: { level: 'error', msg: 'no such track', took: '30ms' },
            },
          ],
        ],
      },
    ]);
  });

  test('OTLP logs have labels and metadata as Loki’s OTLP endpoint makes them', async () => {
    const { data } = await server.json<Streams>('query_range', { query: '{service_name="checkout"}', ...range });
    const common = {
      service_name: 'checkout',
      k8s_namespace_name: 'prod',
      host_name: 'node-1',
      scope_name: 'lib',
      scope_version: '1',
    };
    expect(data.result).toEqual([
      {
        stream: { ...common, severity_number: '9', detected_level: 'info' },
        values: [[at(50), '{"event":"paid"}']],
      },
      {
        stream: {
          ...common,
          severity_number: '17',
          severity_text: 'ERROR',
          detected_level: 'error',
          trace_id: traceId,
          order_id: '7',
          amount: '2.5',
        },
        values: [[at(40), 'payment failed']],
      },
    ]);
    const flags = { 'x-loki-response-encoding-flags': 'categorize-labels' };
    const trace = { query: `{service_name="checkout"} | trace_id="${traceId}"`, ...range };
    const found = await server.json<Streams>('query_range', trace, flags);
    expect(found.data.result.map(({ stream, values }) => [stream, values.length])).toEqual([
      [{ service_name: 'checkout', k8s_namespace_name: 'prod' }, 1],
    ]);
  });

  test('the volume of logs by level', async () => {
    const query = 'sum by (detected_level) (count_over_time({namespace="shop"}[10m]))';
    const { data } = await server.json<Samples>('query', { query, time: at(600) });
    expect(data.result.map(({ metric, value }) => [metric, value?.[1]])).toEqual([
      [{ detected_level: 'error' }, '1'],
      [{ detected_level: 'info' }, '1'],
      [{ detected_level: 'unknown' }, '2'],
    ]);
  });

  test('labels, their values, and series', async () => {
    expect(await server.json('labels', range)).toEqual({
      status: 'success',
      data: ['app', 'k8s_namespace_name', 'namespace', 'service_name'],
    });
    expect(await server.json('labels', { ...range, query: '{app="web"}' })).toMatchObject({
      data: ['app', 'namespace', 'service_name'],
    });
    expect(await server.json('label/service_name/values', range)).toEqual({
      status: 'success',
      data: ['checkout', 'postgres', 'web'],
    });
    expect(await server.json('series', { ...range, 'match[]': '{namespace="shop"}' })).toEqual({
      status: 'success',
      data: expect.arrayContaining([
        { app: 'web', namespace: 'shop' },
        { app: 'db', namespace: 'shop', service_name: 'postgres' },
      ]) as unknown,
    });
  });

  test('index/stats and volumes', async () => {
    const lines = [
      'level=info msg="hello world" took=3ms',
      'level=error msg="no such track" took=30ms',
      '{"status":500,"user":{"id":"u1"}}',
    ];
    const bytes = lines.join('').length;
    const web = { query: '{app="web"}', ...range };
    expect(await server.json('index/stats', web)).toEqual({ streams: 1, chunks: 1, entries: 3, bytes });
    const volume = await server.json<Samples>('index/volume', { ...web, targetLabels: 'service_name' });
    expect(volume.data).toMatchObject({
      resultType: 'vector',
      result: [{ metric: { service_name: 'web' }, value: [Number(BigInt(range.end) / 1_000_000_000n), String(bytes)] }],
    });
    const over = await server.json<Samples>('index/volume_range', { ...web, step: '15' });
    expect(over.data.resultType).toBe('matrix');
    expect(over.data.result[0]?.metric).toEqual({ app: 'web' });
    expect(over.data.result[0]?.values?.reduce((sum, [, value]) => sum + Number(value), 0)).toBe(bytes);
  });

  test('steps of volumes lie on multiples of their length; each has the time of its end', async () => {
    const second = Number(start / 1_000_000_000n);
    const next = (seconds: number) => Math.floor((second + seconds) / 7) * 7 + 6.999;
    const query = { query: '{app="db"}', start: at(0), end: at(15), step: '7' };
    const { data } = await server.json<Samples>('index/volume_range', query);
    expect(data.result).toEqual([{ metric: { app: 'db' }, values: [[Math.min(next(15), second + 15), '5']] }]);
    const later = await server.json<Samples>('index/volume_range', { ...query, end: at(100) });
    expect(later.data.result[0]?.values).toEqual([[next(15), '5']]);
  });

  test('volumes of several labels are those of streams that have all of them; a limit of 0 is none', async () => {
    const all = { query: '{namespace="shop"}', ...range };
    const both = await server.json<Samples>('index/volume', { ...all, targetLabels: 'app,service_name', limit: '0' });
    expect(both.data.result.map(({ metric }) => metric)).toEqual([
      { app: 'web', service_name: 'web' },
      { app: 'db', service_name: 'postgres' },
    ]);
    const none = await server.json<Samples>('index/volume', { ...all, targetLabels: 'app,k8s_namespace_name' });
    expect(none.data.result).toEqual([]);
    const named = await server.json<Samples>('index/volume', { ...all, aggregateBy: 'labels' });
    expect(named.data.result.map(({ metric }) => metric)).toEqual([
      { app: '' },
      { namespace: '' },
      { service_name: '' },
    ]);
  });

  test('detected labels and fields, patterns', async () => {
    expect(await server.json('detected_labels', { query: '{namespace="shop"}', ...range })).toEqual({
      detectedLabels: [
        { label: 'app', cardinality: 2 },
        { label: 'namespace', cardinality: 1 },
        { label: 'service_name', cardinality: 2 },
      ],
    });
    const { fields } = await server.json<{ fields: object[] }>('detected_fields', { query: '{app="web"}', ...range });
    expect(fields).toEqual(
      expect.arrayContaining([
        { label: 'took', type: 'duration', cardinality: 2, parsers: ['logfmt'] },
        { label: 'status', type: 'int', cardinality: 1, parsers: ['json'], jsonPath: ['status'] },
        { label: 'user_id', type: 'string', cardinality: 1, parsers: ['json'], jsonPath: ['user', 'id'] },
        { label: 'trace_id', type: 'string', cardinality: 1, parsers: null },
      ]),
    );
    const values = await server.json<{ values: string[] }>('detected_field/took/values', {
      query: '{app="web"}',
      ...range,
    });
    expect(values.values).toEqual(['30ms', '3ms']);
    const patterns = await server.json<{ data: { pattern: string; level: string; samples: number[][] }[] }>(
      'patterns',
      {
        query: '{app=~"web|db"}',
        step: '60s',
        ...range,
      },
    );
    const minute = (seconds: number) => Number((BigInt(at(seconds)) / 60_000_000_000n) * 60n);
    expect(patterns.data).toEqual([
      { pattern: 'level=info msg="hello world" took=3ms', level: 'info', samples: [[minute(10), 1]] },
      { pattern: 'level=error msg="no such track" took=30ms', level: 'error', samples: [[minute(20), 1]] },
    ]);
  });

  test('labels that are nothing but ids are not detected, unless one groups by them', async () => {
    const ids = ['1', '-2.5', 'f47ac10b58cc4372a5670e02b2c3d479', '{f47ac10b-58cc-4372-a567-0e02b2c3d479}'];
    await server.push(
      ids.map((id, index) => ({
        stream: { team: 'ids', id, pod: `${index}`, flag: `${index % 2}`, mixed: index === 0 ? 'a' : id },
        values: [[at(100 + index), 'x']],
      })),
    );
    const { detectedLabels } = await server.json<{ detectedLabels: { label: string; cardinality: number }[] }>(
      'detected_labels',
      { query: '{team="ids"}', ...range },
    );
    expect(detectedLabels.map(({ label, cardinality }) => [label, cardinality])).toEqual([
      ['flag', 2],
      ['mixed', 4],
      ['pod', 4],
      ['service_name', 1],
      ['team', 1],
    ]);
  });

  test('what Logs Drilldown wants to know first', async () => {
    expect(await server.json('drilldown-limits')).toMatchObject({ limits: { volume_enabled: true } });
    expect(await server.get('ready')).toMatchObject({ status: 200, text: 'ready\n' });
  });
});

describe('queries', () => {
  test('metrics over the lines, aligned to the start', async () => {
    const query = {
      query: 'sum by (app) (count_over_time({namespace="shop"}[30s]))',
      start: at(30),
      end: at(60),
      step: '30',
    };
    const { data } = await server.json<Samples>('query_range', query);
    const seconds = Number(start / 1_000_000_000n);
    expect(data).toMatchObject({
      resultType: 'matrix',
      result: [
        { metric: { app: 'db' }, values: [[seconds + 30, '1']] },
        { metric: { app: 'web' }, values: [[seconds + 30, '3']] },
      ],
    });
  });

  test.each([
    ['{app="web"} |= "hello"', 1],
    ['{app="web"} |= "no such track"', 1],
    ['{app="web"} != "level"', 1],
    ['{app="web"} |~ "level=(info|error)"', 2],
    ['{app="web"} |~ "(?i)HELLO"', 1],
    ['{app="web"} |> "level=<_> took=<_>"', 2],
    ['{app="web"} | json | status >= 500', 1],
    ['{service_name="checkout"} |= "paid"', 1],
    ['{service_name="checkout"} != "paid"', 1],
    ['{app=~"w.*"} |= "x" or "hello"', 1],
  ])('%s finds %d lines', async (query, expected) => {
    const { data } = await server.json<Streams>('query_range', { query, ...range });
    expect(data.result.flatMap(({ values }) => values)).toHaveLength(expected);
  });

  test('forward and backward are cut at the limit', async () => {
    const lines = async (direction: string) => {
      const { data } = await server.json<Streams>('query_range', {
        query: '{app="web"}',
        limit: '1',
        direction,
        ...range,
      });
      return data.result.flatMap(({ values }) => values.map(([time]) => time));
    };
    expect(await lines('forward')).toEqual([at(10)]);
    expect(await lines('backward')).toEqual([at(30)]);
  });

  test('lines that lie closer than the interval are left out', async () => {
    const lines = async (direction: string, interval: string) => {
      const query = { query: '{app="web"}', limit: '10', direction, interval, ...range };
      const { data } = await server.json<Streams>('query_range', query);
      const times = data.result.flatMap(({ values }) => values.map(([time]) => time));
      return times.sort();
    };
    expect(await lines('forward', '10')).toEqual([at(10), at(20), at(30)]);
    expect(await lines('forward', '11s')).toEqual([at(10), at(30)]);
    expect(await lines('backward', '21s')).toEqual([at(30)]);
  });

  test('what is wrong with a form is told', async () => {
    const url = `${server.url}/loki/api/v1/query`;
    const post = async (body: string): Promise<[number, string]> => {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      const response = await fetch(url, { method: 'POST', body, headers });
      return [response.status, await response.text()];
    };
    expect(await post(`query=${'x'.repeat(1024 * 1024)}`)).toEqual([
      400,
      'error parsing form values: http: request body too large',
    ]);
    // As Go says it.
    expect(await post('query=%zz')).toEqual([400, 'invalid URL escape "%zz"']);
  });

  test('format_query', async () => {
    expect(await server.json('format_query', { query: '{app="web"}|="x"|json' })).toEqual({
      status: 'success',
      data: '{app="web"} |= "x" | json',
    });
  });

  test.each([
    [
      'query_range',
      { query: '{app="web"' },
      400,
      'parse error at line 1, col 11: syntax error: unexpected $end, expecting } or ,',
    ],
    [
      'query',
      { query: '{app="web"}' },
      400,
      'log queries are not supported as an instant query type, please change your query to a range query type',
    ],
    [
      'detected_fields',
      { query: '{app="web"}', line_limit: '5001' },
      400,
      'max entries limit per query exceeded, limit > max_entries_limit_per_query (5001 > 5000)',
    ],
    [
      'query_range',
      { query: '{app="web"}', limit: '100000' },
      400,
      'max entries limit per query exceeded, limit > max_entries_limit_per_query (100000 > 5000)',
    ],
    ['query_range', { query: '{app="web"}', direction: 'up' }, 400, "invalid direction 'up'"],
    ['query_range', { query: '{app="web"}', interval: '-1' }, 400, 'interval must be >= 0'],
    ['query_range', { query: '{app="web"}', interval: 'x' }, 400, 'cannot parse "x" to a valid duration'],
    ['query_range', { query: '{app="web"}', limit: 'x' }, 400, 'strconv.Atoi: parsing "x": invalid syntax'],
    [
      'query_range',
      { query: '{app="web"}', step: '-1' },
      400,
      'zero or negative query resolution step widths are not accepted. Try a positive integer',
    ],
    [
      'query_range',
      { query: '{app="web"}', start: 'x' },
      400,
      `could not parse 'start' parameter: strconv.ParseInt: parsing "x": invalid syntax`,
    ],
    [
      'query_range',
      { query: 'rate({app="web"}[1m])', start: '1', end: '1700000000', step: '1' },
      400,
      'exceeded maximum resolution of 11,000 points per time series. Try increasing the value of the step parameter',
    ],
    ['index/volume', { query: '{app="web"}', aggregateBy: 'x' }, 400, 'invalid aggregation option'],
  ])('%s with %j answers %d', async (path, parameters, status, text) => {
    const answer = await server.get(`loki/api/v1/${path}`, parameters);
    expect(answer).toEqual({ status, text, type: 'text/plain; charset=utf-8' });
  });

  test('a line that can’t be read as wanted fails a metric query, and says how to go on', async () => {
    const query = 'count_over_time({app="web"} | json [10m])';
    const { status, text } = await server.get('loki/api/v1/query', { query, time: at(600) });
    expect(status).toBe(400);
    expect(text).toContain("pipeline error: 'JSONParserErr' for series: '{__error__=\"JSONParserErr\"");
  });
});
