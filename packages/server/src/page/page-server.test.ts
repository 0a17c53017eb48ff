import { Agent, get } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { PageServer, type RequestHandler } from './page-server.ts';

let server: PageServer | undefined;
const errors: unknown[] = [];

afterEach(async () => {
  await server?.shutdown(0);
  errors.length = 0;
});

async function serve(...handlers: RequestHandler[]): Promise<string> {
  const options = { host: '127.0.0.1', port: 0, allowedHosts: [], onError: (error: unknown) => errors.push(error) };
  server = new PageServer(options, handlers);
  await server.start();
  return `http://127.0.0.1:${server.address.port}/`;
}

const bug = new Error('a bug');

test('asks the handlers in order', async () => {
  const url = await serve(
    () => false,
    (_, response) => {
      response.end('second');
      return true;
    },
    () => {
      throw bug;
    },
  );
  expect(await (await fetch(url)).text()).toBe('second');
  expect(errors).toEqual([]);
});

test('keeps connections for longer than proxies do', async () => {
  const url = await serve((_, response) => {
    response.end('here');
    return true;
  });
  // fetch hides the header.
  const timeout = await new Promise<unknown>((resolve, reject) => {
    const agent = new Agent({ keepAlive: true });
    get(url, { agent }, (response) => {
      response.resume().on('end', () => agent.destroy());
      resolve(response.headers['keep-alive']);
    }).on('error', reject);
  });
  expect(timeout).toBe('timeout=75');
});

test('answers what nobody knows', async () => {
  const { status } = await fetch(await serve(() => false));
  expect(status).toBe(404);
});

test('survives a handler that throws or rejects, and says nothing of why', async () => {
  for (const handler of [() => Promise.reject(bug), () => expect.fail('thrown')]) {
    const url = await serve(handler);
    const response = await fetch(url);
    expect(response.status).toBe(500);
    expect(await response.text()).toBe('Internal error.\n');
    await server?.shutdown(0);
  }
  expect(errors).toEqual([bug, expect.objectContaining({ message: 'thrown' })]);
});

test('cuts an answer that a handler began and then gave up', async () => {
  const url = await serve(async (_, response) => {
    response.writeHead(200, { 'content-length': 10 }).write('half');
    throw bug;
  });
  await expect(fetch(url).then((response) => response.text())).rejects.toThrow();
  expect(errors).toEqual([bug]);
});
