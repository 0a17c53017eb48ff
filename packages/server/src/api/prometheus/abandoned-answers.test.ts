import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { encodeSnappy } from '@signalbox/protocols';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { Labels } from '../../query/promql/labels.ts';
import type { RawSeries } from '../../query/promql/queryable.ts';
import { SeriesCatalog } from '../../query/promql-store/series-catalog.ts';
import { StoreQueryable } from '../../query/promql-store/store-queryable.ts';
import { untranslated } from '../../query/promql-store/testing/store-storage.ts';
import type { Connection } from '../../store/connection.ts';
import { messageField, varintField } from '../protobuf-fields.ts';
import { QueryRegistry } from '../query-registry.ts';
import { createPrometheusApi } from './prometheus-api.ts';
import { sendAnswer } from './send-answer.ts';

const registry = new QueryRegistry();
const bugs: unknown[] = [];
let server: Server;
let port: number;

beforeAll(async () => {
  const handle = createPrometheusApi({
    // What would ask it is replaced.
    connection: {} as Connection,
    registry,
    catalog: new SeriesCatalog(untranslated, { maxSeries: 1_000, maxCached: 1_000 }),
    engine: { maxSamples: 10_000_000 },
    maxExecutionMs: 3_600_000,
    status: { version: '1.2.3', startedAtMs: 1_000, settings: {}, retention: '7d' },
    allowedHosts: [],
    corsOrigins: [],
    onError: (error) => bugs.push(error),
  });
  server = createServer((request, response) => void handle(request, response));
  port = await listen(server);
});

afterEach(() => vi.restoreAllMocks());

afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  expect(bugs).toEqual([]);
});

async function listen(one: Server): Promise<number> {
  await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve));
  return (one.address() as AddressInfo).port;
}

function seriesOf(at: number, samples: number): RawSeries {
  const values = Float64Array.from({ length: samples }, (_, i) => Math.sin(i * 121));
  return { labels: new Labels(['__name__', 'i'], ['m', String(at)]), times: values.map((_, i) => i), values };
}

const readRequest = (acceptedType: number): Uint8Array<ArrayBuffer> =>
  encodeSnappy(Buffer.concat([messageField(1, varintField(2, 600_000)), varintField(2, acceptedType)]));

/** A client that asks, and reads no more than the first bytes of its answer. */
async function stalledClient(at: number, head: string, body: Uint8Array = new Uint8Array()): Promise<Socket> {
  const socket = connect(at, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(`${head} HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${body.length}\r\n\r\n`);
  socket.write(body);
  await once(socket, 'readable');
  return socket;
}

test.each<[string, RequestInit | undefined]>([
  ['federate?match[]=m', undefined],
  ['api/v1/read', { method: 'POST', body: readRequest(0) }],
  ['api/v1/read', { method: 'POST', body: readRequest(1) }],
])('what was read is not sorted for nobody: %s', async (path, init) => {
  const count = 200_000;
  vi.spyOn(StoreQueryable.prototype, 'select').mockImplementation(async () => {
    for (const { id } of registry.list(0)) registry.cancel(id);
    return Array.from({ length: count }, (_, at) => seriesOf((at * 7_919) % count, 1));
  });
  const response = await fetch(`http://127.0.0.1:${port}/${path}`, init);
  expect([response.status, await response.text()]).toEqual([499, expect.stringMatching('The query was cancelled')]);
});

test.each(['is cancelled', 'has a client that leaves'])(
  'an answer that %s on its way is made no further',
  async (what) => {
    vi.spyOn(StoreQueryable.prototype, 'select').mockResolvedValue([seriesOf(0, 3_000_000)]);
    const socket = await stalledClient(port, 'POST /api/v1/read', readRequest(1));
    const [query] = registry.list(0);
    if (what === 'is cancelled') registry.cancel(query?.id ?? '');
    else socket.destroy();
    await vi.waitFor(() => expect(registry.list(0)).toEqual([]), { timeout: 15_000 });
    socket.destroy();
  },
);

test.each([
  ['', true],
  ['gzip', false],
])('a client that takes nothing of its answer is left (%s)', async (encoding, isPacked) => {
  let isLeft = false;
  async function* stream(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield crypto.getRandomValues(new Uint8Array(65_536));
    } finally {
      isLeft = true;
    }
  }
  let resolve: (error: unknown) => void = () => undefined;
  const failure = new Promise<unknown>((settle) => {
    resolve = settle;
  });
  const own = createServer((request, response) => {
    const signal = new AbortController().signal;
    request.headers['accept-encoding'] = encoding;
    sendAnswer(request, response, { headers: {}, stream: stream(), isPacked }, { signal, patienceMs: 50 }).catch(
      resolve,
    );
  });
  const socket = await stalledClient(await listen(own), 'GET /');
  expect(await failure).toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' });
  expect(isLeft).toBe(true);
  socket.destroy();
  own.close();
});
