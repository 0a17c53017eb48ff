import type { ServiceError } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { PageServer } from '../../page/page-server.ts';
import { createGrpcService } from '../grpc/grpc-service.ts';
import { bytesField, integerOf, type MessageFields, readMessage, textOf, varintField } from '../protobuf-fields.ts';
import { QueryRegistry } from '../query-registry.ts';
import { GrpcCaller } from '../testing/grpc-caller.ts';
import { TraceStore } from '../testing/trace-store.ts';
import { streamingQuerier } from './streaming-querier.ts';
import { createTempoApi } from './tempo-api.ts';

const bugs: unknown[] = [];
afterEach(() => expect(bugs.splice(0)).toEqual([]));

const startMs = Date.now() - 600_000;
const start = BigInt(Math.floor(startMs / 1000));

describe("Tempo's streaming service, on the port of HTTP/1", () => {
  let store: TraceStore;
  let server: PageServer;
  let client: GrpcCaller;

  const call: GrpcCaller['call'] = (...request) => client.call(...request);

  const nested = (fields: MessageFields | undefined, field: number): MessageFields[] =>
    (fields?.get(field) ?? []).map((bytes) => readMessage(bytes as Uint8Array));

  beforeAll(async () => {
    const shared = {
      registry: new QueryRegistry(),
      maxExecutionMs: 20_000,
      onError: (error: unknown) => bugs.push(error),
    };
    store = await TraceStore.open(() => async () => false);
    const { connection } = store.store;
    const api = createTempoApi({ ...shared, connection, allowedHosts: [], version: 'test' });
    const onStream = createGrpcService(streamingQuerier, { ...shared, connection });
    server = new PageServer({ host: '127.0.0.1', port: 0, allowedHosts: [], onError: shared.onError, onStream }, [api]);
    await server.start();
    client = new GrpcCaller('tempopb.StreamingQuerier', server.address.port);
    await store.insert({
      resourceSpans: [
        {
          resource: { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] },
          scopeSpans: [
            {
              spans: [
                {
                  traceId: 'abcdefabcdefabcdefabcdefabcdefab',
                  spanId: '00000000000000a1',
                  name: 'GET /cart',
                  startTimeUnixNano: `${startMs}000000`,
                  endTimeUnixNano: `${startMs + 250}000000`,
                },
              ],
            },
          ],
        },
      ],
    });
  });
  afterAll(async () => {
    client.close();
    await server.shutdown(1_000);
    await store.close();
  });

  const times = (from: number): Uint8Array[] => [varintField(from, start - 60n), varintField(from + 1, start + 60n)];

  test('Search', async () => {
    const [response] = await call(
      'Search',
      bytesField(8, '{ resource.service.name = "shop" }'),
      varintField(4, 20),
      ...times(5),
    );
    const [trace] = nested(response, 1);
    if (trace === undefined) throw new Error('no trace');
    expect(textOf(trace, 1)).toBe('abcdefabcdefabcdefabcdefabcdefab');
    expect([textOf(trace, 2), textOf(trace, 3)]).toEqual(['shop', 'GET /cart']);
    expect([integerOf(trace, 4), integerOf(trace, 5)]).toEqual([BigInt(startMs) * 1_000_000n, 250n]);
    // The spans of the sets, matched, and the one set for older clients.
    expect(nested(trace, 7).map((set) => integerOf(set, 2))).toEqual([1n]);
    expect(nested(nested(trace, 6)[0], 1).map((span) => textOf(span, 1))).toEqual(['00000000000000a1']);
  });

  test('Search gives what it finds as it finds it, newest first, and says how far it is', async () => {
    const hours = [1, 2, 3, 4];
    await store.insert({
      resourceSpans: hours.map((hour) => ({
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] },
        scopeSpans: [
          {
            spans: [
              {
                traceId: `${hour}`.padStart(32, 'a'),
                spanId: '00000000000000a1',
                name: 'old',
                startTimeUnixNano: `${startMs - hour * 3_600_000}000000`,
                endTimeUnixNano: `${startMs - hour * 3_600_000 + 1}000000`,
              },
            ],
          },
        ],
      })),
    });
    const range = [varintField(5, start - 20_000n), varintField(6, start + 60n)];
    const messages = await call('Search', bytesField(8, '{}'), varintField(4, 20), ...range);
    const found = messages.map((message) => nested(message, 1).map((trace) => textOf(trace, 1)));
    expect(found.length).toBeGreaterThan(2);
    expect(found[0]).toEqual(['abcdefabcdefabcdefabcdefabcdefab']);
    expect(found.flat()).toEqual([...(found[0] ?? []), ...hours.map((hour) => `${hour}`.padStart(32, 'a'))]);
    const progress = messages.map((message) => {
      const [metrics] = nested(message, 2);
      if (metrics === undefined) throw new Error('no metrics');
      expect(integerOf(metrics, 5)).toBe(100n);
      return Number(integerOf(metrics, 4));
    });
    expect(progress.at(-1)).toBe(100);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
    // Who asks for few gets them from the newest part of the range alone.
    const [first, ...others] = await call('Search', bytesField(8, '{}'), varintField(4, 1), ...range);
    expect([nested(first, 1).length, others.length]).toEqual([1, 0]);
  });

  test('completion', async () => {
    const [tags] = await call('SearchTagsV2', bytesField(1, 'resource'), ...times(3));
    expect(nested(tags, 1).map((scope) => [textOf(scope, 1), textOf(scope, 2)])).toEqual([
      ['resource', 'service.name'],
    ]);
    const [values] = await call('SearchTagValuesV2', bytesField(1, 'resource.service.name'), ...times(4));
    expect(nested(values, 1).map((value) => [textOf(value, 1), textOf(value, 2)])).toEqual([['string', 'shop']]);
  });

  test('metrics', async () => {
    const range = [varintField(2, (start - 60n) * 1_000_000_000n), varintField(3, (start + 60n) * 1_000_000_000n)];
    const [response] = await call(
      'MetricsQueryRange',
      bytesField(1, '{} | count_over_time()'),
      ...range,
      varintField(4, 60_000_000_000n),
    );
    const samples = nested(nested(response, 1)[0], 2).map((sample) => {
      const value = sample.get(1)?.[0];
      return value instanceof Uint8Array ? Buffer.from(value).readDoubleLE() : 0;
    });
    expect(samples.reduce((sum, value) => sum + value, 0)).toBe(1);
    const [instant] = await call('MetricsQueryInstant', bytesField(1, '{} | count_over_time()'), ...range);
    const value = nested(instant, 1)[0]?.get(2)?.[0];
    expect(Buffer.from(value as Uint8Array).readDoubleLE()).toBe(1);
  });

  test.each([
    ['Search', bytesField(8, '{ .a = }'), 3, 'parse error at line 1, col 8'],
    ['Search', Uint8Array.of(0x42, 0x7f), 3, 'runs over the end'],
    ['Nothing', new Uint8Array(0), 12, 'no method'],
  ])('%s refuses what is wrong with a status', async (method, request, code, message) => {
    const error = (await call(method, request).catch((thrown: unknown) => thrown)) as ServiceError;
    expect([error.code, error.details]).toEqual([code, expect.stringContaining(message)]);
  });

  test('HTTP/1 goes on beside it, also when a request begins in pieces', async () => {
    const url = `http://127.0.0.1:${server.address.port}`;
    expect(await (await fetch(`${url}/api/echo`)).text()).toBe('echo');
    const { connect } = await import('node:net');
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(server.address.port, '127.0.0.1', () => {
        socket.write('P');
        setTimeout(
          () =>
            socket.write('OST /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'),
          50,
        );
      });
      let text = '';
      socket.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      socket.on('end', () => resolve(text)).on('error', reject);
    });
    expect(answer).toMatch(/^HTTP\/1.1 404 /);
  });
});
