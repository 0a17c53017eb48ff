import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { afterEach, expect, test } from 'vitest';
import { createStorefront } from './storefront.ts';

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function listen(server: Server): Promise<string> {
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function begin(answer: (path: string) => { status: number; body: string }) {
  const asked: string[] = [];
  const chimney = await listen(
    createServer((request, response) => {
      asked.push(request.url ?? '');
      const { status, body } = answer(request.url ?? '');
      response.writeHead(status).end(body);
    }),
  );
  const routes: string[] = [];
  const url = await listen(createStorefront(chimney, pino({ level: 'silent' }), (route) => routes.push(route)));
  return { asked, routes, get: (path: string) => fetch(url + path) };
}

test('the page is put together from three answers', async () => {
  const { asked, routes, get } = await begin((path) => ({ status: 200, body: JSON.stringify([path]) }));
  const page = await (await get('/')).json();
  expect(Object.keys(page as object)).toEqual(['pulls', 'issues', 'runs']);
  expect(asked.map((path) => path.split('?')[0]).sort()).toEqual([
    '/api/github/actions/runs',
    '/api/github/issues',
    '/api/github/pulls',
  ]);
  expect(routes).toEqual(['/']);
});

test('a single one is asked for by number, and its status is passed on', async () => {
  const { asked, routes, get } = await begin(() => ({ status: 404, body: '{}' }));
  expect((await get('/pulls/17')).status).toBe(404);
  expect([asked, routes]).toEqual([['/api/github/pulls/17'], ['/pulls/{number}']]);
});

test('what it does not know it does not ask for', async () => {
  const { asked, get } = await begin(() => ({ status: 200, body: '{}' }));
  for (const path of ['/pulls/x', '/pulls/1/..', '/other']) expect((await get(path)).status).toBe(404);
  expect(asked).toEqual([]);
});

test('an answer that is no JSON is a 502', async () => {
  const { get } = await begin(() => ({ status: 200, body: 'not JSON' }));
  expect((await get('/pulls/1')).status).toBe(502);
});
