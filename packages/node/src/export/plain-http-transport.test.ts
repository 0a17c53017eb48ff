import dns from 'node:dns';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import net, { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { deferred } from '../deferred.ts';
import { createHttpTransport } from './create-http-transport.ts';
import { HttpTransport } from './http-transport.ts';
import type { OtlpDestination } from './otlp-destination.ts';
import type { OtlpTransport, RequestOutcome } from './otlp-transport.ts';
import { PlainHttpTransport } from './plain-http-transport.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0).reverse()) close();
});

function destination(port: number, overrides: Partial<OtlpDestination> = {}): OtlpDestination {
  return {
    signal: 'TRACES',
    url: `http://127.0.0.1:${port}/v1/traces?a=b`,
    protocol: 'http/protobuf',
    headers: {},
    compression: 'none',
    timeoutMillis: 10_000,
    ...overrides,
  };
}

function closed<Transport extends OtlpTransport>(transport: Transport): Transport {
  closing.push(() => transport.destroy());
  return transport;
}

/** Answers requests with `answers`, one after the other, each on whatever connection it comes; then closes what asked. */
async function rawServer(
  answer: (socket: Socket, number: number) => void,
): Promise<{ port: number; opened: () => number }> {
  let opened = 0;
  let requests = 0;
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    opened += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      // All requests here have the body `body`.
      while (received.includes('\r\n\r\nbody')) {
        received = received.slice(received.indexOf('\r\n\r\nbody') + 8);
        answer(socket, requests++);
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, opened: () => opened };
}

const body = Buffer.from('body');

test('a request is that of the client of Node', async () => {
  const requests: { request: IncomingMessage; body: string }[] = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    requests.push({ request, body: text });
    response.end('taken');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  for (const [gzipped, overrides] of [
    [false, {}],
    [true, { protocol: 'http/json' }],
    [false, { headers: { 'user-agent': 'mine', 'X-Key': 'größe', 'content-length': '7' } }],
    [false, { url: `http://user:p%40ss@127.0.0.1:${port}/a%20b` }],
    [false, { url: `http://127.0.0.1:${port}/`, headers: { Host: 'other', Authorization: 'Bearer x' } }],
  ] as [boolean, Partial<OtlpDestination>][]) {
    const to = destination(port, overrides);
    const outcomes: RequestOutcome[] = [];
    for (const transport of [new PlainHttpTransport(to, 1), new HttpTransport(to, 1)])
      outcomes.push(await closed(transport).post(body, gzipped));
    expect(outcomes).toEqual([1, 2].map(() => ({ kind: 'accepted', body: Buffer.from('taken') })));
    const [ours, nodes] = requests.splice(0).map(({ request, body }) => ({
      line: `${request.method} ${request.url} ${request.httpVersion}`,
      headers: request.headers,
      body,
    }));
    expect(ours).toEqual(nodes);
  }
});

const head = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n';

test.each([
  [`${head}\r\nok`],
  ['HTTP/1.1 202 \r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'],
  ['HTTP/1.1 429 Slow down\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n'],
  ['HTTP/1.1 503 \r\nRetry-After: soon\r\nContent-Length: 0\r\n\r\n'],
  // Nobody follows it: what is sent belongs to whom it is sent to.
  ['HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n'],
  ['HTTP/1.1 413 Too large\r\nConnection: close\r\nContent-Length: 4\r\n\r\nsize'],
  ['HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'],
  ['HTTP/1.0 200 OK\r\n\r\nok', 'end'],
  [`${head}\r\no`, 'end'],
  ['', 'end'],
  ['', 'destroy'],
] as [answer: string, then?: string][])('%j means what it means to the client of Node', async (answer, then) => {
  const { port } = await rawServer((socket) => {
    socket.write(answer);
    if (then === 'end') socket.end();
    if (then === 'destroy') socket.resetAndDestroy();
  });
  const [ours, nodes] = await Promise.all(
    [PlainHttpTransport, HttpTransport].map((Transport) =>
      closed(new Transport(destination(port), 1)).post(body, false),
    ),
  );
  expect(ours).toEqual(nodes);
});

