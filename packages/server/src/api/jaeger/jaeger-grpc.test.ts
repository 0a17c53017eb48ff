import type { ServiceError } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { PageServer } from '../../page/page-server.ts';
import { createGrpcService } from '../grpc/grpc-service.ts';
import {
  bytesField,
  integerOf,
  type MessageFields,
  messageField,
  messagesOf,
  textOf,
  varintField,
} from '../protobuf-fields.ts';
import { QueryRegistry } from '../query-registry.ts';
import { GrpcCaller } from '../testing/grpc-caller.ts';
import { TraceStore } from '../testing/trace-store.ts';
import { createJaegerApi } from './jaeger-api.ts';
import { jaegerQueryService } from './jaeger-grpc.ts';

const bugs: unknown[] = [];
afterEach(() => expect(bugs.splice(0)).toEqual([]));

const startMs = 1_790_000_000_000;
const shopTrace = '0000000000000001000000000000000f';
const largeTrace = '000000000000000100000000000000ff';
const largeSpans = 600;

/** A `Timestamp` of so many milliseconds after the first span. */
function at(field: number, offsetMs: number): Uint8Array {
  const ms = startMs + offsetMs;
  return messageField(field, varintField(1, Math.floor(ms / 1000)), varintField(2, (ms % 1000) * 1_000_000));
}

/** `TraceQueryParameters`. */
function query(...parts: Uint8Array[]): Uint8Array {
  return messageField(1, at(4, -1_000), at(5, 60_000), ...parts);
}

/** Ids and names of the spans of `TracesData`. */
function spansOf(messages: readonly MessageFields[]): [traceId: string, name: string][] {
  return messages
    .flatMap((data) => messagesOf(data, 1))
    .flatMap((resourceSpans) => messagesOf(resourceSpans, 2))
    .flatMap((scopeSpans) => messagesOf(scopeSpans, 2))
    .map((span) => [Buffer.from(span.get(1)?.[0] as Uint8Array).toString('hex'), textOf(span, 5)]);
}

