import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { App, buildPackage } from '../testing/child.ts';
import { OtlpSink, type SinkSpan } from '../testing/otlp-sink.ts';

const source = `
import http from 'node:http';
import axios from 'axios';
import got from 'got';
import { trace } from '@opentelemetry/api';
import { start } from '@signalbox/node';
const base = process.env.TARGET;
start({ http: { propagateTo: [new URL(base).hostname] } });
const step = (name, run) => trace.getTracer('app').startActiveSpan(name, async (span) => { try { await run(); } catch (error) { console.log(name + ': ' + error.message); } finally { span.end(); } });
const again = async (ask) => { for (let attempt = 0; ; attempt += 1) { const response = await ask(); if (response.status !== 503) return response.text(); await response.text(); } };
await step('got', () => got(base + '/got', { retry: { limit: 2, calculateDelay: ({ computedValue }) => computedValue && 1 } }).text());
await step('fetch', () => again(() => fetch(base + '/fetch')));
await step('axios', () => axios.get(base + '/moved?from=axios'));
await step('got moved', () => got(base + '/moved?from=got').text());
await step('fetch moved', async () => (await fetch(base + '/moved?from=fetch')).text());
await step('apart', async () => { await fetch(base + '/ok?a'); await fetch(base + '/ok?b'); await fetch(base + '/ok?a'); });
const other = base.replace('127.0.0.1', 'localhost');
await step('other fetch', async () => (await fetch(other + '/ok?other')).text());
await step('other axios', () => axios.get(other + '/ok?other'));
`;

const sink = new OtlpSink();
const asked: { url: string; traceparent: string | undefined }[] = [];
const failures = new Map<string, number>();
const server = http.createServer((request, response) => {
  const url = request.url ?? '';
  asked.push({ url, traceparent: request.headers.traceparent as string | undefined });
  if (url === '/got' || url === '/fetch') {
    const count = failures.get(url) ?? 0;
    failures.set(url, count + 1);
    if (count < 2) response.statusCode = 503;
  }
  if (url.startsWith('/moved')) response.writeHead(302, { location: url.replace('/moved', '/ok') });
  response.end('ok');
});

beforeAll(async () => {
  buildPackage();
  await sink.listen();
  // On both families: `localhost` may be either.
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const app = new App({
    file: 'app.mjs',
    nodeArguments: [],
    source,
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
      TARGET: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    },
  });
  expect(await app.exited, app.stderr).toEqual({ code: 0, signal: null });
  expect([app.stdout, app.stderr]).toEqual(['', '']);
}, 120_000);

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await sink.close();
});

/** The client spans under the application's span `name`, in the order in which they began. */
function under(name: string): SinkSpan[] {
  const { spanId } = sink.span(name);
  return sink.spans
    .filter(({ kind, parentSpanId }) => kind === 3 && parentSpanId === spanId)
    .sort((a, b) => Number(a.start - b.start));
}

describe('got, axios and fetch', () => {
  test.each(['got', 'fetch'])('%s: each attempt has a span that says which it is', (name) => {
    expect(
      under(name).map(({ attributes }) => [
        attributes['http.response.status_code'],
        attributes['http.request.resend_count'],
      ]),
    ).toEqual([
      [503, undefined],
      [503, 1],
      [200, 2],
    ]);
  });

  test.each(['axios', 'got moved', 'fetch moved'])('%s: what follows a redirect is sent again', (name) => {
    expect(
      under(name).map(({ attributes }) => [
        attributes['http.response.status_code'],
        attributes['http.request.resend_count'],
      ]),
    ).toEqual([
      [302, undefined],
      [200, 1],
    ]);
  });

  test('a request that is made again though it succeeded is none', () => {
    expect(under('apart').map(({ attributes }) => attributes['http.request.resend_count'])).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('the context goes to the hosts of the list, and to no other', () => {
    const sent = (part: string) => asked.filter(({ url }) => url.includes(part));
    const [span] = under('axios');
    expect(sent('/moved?from=axios')).toEqual([
      { url: '/moved?from=axios', traceparent: `00-${span?.traceId}-${span?.spanId}-01` },
    ]);
    expect(sent('?other').map(({ traceparent }) => traceparent)).toEqual([undefined, undefined]);
    // They are traced all the same.
    expect([under('other fetch').length, under('other axios').length]).toEqual([1, 1]);
  });
});