test('a connection that was found at the second address does not keep the process alive either', async () => {
  const { port } = await rawServer((socket) => {
    socket.unref();
    socket.write(`${head}\r\nok`);
  });
  vi.spyOn(dns, 'lookup').mockImplementation(((_host: string, _options: unknown, found: (...of: unknown[]) => void) => {
    process.nextTick(found, null, [
      { address: '::1', family: 6 },
      { address: '127.0.0.1', family: 4 },
    ]);
  }) as typeof dns.lookup);
  closing.push(() => vi.restoreAllMocks());
  const sockets = (): number => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
  const before = sockets();
  const transport = closed(new PlainHttpTransport(destination(port, { url: `http://localhost:${port}/` }), 1));
  expect(await transport.post(body, false)).toMatchObject({ kind: 'accepted' });
  expect(sockets()).toBe(before);
});

test('where no connection can even be begun, that is told', async () => {
  vi.spyOn(net.Socket.prototype, 'connect').mockImplementation(() => {
    throw new Error('not here');
  });
  closing.push(() => vi.restoreAllMocks());
  const transport = closed(new PlainHttpTransport(destination(9), 1));
  expect(await transport.post(body, false)).toMatchObject({ kind: 'retryable', problem: 'not here' });
});

test('what is no HTTP/1.1 is refused, and said', async () => {
  const { port } = await rawServer((socket) => void socket.write('\0\0\x06\x04\0\0\0\0\0'));
  expect(await closed(createHttpTransport(destination(port), 1)).post(body, false)).toEqual({
    kind: 'refused',
    problem: expect.stringContaining('does not speak HTTP/1.1'),
    advice: expect.stringContaining('4318'),
  });
});

test('nobody there', async () => {
  const { port } = await rawServer(() => {});
  for (const close of closing.splice(0)) close();
  expect(await closed(createHttpTransport(destination(port), 1)).post(body, false)).toMatchObject({
    kind: 'retryable',
    problem: 'ECONNREFUSED',
    unreachable: true,
  });
});

test('a request that nobody answers in time is given up, one that waits for a connection too, and others go on', async () => {
  const { port } = await rawServer((socket, number) => {
    if (number > 0) socket.write(`${head}\r\nok`);
  });
  const transport = closed(createHttpTransport(destination(port, { timeoutMillis: 200 }), 1));
  const given = { kind: 'retryable', problem: 'no answer within 200 ms', unreachable: false };
  const [first, second] = await Promise.all([transport.post(body, false), transport.post(body, false)]);
  expect(first).toMatchObject(given);
  // Whether it still gets a connection, and how many it takes until an answer is in time, depends on how fast all this is.
  expect([given.problem, undefined]).toContain(Reflect.get(second, 'problem'));
  await expect.poll(async () => (await transport.post(body, false)).kind, { timeout: 20_000 }).toBe('accepted');
});

test('connections are used again, as long as the server keeps them', async () => {
  const answers = [
    `${head}\r\nok`,
    `${head}Keep-Alive: timeout=60\r\n\r\nok`,
    // Not for longer than it takes a request to be there.
    `${head}Keep-Alive: timeout=1\r\n\r\nok`,
    `${head}Connection: close\r\n\r\nok`,
    `${head}\r\nok`,
  ];
  const { port, opened } = await rawServer((socket, number) => void socket.write(String(answers[number])));
  const transport = closed(createHttpTransport(destination(port), 1));
  const connections: number[] = [];
  for (const _ of answers) {
    expect(await transport.post(body, false)).toMatchObject({ kind: 'accepted', body: Buffer.from('ok') });
    connections.push(opened());
  }
  expect(connections).toEqual([1, 1, 1, 2, 3]);
});