/** Expectations from jaeger-idl's `query_service.proto`; the client is gRPC's own. */
describe('jaeger.api_v3.QueryService', () => {
  let store: TraceStore;
  let server: PageServer;
  let jaeger: GrpcCaller;

  beforeAll(async () => {
    store = await TraceStore.open(() => async () => false);
    const shared = {
      connection: store.store.connection,
      registry: new QueryRegistry(),
      maxExecutionMs: 20_000,
      onError: (error: unknown) => bugs.push(error),
    };
    const onStream = createGrpcService(jaegerQueryService, shared);
    const api = createJaegerApi({ ...shared, allowedHosts: [] });
    server = new PageServer({ host: '127.0.0.1', port: 0, allowedHosts: [], onError: shared.onError, onStream }, [api]);
    await server.start();
    jaeger = new GrpcCaller('jaeger.api_v3.QueryService', server.address.port);
    const span = (traceId: string, index: number, rest: object): object => ({
      traceId,
      spanId: index.toString(16).padStart(16, '0'),
      name: `span ${index}`,
      startTimeUnixNano: `${startMs + index}000000`,
      endTimeUnixNano: `${startMs + index + 250}000000`,
      ...rest,
    });
    const service = (name: string, spans: object[]): object => ({
      resource: { attributes: [{ key: 'service.name', value: { stringValue: name } }] },
      scopeSpans: [{ spans }],
    });
    const root = '0000000000000001';
    const text = [{ key: 'text', value: { stringValue: 'x'.repeat(10_000) } }];
    await store.insert({
      resourceSpans: [
        service('shop', [
          span(shopTrace, 1, { name: 'GET /cart', kind: 2, status: { code: 2 } }),
          span(shopTrace, 2, { kind: 3, parentSpanId: root }),
          span(shopTrace, 3, { parentSpanId: 'ffffffffffffffff' }),
        ]),
        service(
          'batch',
          Array.from({ length: largeSpans }, (_, index) => span(largeTrace, 100 + index, { attributes: text })),
        ),
      ],
    });
    await store.store.edges.consume([
      {
        time: Math.floor(startMs / 10_000) * 10,
        source: 'shop',
        target: 'stock',
        targetType: 'service',
        count: 7,
        error: false,
        durationSum: 5,
        durationMax: 5,
        buckets: new Map([[18, 1]]),
      },
    ]);
  }, 60_000);
  afterAll(async () => {
    jaeger?.close();
    await server?.shutdown(1_000);
    await store?.close();
  });

  test('GetServices', async () => {
    const [response] = await jaeger.call('GetServices');
    expect(response?.get(1)?.map((name) => Buffer.from(name as Uint8Array).toString())).toEqual(['batch', 'shop']);
  });

  test('GetOperations, of one kind as well', async () => {
    const operations = async (kind: string): Promise<string[][]> => {
      const [response] = await jaeger.call('GetOperations', bytesField(1, 'shop'), bytesField(2, kind));
      return messagesOf(response as MessageFields, 1).map((each) => [textOf(each, 1), textOf(each, 2)]);
    };
    expect(await operations('')).toEqual([
      ['GET /cart', 'server'],
      ['span 2', 'client'],
      ['span 3', ''],
    ]);
    expect(await operations('server')).toEqual([['GET /cart', 'server']]);
  });

  test('GetTrace', async () => {
    expect(spansOf(await jaeger.call('GetTrace', bytesField(1, shopTrace)))).toEqual([
      [shopTrace, 'GET /cart'],
      [shopTrace, 'span 2'],
      [shopTrace, 'span 3'],
    ]);
  });

  test('FindTraces takes a depth of 0, or below it, for none', async () => {
    const minusOne = Uint8Array.of(0x40, ...Array<number>(9).fill(0xff), 0x01);
    for (const depth of [varintField(8, 0), minusOne]) {
      const spans = spansOf(await jaeger.call('FindTraces', query(depth)));
      expect([...new Set(spans.map(([traceId]) => traceId))]).toEqual([largeTrace, shopTrace]);
    }
  });

  test('GetTrace streams a large trace in messages that a client takes', async () => {
    const messages = await jaeger.call('GetTrace', bytesField(1, largeTrace));
    expect(messages.length).toBeGreaterThan(1);
    expect(spansOf(messages).map(([, name]) => name)).toEqual(
      Array.from({ length: largeSpans }, (_, index) => `span ${100 + index}`),
    );
  });

  test.each([
    ['all', [], [largeTrace, shopTrace]],
    ['a service and an operation', [bytesField(1, 'shop'), bytesField(2, 'GET /cart')], [shopTrace]],
    ['an attribute', [messageField(3, bytesField(1, 'error'), bytesField(2, 'true'))], [shopTrace]],
    ['durations', [messageField(6, varintField(2, 251_000_000))], []],
    ['only the newest', [varintField(8, 1)], [largeTrace]],
  ])('FindTraces: %s', async (_, parts, found) => {
    const spans = spansOf(await jaeger.call('FindTraces', query(...parts)));
    expect([...new Set(spans.map(([traceId]) => traceId))]).toEqual(found);
  });

  test('FindTraceSummaries', async () => {
    const [response] = await jaeger.call('FindTraceSummaries', query(bytesField(1, 'shop')));
    const [summary] = messagesOf(response as MessageFields, 1);
    if (summary === undefined) throw new Error('no summary');
    expect([textOf(summary, 1), textOf(summary, 2), textOf(summary, 3)]).toEqual([shopTrace, 'shop', 'GET /cart']);
    // Spans, of them errors and such whose parent is not there.
    expect([6, 7, 8].map((field) => integerOf(summary, field))).toEqual([3n, 1n, 1n]);
    const time = Buffer.from(summary.get(4)?.[0] as Uint8Array).readBigUInt64LE();
    expect(time).toBe(BigInt(startMs + 1) * 1_000_000n);
    const http = await fetch(
      `http://127.0.0.1:${server.address.port}/api/v3/trace-summaries?${new URLSearchParams({
        'query.serviceName': 'shop',
        'query.startTimeMin': new Date(startMs - 1_000).toISOString(),
        'query.startTimeMax': new Date(startMs + 60_000).toISOString(),
        'query.rawTraces': 'true',
      })}`,
    );
    expect(await http.json()).toMatchObject({ summaries: [{ spanCount: 3, orphanSpanCount: 1 }] });
  });

  test('GetDependencies, over HTTP as well', async () => {
    const [response] = await jaeger.call('GetDependencies', at(1, -60_000), at(2, 60_000));
    const [dependency] = messagesOf(response as MessageFields, 1);
    if (dependency === undefined) throw new Error('no dependency');
    expect([textOf(dependency, 1), textOf(dependency, 2), integerOf(dependency, 3)]).toEqual(['shop', 'stock', 7n]);
    const times = new URLSearchParams({
      startTime: new Date(startMs - 60_000).toISOString(),
      endTime: new Date(startMs + 60_000).toISOString(),
    });
    const http = await fetch(`http://127.0.0.1:${server.address.port}/api/v3/dependencies?${times}`);
    expect(await http.json()).toEqual({ dependencies: [{ parent: 'shop', child: 'stock', callCount: '7' }] });
  });

  // The numbers are grpc-js's: 1 deflate, 2 gzip.
  test.each([1, 2])('takes requests that are compressed (%s)', async (algorithm) => {
    const compressing = new GrpcCaller('jaeger.api_v3.QueryService', server.address.port, {
      'grpc.default_compression_algorithm': algorithm,
    });
    try {
      expect(spansOf(await compressing.call('GetTrace', bytesField(1, shopTrace)))).toHaveLength(3);
    } finally {
      compressing.close();
    }
  });

  test.each([
    ['FindTraces', [], 3, 'missing query'],
    ['FindTraceSummaries', [], 3, 'missing query'],
    ['FindTraces', [messageField(1, bytesField(1, 'shop'))], 3, 'start time min and max are required parameters'],
    ['GetTrace', [bytesField(1, '9'.repeat(32))], 5, 'trace not found'],
    ['GetTrace', [bytesField(1, shopTrace), at(2, 60_000), at(3, 120_000)], 5, 'trace not found'],
    ['FindTraces', [query(messageField(10, bytesField(1, 'and')))], 3, 'query.filter'],
    ['FindTraces', [bytesField(1, Uint8Array.of(0x0a, 0x7f))], 3, 'runs over the end'],
    ['GetTrace', [bytesField(1, 'nonsense')], 3, 'not a trace id'],
    ['GetDependencies', [at(2, 0)], 3, 'start_time is required'],
    ['GetDependencies', [at(1, 0)], 3, 'end_time is required'],
    ['GetDependencies', [at(1, 0), at(2, 0)], 3, 'end_time must be after start_time'],
    ['GetServices', [bytesField(99, 'x'.repeat(1 << 20))], 8, 'larger than'],
  ])('%s refuses what is wrong', async (method, parts, code, message) => {
    const error = (await jaeger.call(method, ...parts).catch((thrown: unknown) => thrown)) as ServiceError;
    expect([error.code, error.details]).toEqual([code, expect.stringContaining(message)]);
  });
});
