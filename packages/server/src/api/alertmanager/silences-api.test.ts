import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { NewSilence, SilenceEntry } from '../../query/silence-book.ts';
import { createSilencesApi } from './silences-api.ts';

let server: Server;
let base: string;
let kept: SilenceEntry[];
let bugs: unknown[];

beforeEach(async () => {
  kept = [];
  bugs = [];
  const handle = createSilencesApi({
    silences: {
      list: () => kept,
      set(silence: NewSilence, nowMs) {
        if (silence.matchers.length === 0) throw new Error('a silence needs at least one matcher');
        kept.push({ ...silence, id: 'one', updatedAt: nowMs });
        return 'one';
      },
      expire: (id, nowMs) => {
        kept = kept.map((silence) => (silence.id === id ? { ...silence, endsAt: nowMs } : silence));
        return kept.some((silence) => silence.id === id);
      },
    },
    allowedHosts: [],
    onError: (error) => bugs.push(error),
  });
  server = createServer(async (request, response) => {
    if (!(await handle(request, response))) response.writeHead(418).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  expect(bugs).toEqual([]);
});

async function ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${base}/api/v2/${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
}

const now = Date.now();
const silence = {
  matchers: [{ name: 'alertname', value: 'Slow|Down', isRegex: true }],
  startsAt: new Date(now - 1000).toISOString(),
  endsAt: new Date(now + 3_600_000).toISOString(),
  createdBy: 'me',
  comment: 'known',
};

test('a silence is added, shown and ended', async () => {
  expect(await ask('POST', 'silences', silence)).toEqual({ status: 200, body: { silenceID: 'one' } });
  const shown = {
    ...silence,
    id: 'one',
    status: { state: 'active' },
    matchers: [{ name: 'alertname', value: 'Slow|Down', isRegex: true, isEqual: true }],
  };
  expect(await ask('GET', 'silences')).toMatchObject({ status: 200, body: [shown] });
  expect(await ask('GET', 'silence/one')).toMatchObject({ status: 200, body: shown });
  expect(await ask('DELETE', 'silence/one')).toEqual({ status: 200, body: undefined });
  expect(await ask('GET', 'silence/one')).toMatchObject({ body: { status: { state: 'expired' } } });
});

test.each([
  ['no matcher', { ...silence, matchers: [] }, 400, 'at least one matcher'],
  ['no list', { ...silence, matchers: 3 }, 400, 'matchers: expected a list'],
  ['no time', { ...silence, endsAt: 'soon' }, 400, 'endsAt: expected a time'],
  ['no author', { ...silence, createdBy: undefined }, 400, 'createdBy'],
  ['no JSON', '{', 400, 'no JSON'],
  ['too large', JSON.stringify({ ...silence, comment: 'a'.repeat(70_000) }), 413, 'larger than'],
])('%s is refused with a reason', async (_, body, status, reason) => {
  expect(await ask('POST', 'silences', body)).toEqual({ status, body: expect.stringContaining(reason) });
  expect(kept).toEqual([]);
});

test('what is not there, not possible, or from a page of another site is refused', async () => {
  expect(await ask('GET', 'silence/none')).toMatchObject({ status: 404 });
  expect(await ask('DELETE', 'silence/none')).toMatchObject({ status: 404 });
  expect(await ask('PUT', 'silences', silence)).toMatchObject({ status: 405 });
  expect(await ask('GET', 'silences?filter=a%3D1')).toMatchObject({ status: 400 });
  expect(await ask('POST', 'silences', silence, { 'content-type': 'text/plain' })).toMatchObject({ status: 415 });
  expect(await ask('POST', 'silences', silence, { origin: 'https://other.example' })).toMatchObject({ status: 400 });
  expect(kept).toEqual([]);
  expect((await fetch(`${base}/api/v2/alerts`)).status).toBe(418);
});
