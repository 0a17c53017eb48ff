import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { headerName, setKnownHeader } from './response-headers.ts';

const traceId = headerName('X-Trace-ID');

async function answerOf(handle: (response: http.ServerResponse) => void): Promise<http.IncomingMessage> {
  const server = http.createServer((_, response) => {
    setKnownHeader(response, traceId, 'abc');
    handle(response);
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const [answer] = (await once(
    http.get({ port: (server.address() as AddressInfo).port, agent: false }),
    'response',
  )) as [http.IncomingMessage];
  answer.resume();
  server.close();
  return answer;
}

test.each<[string, (response: http.ServerResponse) => void]>([
  ['nothing else', () => {}],
  ['other headers', (response) => response.setHeader('content-type', 'text/plain')],
  ['headers given to writeHead', (response) => response.writeHead(200, { 'content-type': 'text/plain' })],
  ['headers in a list', (response) => response.writeHead(200, ['content-type', 'text/plain'])],
])('is sent beside %s', async (_, handle) => {
  const { headers, rawHeaders } = await answerOf(handle);
  expect(headers['x-trace-id']).toBe('abc');
  expect(rawHeaders).toContain('X-Trace-ID');
});

test('is seen, replaced and removed like any other', async () => {
  const seen: unknown[] = [];
  const replaced = await answerOf((response) => {
    seen.push(response.getHeader('x-trace-id'), response.hasHeader('X-Trace-Id'), response.getHeaders());
    response.setHeader('x-trace-id', 'mine');
  });
  expect(seen).toEqual(['abc', true, { 'x-trace-id': 'abc' }]);
  expect(replaced.headers['x-trace-id']).toBe('mine');
  const removed = await answerOf((response) => response.removeHeader('x-trace-id'));
  expect(removed.headers['x-trace-id']).toBeUndefined();
});

test('is set without the public way on the Nodes that are known', () => {
  const response = new http.OutgoingMessage();
  response.setHeader = () => {
    throw new Error('not needed');
  };
  setKnownHeader(response, traceId, 'abc');
  expect(response.getHeader('X-Trace-ID')).toBe('abc');
});

test('what is no name is refused', () => {
  expect(() => headerName('no header')).toThrow(/Header name/);
});
