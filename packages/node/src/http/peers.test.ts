import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import type { OtlpSink } from '../testing/otlp-sink.ts';
import { record } from '../testing/record.ts';
import { httpClientInstrumentation } from './client.ts';
import { fetchInstrumentation } from './fetch.ts';

test('hosts have the names that the application gives them, with their port or whatever that is', async () => {
  const server = http.createServer((_request, response) => response.end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const peersOf = (sink: OtlpSink): unknown[] => sink.spans.map(({ attributes }) => attributes['service.peer.name']);
  const ask = async (): Promise<void> => {
    await (await fetch(`http://127.0.0.1:${port}/`)).text();
    const [response] = (await once(http.get(`http://127.0.0.1:${port}/`), 'response')) as [http.IncomingMessage];
    await once(response.resume(), 'end');
  };
  const instrumentations = [fetchInstrumentation, httpClientInstrumentation];
  const named = (peers: Record<string, string>): Promise<OtlpSink> =>
    record(instrumentations, ask, { http: { peers } });
  expect(peersOf(await named({ [`127.0.0.1:${port}`]: 'stripe', '127.0.0.1': 'others' }))).toEqual([
    'stripe',
    'stripe',
  ]);
  expect(peersOf(await named({ '127.0.0.1': 'stripe' }))).toEqual(['stripe', 'stripe']);
  expect(peersOf(await named({ 'api.stripe.com': 'stripe' }))).toEqual([undefined, undefined]);
  server.closeAllConnections();
  server.close();
});