test('a server that closes a connection that is not in use costs no request', async () => {
  const { port, opened } = await rawServer((socket, number) => {
    socket.write(`${head}\r\nok`);
    if (number === 0) setTimeout(() => socket.end(), 20);
    if (number === 1) setTimeout(() => socket.write('HTTP/1.1 408 Too late\r\nConnection: close\r\n\r\n'), 20);
  });
  const transport = closed(createHttpTransport(destination(port), 1));
  for (let number = 0; number < 3; number += 1) {
    expect(await transport.post(body, false)).toMatchObject({ kind: 'accepted' });
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  expect(opened()).toBe(3);
});

test.each([PlainHttpTransport, HttpTransport])(
  'nothing of a body is read once its request has been accepted, by an answer before its end either (%o)',
  async (Transport) => {
    // More than the system's buffers take.
    const large = Buffer.alloc(32 * 1024 * 1024, 'a');
    const received: Buffer[] = [];
    const ended = deferred<void>();
    const server = createTcpServer((socket) => {
      socket.once('data', (chunk) => {
        received.push(chunk);
        socket.pause();
        socket.write(`${head}\r\nok`);
      });
      socket.on('error', () => {});
      socket.once('close', ended.resolve);
      closing.push(() => socket.destroy());
      readOn = () => {
        let length = 0;
        socket.on('data', (chunk) => {
          received.push(chunk);
          length += chunk.length;
          if (length > large.length / 2) ended.resolve();
        });
        socket.resume();
      };
    }).listen(0, '127.0.0.1');
    let readOn = (): void => {};
    await once(server, 'listening');
    closing.push(() => server.close());
    const transport = closed(new Transport(destination((server.address() as AddressInfo).port), 1));
    expect(await transport.post(large, false)).toMatchObject({ kind: 'accepted' });
    large.fill('b');
    readOn();
    await ended.promise;
    const all = Buffer.concat(received);
    expect(all.subarray(all.indexOf('\r\n\r\n')).includes('b')).toBe(false);
  },
);

test('there are as many connections as there may be, and what waits for one is sent', async () => {
  let held: (() => void)[] = [];
  const { port, opened } = await rawServer((socket) => void held.push(() => void socket.write(`${head}\r\nok`)));
  const transport = closed(createHttpTransport(destination(port), 2));
  const outcomes = Promise.all(Array.from({ length: 5 }, () => transport.post(body, false)));
  for (let answered = 0; answered < 5; ) {
    await expect.poll(() => held.length).toBeGreaterThan(0);
    answered += held.length;
    const ready = held;
    held = [];
    for (const release of ready) release();
  }
  expect((await outcomes).map(({ kind }) => kind)).toEqual(Array(5).fill('accepted'));
  expect(opened()).toBe(2);
});

test('whoever ends it learns that nothing is answered any more', async () => {
  const { port } = await rawServer(() => {});
  const transport = createHttpTransport(destination(port), 1);
  const outcomes = Promise.all([transport.post(body, false), transport.post(body, false)]);
  transport.destroy();
  expect((await outcomes).map(({ kind }) => kind)).toEqual(['retryable', 'retryable']);
});

test('a header that would be more than one is not sent', () => {
  const transport = createHttpTransport(destination(9, { headers: { 'X-Key': 'a\r\nX-Other: b' } }), 1);
  expect(() => transport.post(body, false)).toThrow('Invalid character');
});

test.each([
  [{ url: 'https://127.0.0.1:9/' }, HttpTransport],
  [{ headers: { Connection: 'close' } }, HttpTransport],
  [{ headers: { 'transfer-encoding': 'chunked' } }, HttpTransport],
  [{ headers: { 'x-te': 'a' } }, PlainHttpTransport],
])('to %j by whom it can be', (overrides, expected) => {
  expect(createHttpTransport(destination(9, overrides), 1)).toBeInstanceOf(expected);
});
