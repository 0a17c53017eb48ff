import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeSnappy, encodeSnappy } from '@signalbox/protocols';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MemorySample } from '../../query/promql/memory-series.ts';
import { parseSeriesDescription } from '../../query/promql/series-description.ts';
import { SeriesCatalog } from '../../query/promql-store/series-catalog.ts';
import { StoreStorage, untranslated } from '../../query/promql-store/testing/store-storage.ts';
import { TestStore } from '../../query/testing/test-store.ts';
import {
  bytesField,
  integerOf,
  type MessageFields,
  messageField,
  messagesOf,
  type Part,
  readMessage,
  textOf,
  varintField,
} from '../protobuf-fields.ts';
import { QueryRegistry } from '../query-registry.ts';
import { createPrometheusApi } from './prometheus-api.ts';
import { decodeChunkedRead } from './testing/decode-chunked-read.ts';

/** What the original Go library sends. */
const fixtures: Record<string, string> = JSON.parse(
  readFileSync(new URL('../../../../protocols/src/testing/go-clients.json', import.meta.url), 'utf8'),
);
const goClientBytes = (name: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(Buffer.from(fixtures[name] ?? '', 'base64'));

/** A sample a minute from 1970 on. */
const series = [
  'test_metric1{foo="bar"} 0+100x3',
  'test_metric1{foo="boo"} 1+0x3',
  'test_metric1{foo="baz"} 7 _ stale',
  'read_histogram {{schema:1 count:6 sum:5 z_bucket:1 z_bucket_w:0.5 offset:-2 buckets:[1 0 0 2 1] n_buckets:[1]}}',
];
const maxSamples = 50;

/** What the Go client asks, without the types of answers that it accepts. */
const goClientQueries = decodeSnappy(goClientBytes('remoteRead'), 1_000).slice(0, -4);

let store: TestStore;
let server: Server;
let url: string;

beforeAll(async () => {
  store = await TestStore.open();
  const storage = await StoreStorage.create(store);
  const samplesOf = (values: ReturnType<typeof parseSeriesDescription>['values']): MemorySample[] =>
    values.flatMap((value, index) =>
      value.kind === 'gap'
        ? []
        : [{ timeMs: index * 60_000, value: value.kind === 'stale' ? ('stale' as const) : value.value }],
    );
  await storage.add(
    series
      .map((text) => parseSeriesDescription(text))
      .map(({ labels, values }) => ({ labels, samples: samplesOf(values) })),
  );
  const handle = createPrometheusApi({
    connection: store.connection,
    registry: new QueryRegistry(),
    catalog: new SeriesCatalog(untranslated, { maxSeries: 1_000, maxCached: 1_000 }),
    engine: { maxSamples },
    maxExecutionMs: 20_000,
    status: { version: '1.2.3', startedAtMs: 1_000, settings: {}, retention: '7d' },
    allowedHosts: [],
    corsOrigins: [],
    onError: (error) => console.error(error),
  });
  server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/read`;
});

afterAll(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await store?.close();
});

async function post(body: Uint8Array<ArrayBuffer>): Promise<Response> {
  const headers = {
    'content-type': 'application/x-protobuf',
    'content-encoding': 'snappy',
    'x-prometheus-remote-read-version': '0.1.0',
  };
  return fetch(url, { method: 'POST', headers, body });
}

/** The results of an answer by the fields of `prometheus.TimeSeries`. */
async function read(body: Uint8Array<ArrayBuffer>): Promise<MessageFields[][]> {
  const response = await post(body);
  expect([response.status, response.headers.get('content-type'), response.headers.get('content-encoding')]).toEqual([
    200,
    'application/x-protobuf',
    'snappy',
  ]);
  const answer = decodeSnappy(new Uint8Array(await response.arrayBuffer()), 1_000_000);
  return messagesOf(readMessage(answer), 1).map((result) => messagesOf(result, 1));
}

const labelsOf = (one: MessageFields): string[][] =>
  messagesOf(one, 1).map((label) => [textOf(label, 1), textOf(label, 2)]);
const bytesOf = (fields: MessageFields, field: number): Buffer => Buffer.from(fields.get(field)?.at(-1) as Uint8Array);
const samplesOf = (one: MessageFields): unknown[] =>
  messagesOf(one, 2).map((sample) => [Number(integerOf(sample, 2)), bytesOf(sample, 1).toString('hex')]);
const double = (value: number): string => {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes.toString('hex');
};

function request(
  matcher: readonly Part[],
  options: { endMs?: number; accepted?: number } = {},
): Uint8Array<ArrayBuffer> {
  const query = messageField(1, varintField(2, options.endMs ?? 600_000), messageField(3, ...matcher));
  return encodeSnappy(Buffer.concat([query, varintField(2, options.accepted ?? 0)]));
}
const labelled = (name: string, foo: string): string[][] => [
  ['__name__', name],
  ['foo', foo],
];
const named = (name: string): Part[] => [bytesField(2, '__name__'), bytesField(3, name)];

describe('remote read', () => {
  test('answers a client that does not say what it accepts with samples', async () => {
    const [numbers, histograms] = await read(encodeSnappy(goClientQueries));
    expect(numbers?.map(labelsOf)).toEqual([
      [
        ['__name__', 'test_metric1'],
        ['foo', 'bar'],
      ],
      [
        ['__name__', 'test_metric1'],
        ['foo', 'baz'],
      ],
    ]);
    expect(numbers?.map(samplesOf)).toEqual([
      [
        [60_000, double(100)],
        [120_000, double(200)],
        [180_000, double(300)],
      ],
      // Prometheus's mark of a series that has ended: value.StaleNaN.
      [[120_000, '020000000000f07f']],
    ]);
    expect(histograms).toHaveLength(1);
    const [histogram] = messagesOf(histograms?.[0] as MessageFields, 4);
    if (histogram === undefined) throw new Error('no histogram');
    const packed = (field: number): number[] => {
      const bytes = bytesOf(histogram, field);
      return Array.from({ length: bytes.length / 8 }, (_, i) => bytes.readDoubleLE(i * 8));
    };
    const zigzag = (value: bigint): number => Number((value >> 1n) ^ -(value & 1n));
    const spans = (field: number): unknown[] =>
      messagesOf(histogram, field).map((span) => [zigzag(integerOf(span, 1)), Number(integerOf(span, 2))]);
    expect(['count', 'sum', 'zero threshold', 'zero count'].map((_, i) => packed([2, 3, 5, 7][i] as number))).toEqual([
      [6],
      [5],
      [0.5],
      [1],
    ]);
    expect(zigzag(integerOf(histogram, 4))).toBe(1);
    expect([spans(11), packed(13)]).toEqual([
      [
        [-2, 1],
        [2, 2],
      ],
      [1, 2, 1],
    ]);
    expect([spans(8), packed(10)]).toEqual([[[0, 1]], [1]]);
    expect(Number(integerOf(histogram, 15))).toBe(0);
  });

  test('series stand in the order of their labels', async () => {
    const [found] = await read(request(named('test_metric1')));
    expect(found?.map((one) => labelsOf(one)[1]?.[1])).toEqual(['bar', 'baz', 'boo']);
  });

  test('nothing found is an empty result for each query', async () => {
    expect(await read(request(named('nothing')))).toEqual([[]]);
  });

  // The Go client accepts samples as well, but names chunks first.
  test.each(['remoteRead', 'remoteReadChunks'])('answers a Go client (%s) with chunks', async (name) => {
    const response = await post(goClientBytes(name));
    expect([response.status, response.headers.get('content-type'), response.headers.get('content-encoding')]).toEqual([
      200,
      'application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse',
      null,
    ]);
    const frames = decodeChunkedRead(new Uint8Array(await response.arrayBuffer()));
    const big = (value: number): string => Buffer.from(double(value), 'hex').reverse().toString('hex');
    const samples = [
      { timeMs: 60_000, value: big(100) },
      { timeMs: 120_000, value: big(200) },
      { timeMs: 180_000, value: big(300) },
    ];
    const numbers = [
      { query: 0, labels: labelled('test_metric1', 'bar'), chunks: [{ fromMs: 60_000, toMs: 180_000, samples }] },
      {
        query: 0,
        labels: labelled('test_metric1', 'baz'),
        chunks: [{ fromMs: 120_000, toMs: 120_000, samples: [{ timeMs: 120_000, value: '7ff0000000000002' }] }],
      },
    ];
    const value = {
      schema: 1,
      zeroThreshold: 0.5,
      count: 6,
      zeroCount: 1,
      sum: 5,
      positive: [
        [-2, 1],
        [1, 2],
        [2, 1],
      ],
      negative: [[0, 1]],
      customBounds: [],
    };
    const histogram = {
      query: 1,
      labels: [['__name__', 'read_histogram']],
      chunks: [{ fromMs: 0, toMs: 0, samples: [{ timeMs: 0, value }] }],
    };
    expect(frames).toEqual([...numbers, histogram]);
  });

  test.each(['application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])(
    'reads its body whatever it is said to be: %s',
    async (type) => {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': type },
        body: encodeSnappy(goClientQueries),
      });
      expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/x-protobuf']);
    },
  );

  test('a client that names samples first gets them', async () => {
    const accepted = Buffer.concat([goClientQueries, Uint8Array.of(0x10, 0, 0x10, 1)]);
    expect(await read(encodeSnappy(accepted))).toHaveLength(2);
  });

  test('a chunked answer in which nothing is found is empty', async () => {
    const response = await post(request(named('nothing'), { accepted: 1 }));
    expect([response.status, (await response.arrayBuffer()).byteLength]).toEqual([200, 0]);
  });

  test('what is wrong with a later query is said as long as nothing was sent', async () => {
    const one = messageField(1, varintField(2, 600_000), messageField(3, ...named('test_metric1')));
    const response = await post(
      encodeSnappy(Buffer.concat([...Array.from({ length: 9 }, () => one), varintField(2, 1)])),
    );
    expect([response.status, await response.json()]).toEqual([400, expect.objectContaining({ errorType: 'bad_data' })]);
  });

  test.each([
    ['a body that is no snappy', Uint8Array.from([1, 2, 3]), 'snappy: corrupt input'],
    [
      'a client that accepts nothing that is there',
      request(named('x'), { accepted: 7 }),
      'server does not support any of the requested response types: [7]; supported: map[SAMPLES:{} STREAMED_XOR_CHUNKS:{}]',
    ],
    ['an unknown matcher', request([varintField(1, 9), ...named('x')]), 'remote read: there is no matcher of type 9'],
    [
      'a broken expression',
      request([varintField(1, 2), bytesField(2, 'a'), bytesField(3, '(')]),
      'error parsing regexp',
    ],
    ['a message that ends within a field', encodeSnappy(Uint8Array.from([0x0a, 9, 1])), 'remote read: '],
    ['a body that is too long', new Uint8Array(1024 * 1024 + 1), 'the body is longer than 1048576 bytes'],
    [
      'too many queries',
      encodeSnappy(Buffer.concat(Array.from({ length: 101 }, () => messageField(1)))),
      'more than 100 queries',
    ],
    [
      'too many samples',
      encodeSnappy(
        Buffer.concat(
          Array.from({ length: 9 }, () =>
            messageField(1, varintField(2, 600_000), messageField(3, ...named('test_metric1'))),
          ),
        ),
      ),
      `exceeded sample limit (${maxSamples}): ask for less time or fewer series`,
    ],
  ])('refuses %s', async (_, body, message) => {
    const response = await post(body);
    const answer = (await response.json()) as { errorType: string; error: string };
    expect([response.status, answer.errorType]).toEqual([400, 'bad_data']);
    expect(answer.error).toContain(message);
  });
});
