import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { headerName, sendKnownHeaders, setKnownHeader } from './response-headers.ts';

const traceId = headerName('X-Trace-ID');
const traceparent = headerName('traceparent');

class Response extends http.ServerResponse {}
sendKnownHeaders(Response.prototype, [traceId, traceparent]);

async function answerOf(handle: (response: http.ServerResponse) => void): Promise<http.IncomingMessage> {
  const server = http.createServer({ ServerResponse: Response }, (_, response) => {
    setKnownHeader(response, traceId, 'abc');
    setKnownHeader(response, traceparent, '00-1');
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
  ['a reason', (response) => response.writeHead(200, 'Fine')],
  ['headers both set and given', (response) => response.setHeader('a', '1').writeHead(200, { b: '2' })],
])('is sent beside %s', async (_, handle) => {
  const { headers, rawHeaders } = await answerOf(handle);
  expect(headers).toMatchObject({ 'x-trace-id': 'abc', traceparent: '00-1' });
  expect(rawHeaders).toContain('X-Trace-ID');
});

test('headers given to writeHead are sent as without it, and not kept by the response', async () => {
  let response: http.ServerResponse | undefined;
  const { statusMessage, headers, rawHeaders } = await answerOf((own) => {
    own.writeHead(200, 'Fine', { 'Content-Type': 'text/plain', 'Set-Cookie': ['a=1', 'b=2'], 'Content-Length': 0 });
    response = own;
  });
  expect(statusMessage).toBe('Fine');
  expect(headers).toMatchObject({ 'content-type': 'text/plain', 'content-length': '0', 'x-trace-id': 'abc' });
  expect(headers['set-cookie']).toEqual(['a=1', 'b=2']);
  expect(rawHeaders).toContain('Content-Type');
  expect(response?.getHeaders()).toEqual({ 'x-trace-id': 'abc', traceparent: '00-1' });
});

test('a list of values in the place of ours is sent as a list', async () => {
  const { rawHeaders } = await answerOf((response) =>
    response.setHeader('x-trace-id', ['mine', 'yours']).writeHead(200, { a: '1' }),
  );
  expect(rawHeaders.filter((each) => each.toLowerCase() === 'x-trace-id')).toHaveLength(2);
});

test('are not sent by another response that writes its own meanwhile', async () => {
  let others = '';
  const { headers } = await answerOf((response) => {
    const other = new Response(response.req);
    const given = {
      get a() {
        other.writeHead(200, { b: '2' });
        others = String(Reflect.get(other, '_header'));
        return '1';
      },
    };
    response.writeHead(200, given);
  });
  expect(headers).toMatchObject({ a: '1', 'x-trace-id': 'abc', traceparent: '00-1' });
  expect(others).toContain('b: 2');
  expect(others).not.toContain('abc');
});

test('one given to writeHead replaces ours', async () => {
  const { rawHeaders } = await answerOf((response) => response.writeHead(200, { 'x-TRACE-id': 'mine' }));
  expect(rawHeaders.filter((each) => each.toLowerCase() === 'x-trace-id')).toHaveLength(1);
  expect(rawHeaders).toContain('mine');
  expect(rawHeaders).toContain('00-1');
});

test('what writeHead refuses, it refuses, and the response still has its headers', async () => {
  const refused: unknown[] = [];
  const { statusCode, headers } = await answerOf((response) => {
    for (const given of [{ 'no name': 'a' }, { name: 'a\nb' }])
      try {
        response.writeHead(500, given);
      } catch (error) {
        refused.push(Reflect.get(Object(error), 'code'));
      }
    response.writeHead(200, { name: 'a' });
  });
  expect(refused).toEqual(['ERR_INVALID_HTTP_TOKEN', 'ERR_INVALID_CHAR']);
  expect(statusCode).toBe(200);
  expect(headers).toMatchObject({ name: 'a', 'x-trace-id': 'abc', traceparent: '00-1' });
});

test('is seen, replaced and removed like any other', async () => {
  const seen: unknown[] = [];
  const replaced = await answerOf((response) => {
    seen.push(response.getHeader('x-trace-id'), response.hasHeader('X-Trace-Id'), response.getHeaders());
    response.setHeader('x-trace-id', 'mine').writeHead(200, { a: '1' });
  });
  expect(seen).toEqual(['abc', true, { 'x-trace-id': 'abc', traceparent: '00-1' }]);
  expect(replaced.headers['x-trace-id']).toBe('mine');
  const removed = await answerOf((response) => {
    response.removeHeader('x-trace-id');
    response.writeHead(200, { a: '1' });
  });
  expect(removed.headers['x-trace-id']).toBeUndefined();
});

test('is set and sent without the public way on the Nodes that are known', async () => {
  const answer = await answerOf((response) => {
    response.setHeader = () => {
      throw new Error('not needed');
    };
    setKnownHeader(response, traceId, 'again');
    response.writeHead(200, { a: '1' });
  });
  expect(answer.headers).toMatchObject({ a: '1', 'x-trace-id': 'again' });
});

test('what is no name is refused', () => {
  expect(() => headerName('no header')).toThrow(/Header name/);
});
