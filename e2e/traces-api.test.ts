import { connect } from 'node:http2';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { post, tracesRequest } from './otlp-json.ts';
import { SignalboxProcess } from './signalbox-process.ts';

// Traces of the real program in the words of Tempo and of Jaeger, each on the port that its clients are pointed at.

const traceId = 'abcdef0123456789abcdef0123456789';
let signalbox: SignalboxProcess;
let jaeger = '';

beforeAll(async () => {
  signalbox = await new SignalboxProcess().start('--jaeger-port', '0');
  jaeger = (await signalbox.child.waitFor(/Jaeger\S*\s+(http:\S+)/i))[1] ?? '';
  const attributes = [{ key: 'order.id', value: { intValue: '17' } }];
  await post(
    signalbox.otlpHttp,
    'traces',
    tracesRequest({ service: 'shop', traceId, spans: 3, name: 'POST /orders', attributes }),
  );
});
afterAll(async () => {
  await signalbox?.dispose();
});

async function ask<Answer>(base: string, path: string): Promise<Answer> {
  const response = await fetch(new URL(path, base));
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
  return (await response.json()) as Answer;
}

test('Tempo: a trace is found by TraceQL, and read by its id', async () => {
  const query = encodeURIComponent('{ resource.service.name = "shop" && span.order.id >= 17 }');
  const { traces } = await ask<{ traces: Record<string, unknown>[] }>(signalbox.page, `/api/search?q=${query}`);
  expect(traces).toHaveLength(1);
  expect(traces[0]).toMatchObject({ traceID: traceId, rootServiceName: 'shop', rootTraceName: 'POST /orders' });
  const { trace } = await ask<{ trace: { resourceSpans: { scopeSpans: { spans: object[] }[] }[] } }>(
    signalbox.page,
    `/api/v2/traces/${traceId}`,
  );
  expect(trace.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))).toHaveLength(3);
  const end = Math.ceil(Date.now() / 1000) + 60;
  const counted = await ask<{ series: { samples: { value: number }[] }[] }>(
    signalbox.page,
    `/api/metrics/query_range?q=${encodeURIComponent('{} | count_over_time()')}&start=${end - 3_600}&end=${end}&step=60`,
  );
  expect(counted.series.flatMap(({ samples }) => samples).reduce((sum, { value }) => sum + value, 0)).toBe(3);
});

test('Jaeger: the old API, api_v3 over HTTP, and over gRPC on the same port', async () => {
  expect((await ask<{ data: string[] }>(jaeger, '/api/services')).data).toEqual(['shop']);
  const found = await ask<{ data: { traceID: string; spans: { operationName: string }[] }[] }>(
    jaeger,
    `/api/traces?service=shop&tags=${encodeURIComponent('{"order.id":"17"}')}`,
  );
  expect(found.data.map(({ traceID, spans }) => [traceID, spans.length])).toEqual([[traceId, 3]]);
  expect(await ask(jaeger, '/api/v3/services')).toEqual({ services: ['shop'] });

  const session = connect(jaeger);
  try {
    const stream = session.request({
      ':method': 'POST',
      ':path': '/jaeger.api_v3.QueryService/GetServices',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const chunks: Buffer[] = [];
    const trailers = new Promise<Record<string, unknown>>((resolve) => stream.once('trailers', resolve));
    stream.on('data', (chunk: Buffer) => chunks.push(chunk)).end(Buffer.alloc(5));
    expect((await trailers)['grpc-status']).toBe('0');
    // A frame's five bytes, then GetServicesResponse with its one field.
    expect(Buffer.concat(chunks).subarray(5).toString('latin1')).toBe('\n\u0004shop');
  } finally {
    session.close();
  }
});
