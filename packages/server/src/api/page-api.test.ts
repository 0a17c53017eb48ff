import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ApiErrorBody, QueriesResponse, StatusResponse } from '@signalbox/api-contract';
import { decodeLogs } from '@signalbox/otlp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LogTail } from '../query/logs/log-tail.ts';
import { TestStore } from '../query/testing/test-store.ts';
import type { Connection } from '../store/connection.ts';
import { createPageApi } from './page-api.ts';

const base = 1_760_000_000_000_000_000n;
const times = 'start=1760000000000&end=1760003600000';
const status = { version: '0' } as StatusResponse;

let store: TestStore;
let server: Server;
let root: string;
const tail = new LogTail();
const bugs: unknown[] = [];

/** While set, every statement is preceded by one that takes minutes, in the engine itself. */
let slow = false;
const long = 'SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))';

beforeAll(async () => {
  store = await TestStore.open();
  await store.insertSpans([
    { traceId: 'aa'.repeat(16), spanId: '1111111111111111', time: base, name: 'GET /ä b', service: 'web shop/ü' },
  ]);
  await store.insertRed([
    {
      time: 1_760_000_000,
      service: 'web shop/ü',
      name: 'GET /ä b',
      kind: 2,
      entry: 1,
      error: 0,
      count: 1,
      duration_sum: 8,
      duration_max: 8,
      buckets: { 24: 1 },
    },
  ]);
  await store.insertLogs([{ time: base, service: 'web shop/ü', body: 'hello' }]);
  const { connection } = store;
  const slowable: Connection = {
    query: (sql, options) =>
      slow ? connection.query(long, { ...options, parameters: {} }) : connection.query(sql, options),
    queryColumns: (sql, options) => connection.queryColumns(sql, options),
    insert: (table, block) => connection.insert(table, block),
    command: (sql, options) => connection.command(sql, options),
    version: (table) => connection.version(table),
    changedSince: (table, version) => connection.changedSince(table, version),
    metricsSince: (version) => connection.metricsSince(version),
    recentPoints: () => connection.recentPoints(),
    close: (deadlineMs) => connection.close(deadlineMs),
  };
  const options = {
    connection: slowable,
    logTail: tail,
    status: async () => status,
    allowedHosts: ['box.example'],
    onError: (error: unknown) => bugs.push(error),
  };
  const api = createPageApi({ ...options, maxExecutionMs: 20_000 });
  const impatient = createPageApi({ ...options, maxExecutionMs: 1_000 });
  server = createServer(async (request, response) => {
    const chosen = request.headers['x-impatient'] === undefined ? api : impatient;
    if (!(await chosen.handle(request, response))) response.writeHead(418).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  root = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await store.close();
});

const get = (path: string, init?: RequestInit): Promise<Response> => fetch(`${root}/api/signalbox/${path}`, init);
const error = async (path: string, init?: RequestInit): Promise<[number, ApiErrorBody['error']]> => {
  const response = await get(path, init);
  return [response.status, ((await response.json()) as ApiErrorBody).error];
};

test.each([
  ['services', ['services', 0, 'name'], 'web shop/ü'],
  [`services/${encodeURIComponent('web shop/ü')}/operations`, ['operations', 0, 'name'], 'GET /ä b'],
  [`services/${encodeURIComponent('web shop/ü')}/red`, ['red', 'count'], 1],
  ['service-map', ['nodes', 0, 'name'], 'web shop/ü'],
  ['traces', ['total'], 1],
  [`traces?q=${encodeURIComponent('{ span:name =~ "GET.*" }')}`, ['traces', 0, 'matched', 'name'], 'GET /ä b'],
  [`traces?q=${encodeURIComponent('{ span:name = "POST" }')}`, ['traces', 'length'], 0],
  ['traces/scatter', ['points', 0, 'timeMs'], 1_760_000_000_000],
  ['logs', ['logs', 0, 'body', 'stringValue'], 'hello'],
  ['logs/histogram', ['total'], 1],
  ['metrics', ['metrics', 'length'], 0],
  ['fields?signal=logs', ['fields', 'length'], 0],
  ['fields/values?key=span:name', ['values', 0, 'value'], 'GET /ä b'],
])('%s', async (path, place, expected) => {
  const response = await get(`${path}${path.includes('?') ? '&' : '?'}${times}`);
  let value = (await response.json()) as unknown;
  expect(response.status).toBe(200);
  for (const part of place) value = (value as Record<string, unknown>)[part];
  expect(value).toBe(expected);
});

test('one trace, and the status', async () => {
  expect(((await (await get(`traces/${'AA'.repeat(16)}`)).json()) as { spans: unknown[] }).spans.length).toBe(1);
  expect(await (await get('status')).json()).toEqual(status);
});

test('headers', async () => {
  const { headers } = await get('services');
  expect(headers.get('x-signalbox-query-id')).toMatch(/^[0-9a-f-]{36}$/);
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.get('access-control-allow-origin')).toBeNull();
  expect((await get('nothing')).headers.get('x-signalbox-query-id')).not.toBeNull();
});

test('other paths are left to others', async () => {
  expect((await fetch(`${root}/api/other`)).status).toBe(418);
});

describe('what is wrong is named', () => {
  test.each<[string, number, Partial<ApiErrorBody['error']>]>([
    ['nothing', 404, { code: 'not_found' }],
    ['traces/123', 400, { code: 'bad_request', parameter: 'traceId', position: { start: 0, end: 3 } }],
    [`traces/${'0'.repeat(32)}`, 404, { code: 'not_found' }],
    [
      `traces?q=${encodeURIComponent('{ status = eror }')}`,
      400,
      { code: 'bad_request', parameter: 'q', position: { start: 11, end: 15 } },
    ],
    [
      `traces?q=${encodeURIComponent('{ } | rate()')}`,
      400,
      { parameter: 'q', message: 'This TraceQL makes time series, not traces' },
    ],
    [`traces?q=${encodeURIComponent('{ }')}&service=web`, 400, { parameter: 'service' }],
    [
      'traces?servcie=web',
      400,
      { parameter: 'servcie', hint: expect.stringContaining('service') as unknown as string },
    ],
    ['traces?limit=0', 400, { parameter: 'limit', position: { start: 0, end: 1 } }],
    ['traces?limit=10&limit=20', 400, { parameter: 'limit' }],
    ['traces?kind=server', 400, { parameter: 'kind', hint: expect.stringContaining('SERVER') as unknown as string }],
    ['traces?minDuration=5', 400, { parameter: 'minDuration' }],
    ['traces?start=tomorrow', 400, { parameter: 'start' }],
    ['traces?start=now&end=now-1h', 400, { parameter: 'start' }],
    ['traces?filter=a%20%3D', 400, { parameter: 'filter', position: { start: 3, end: 3 } }],
    ['traces?filter=a%20%3D~%20%22(%22', 400, { parameter: 'filter', position: { start: 5, end: 8 } }],
    [`logs?q=${'x'.repeat(8_193)}`, 400, { parameter: 'q' }],
    ['logs?cursor=x', 400, { parameter: 'cursor' }],
    ['logs?severity=INFO&severity=info', 400, { parameter: 'severity' }],
    ['logs/tail?filter=a%20%3D~%20%5CpL', 400, { parameter: 'filter' }],
    ['metrics/query', 400, { parameter: 'name' }],
    ['metrics/query?name=x', 404, { code: 'not_found' }],
    ['services/x/red?stepMs=1000&start=now-52w', 400, { parameter: 'stepMs' }],
    ['services/%ff/red', 404, {}],
    ['status?x=1', 400, { parameter: 'x' }],
  ])('%s', async (path, code, expected) => {
    const [answered, body] = await error(path);
    expect([answered, body]).toEqual([code, expect.objectContaining(expected)]);
    expect(body.message.length).toBeGreaterThan(5);
  });

  test('hostile text in every parameter is only text', async () => {
    const hostile = [
      "'; DROP TABLE spans; --",
      '\n\nDROP TABLE logs;',
      '{p0:String}',
      '\\',
      "\\'",
      '\u0000',
      '%',
      '🦊',
      '*/',
      '`',
    ];
    for (const text of hostile) {
      const q = encodeURIComponent(text);
      const filter = encodeURIComponent(`"${text.replace(/[\\"]/g, '\\$&')}" = "${text.replace(/[\\"]/g, '\\$&')}"`);
      for (const path of [
        `traces?service=${q}&operation=${q}&filter=${filter}&${times}`,
        `traces/scatter?service=${q}&filter=${filter}&${times}`,
        `logs?q=${q}&service=${q}&filter=${filter}&${times}`,
        `logs/histogram?q=${q}&filter=${filter}&${times}`,
        `services/${q}/operations?${times}`,
        `services/${q}/red?operation=${q}&${times}`,
        `metrics?search=${q}&${times}`,
        `metrics/labels?name=${q}&${times}`,
        `metrics/label-values?name=${q}&label=${q}&${times}`,
        `metrics/exemplars?name=${q}&filter=${filter}&${times}`,
        `fields?prefix=${q}&${times}`,
        `fields/values?key=${q}&prefix=${q}&${times}`,
      ]) {
        const response = await get(path);
        expect([path, response.status, await response.text()]).toEqual([path, 200, expect.any(String)]);
      }
      expect((await error(`metrics/query?name=${q}&groupBy=${q}&filter=${filter}&${times}`))[0]).toBe(404);
    }
    expect(((await (await get(`logs?${times}`)).json()) as { total: number }).total).toBe(1);
    expect(bugs).toEqual([]);
  }, 60_000);

  test('only pages of this server may ask', async () => {
    const answer = (headers: Record<string, string>, path = '/api/signalbox/status', method = 'GET'): Promise<number> =>
      new Promise((resolve, reject) => {
        const { port } = server.address() as AddressInfo;
        httpRequest({ host: '127.0.0.1', port, path, method, headers }, (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        })
          .on('error', reject)
          .end();
      });
    const host = '127.0.0.1:4319';
    expect(await answer({ host })).toBe(200);
    expect(await answer({ host: 'box.example:4319' })).toBe(200);
    expect(await answer({ host: 'evil.example' })).toBe(400);
    expect(await answer({ host, origin: `http://${host}` })).toBe(200);
    expect(await answer({ host, origin: 'http://evil.example' })).toBe(400);
    expect(await answer({ host, origin: 'null' })).toBe(400);
    expect(await answer({ host, 'sec-fetch-site': 'cross-site' })).toBe(400);
    expect(await answer({ host }, '/api/signalbox/status', 'HEAD')).toBe(200);
    expect(await answer({ host }, '/api/signalbox/status', 'POST')).toBe(400);
  });
});

describe('a query that takes minutes', () => {
  const running = async (): Promise<QueriesResponse['queries']> =>
    ((await (await get('queries')).json()) as QueriesResponse).queries.filter(
      (query) => query.route !== '/api/signalbox/queries',
    );
  const inEngine = async (): Promise<number> => {
    const { rows } = await store.connection.query<[string]>(
      `SELECT count() FROM system.processes WHERE query LIKE '%sipHash64%' AND query NOT LIKE '%system.processes%'`,
    );
    return Number(rows[0]?.[0]);
  };
  const until = async (condition: () => Promise<boolean>): Promise<void> => {
    for (let attempt = 0; attempt < 200; attempt++) {
      if (await condition()) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('It did not happen');
  };
  // The embedded engine of a test has one session for queries: what watches must not wait behind what it watches.
  const start = async (init?: RequestInit): Promise<{ answer: Promise<Response> }> => {
    slow = true;
    const answer = get(`traces?${times}`, init);
    answer.catch(() => {});
    await until(async () => (await running()).length === 1);
    slow = false;
    return { answer };
  };

  test('is stopped by its id', async () => {
    const { answer } = await start();
    const [query] = await running();
    expect(query).toMatchObject({
      route: '/api/signalbox/traces',
      startedAtMs: expect.any(Number),
      elapsedMs: expect.any(Number),
    });
    expect((await get(`queries/${query?.id}`, { method: 'DELETE' })).status).toBe(204);
    const response = await answer;
    expect([response.status, ((await response.json()) as ApiErrorBody).error.code]).toEqual([499, 'cancelled']);
    expect(response.headers.get('x-signalbox-query-id')).toBe(query?.id);
    expect((await get(`queries/${query?.id}`, { method: 'DELETE' })).status).toBe(404);
    // It is gone from the engine well before its own time limit, so that the next one has room.
    const started = performance.now();
    await until(async () => (await inEngine()) === 0);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  test('is stopped when the client goes away', async () => {
    const client = new AbortController();
    const { answer } = await start({ signal: client.signal });
    client.abort();
    await expect(answer).rejects.toThrow();
    await until(async () => (await running()).length === 0);
    const started = performance.now();
    await until(async () => (await inEngine()) === 0);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  test('is stopped by its time limit', async () => {
    slow = true;
    const answer = get(`traces?${times}`, { headers: { 'x-impatient': '1' } });
    const response = await answer.finally(() => {
      slow = false;
    });
    const body = (await response.json()) as ApiErrorBody;
    expect([response.status, body.error.code, body.error.hint]).toEqual([
      503,
      'timeout',
      expect.stringContaining('Narrow'),
    ]);
  });
});

describe('the live tail', () => {
  const publish = (bodies: readonly string[]): void => {
    const logRecords = bodies.map((body) => ({ body: { stringValue: body }, observedTimeUnixNano: '1' }));
    const request = { resourceLogs: [{ scopeLogs: [{ logRecords }] }] };
    tail.publish(decodeLogs(Buffer.from(JSON.stringify(request)), 'json').batch);
  };

  test('streams what matches', async () => {
    const client = new AbortController();
    const response = await get('logs/tail?q=yes&limit=5', { signal: client.signal });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
    publish(['yes 1', 'no', 'yes\n\ndata: 2']);
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += decoder.decode(chunk, { stream: true });
      if (text.split('event: log').length === 3 && text.endsWith('\n\n')) break;
    }
    const events = text.split('\n\n').filter((event) => event.startsWith('event: log'));
    const bodies = events.map((event) => JSON.parse(event.split('\ndata: ')[1] as string).body.stringValue);
    expect(bodies).toEqual(['yes 1', 'yes\n\ndata: 2']);
    client.abort();
  });

  test('counts what a slow reader misses', async () => {
    const { port } = server.address() as AddressInfo;
    const text = await new Promise<string>((resolve, reject) => {
      const client = httpRequest({ host: '127.0.0.1', port, path: '/api/signalbox/logs/tail' }, (response) => {
        response.pause();
        let all = '';
        response.on('data', (chunk: Buffer) => {
          all += chunk.toString('latin1');
          if (all.includes('event: dropped')) {
            client.destroy();
            resolve(all);
          }
        });
        response.on('error', () => {});
        // Far more than the sockets and the limit hold.
        for (let round = 0; round < 40; round++) publish(Array.from({ length: 10 }, () => 'x'.repeat(100_000)));
        setTimeout(() => response.resume(), 100);
      });
      client.on('error', reject);
      client.end();
    });
    const given = text.split('event: log').length - 1;
    const dropped = Number(/event: dropped\ndata: \{"count":(\d+)\}/.exec(text)?.[1]);
    expect(given + dropped).toBe(400);
    expect(dropped).toBeGreaterThan(100);
  });

  test('ends when it is cancelled', async () => {
    const response = await get('logs/tail');
    expect((await get(`queries/${response.headers.get('x-signalbox-query-id')}`, { method: 'DELETE' })).status).toBe(
      204,
    );
    expect(await response.text()).toContain(': listening');
  });
});

test('no bug was met', () => expect(bugs).toEqual([]));
