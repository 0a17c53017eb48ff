// What chimney does for its clients: caching, revalidation, stale answers, refusals; over HTTP, without a collector.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { type StandIn, type StandInOptions, startStandIn } from '@signalbox/example-github-stand-in';
import { afterEach, describe, expect, test } from 'vitest';
import { ChimneyProcess } from './testing/chimney-process.ts';

const repository = 'atvirokodosprendimai/wgmesh';
const undo: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

async function begin(environment: Record<string, string> = {}, options: Partial<StandInOptions> = {}) {
  const github = await startStandIn({ repository, ...options });
  undo.push(() => github.close());
  const chimney = await ChimneyProcess.start({
    CHIMNEY_REPOSITORY: repository,
    GITHUB_API_URL: github.url,
    OTEL_SDK_DISABLED: 'true',
    ...environment,
  });
  undo.push(() => chimney.stop('SIGKILL'));
  const get = (path: string, init?: RequestInit) => fetch(`${chimney.url}${path}`, init);
  return { github, chimney, get };
}

/** How often GitHub was asked for a path. */
function asked(github: StandIn, end: string): number {
  return github.requests.filter(({ path }) => path.endsWith(end)).length;
}

describe('caching', () => {
  test('a second request is served from memory; the order of the query does not matter', async () => {
    const { github, get } = await begin();
    const first = await get('/api/github/pulls?state=all&per_page=3');
    const second = await get('/api/github/pulls?per_page=3&state=all');
    expect(first.headers.get('x-cache')).toBe('miss');
    expect(second.headers.get('x-cache')).toBe('hit');
    expect(await second.json()).toEqual(await first.json());
    expect(github.requests).toHaveLength(1);
  });

  test('what many ask for at once is asked of GitHub once', async () => {
    const { github, get } = await begin({}, { behaviour: { latencyMs: 200 } });
    const answers = await Promise.all(Array.from({ length: 20 }, () => get('/api/github/issues')));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    expect(github.requests).toHaveLength(1);
  });

  test('past its TTL an entry is revalidated with its ETag; a 304 costs no quota and extends it', async () => {
    const { github, get } = await begin({ CHIMNEY_CACHE_TTL_SECONDS: '1' });
    const first = await get('/api/github/releases');
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const second = await get('/api/github/releases');
    const third = await get('/api/github/releases');
    expect(second.headers.get('x-cache')).toBe('revalidated');
    expect(third.headers.get('x-cache')).toBe('hit');
    expect(await second.text()).toBe(await first.text());
    expect(github.requests.map(({ status }) => status)).toEqual([200, 304]);
    expect(github.requests[1]?.headers['if-none-match']).toBe(first.headers.get('etag'));
  });

  test('what has changed meanwhile is fetched anew', async () => {
    const { github, get } = await begin({ CHIMNEY_CACHE_TTL_SECONDS: '0' });
    const first = await get('/api/github/pulls?state=all');
    github.change();
    const second = await get('/api/github/pulls?state=all');
    expect(second.headers.get('x-cache')).toBe('miss');
    expect(second.headers.get('etag')).not.toBe(first.headers.get('etag'));
  });

  test('links to further pages lead through chimney', async () => {
    const { get } = await begin();
    const { headers } = await get('/api/github/pulls?per_page=10');
    const next = /<([^>]+)>; rel="next"/.exec(headers.get('link') ?? '')?.[1];
    expect(next).toBe('/api/github/pulls?per_page=10&page=2');
    expect((await get(next ?? '')).status).toBe(200);
  });

  test('memory holds no more entries than it may', async () => {
    const { get } = await begin({ CHIMNEY_MEMORY_ENTRIES: '3' });
    for (const path of ['pulls', 'issues', 'releases', 'commits', 'branches']) await get(`/api/github/${path}`);
    expect(await (await get('/api/cache')).json()).toMatchObject({ memory_entries: 3 });
    expect((await get('/api/github/branches')).headers.get('x-cache')).toBe('hit');
    expect((await get('/api/github/pulls')).headers.get('x-cache')).toBe('miss');
  });
});

describe('invalidation', () => {
  test('takes a path with all below it and every query, and nothing beside it', async () => {
    const { get } = await begin();
    const paths = ['pulls', 'pulls?page=2', 'pulls/2', 'issues'];
    for (const path of paths) await get(`/api/github/${path}`);
    const answer = await get('/api/cache/invalidate', { method: 'POST', body: '{"path":"pulls"}' });
    expect(await answer.json()).toMatchObject({ removed: { memory: 3 } });
    const caches = await Promise.all(
      paths.map(async (path) => (await get(`/api/github/${path}`)).headers.get('x-cache')),
    );
    expect(caches).toEqual(['miss', 'miss', 'miss', 'hit']);
  });

  test('can take everything', async () => {
    const { get } = await begin();
    await get('/api/github/pulls');
    await get('/api/github/issues');
    expect(await (await get('/api/cache', { method: 'DELETE' })).json()).toMatchObject({
      path: '*',
      removed: { memory: 2 },
    });
    await get('/api/github/pulls');
    const all = await get('/api/cache/invalidate', { method: 'POST', body: '{"all":true}' });
    expect(await all.json()).toMatchObject({ removed: { memory: 1 } });
  });

  test('what was under way when it came is not kept', async () => {
    const { github, get } = await begin({}, { behaviour: { latencyMs: 300 } });
    const slow = get('/api/github/pulls');
    await expect.poll(() => github.requests.length).toBe(1);
    await get('/api/cache/pulls', { method: 'DELETE' });
    expect((await slow).status).toBe(200);
    expect((await get('/api/github/pulls')).headers.get('x-cache')).toBe('miss');
  });

  test('refuses what is neither a path nor all', async () => {
    const { get } = await begin();
    for (const body of [
      '{}',
      '[]',
      '{"path":""}',
      '{"path":"../x"}',
      '{"path":7}',
      '{"path":"x","all":true}',
      'nonsense',
    ]) {
      expect([body, (await get('/api/cache/invalidate', { method: 'POST', body })).status]).toEqual([body, 400]);
    }
  });
});

describe('when GitHub fails', () => {
  test('a stale answer is better than none, and says so', async () => {
    const { github, get } = await begin({ CHIMNEY_CACHE_TTL_SECONDS: '0' });
    const first = await get('/api/github/pulls');
    github.behave({ errorRate: 1 });
    const second = await get('/api/github/pulls');
    expect(second.status).toBe(200);
    expect(second.headers.get('x-cache')).toBe('stale');
    expect(await second.text()).toBe(await first.text());
    expect((await get('/api/github/issues')).status).toBe(502);
  });

  test('one that does not answer in time is a 504', async () => {
    const { get } = await begin({ CHIMNEY_GITHUB_TIMEOUT_MS: '150' }, { behaviour: { latencyMs: 2000 } });
    expect((await get('/api/github/pulls')).status).toBe(504);
  });

  test('an exhausted rate limit is a 503 with Retry-After, and GitHub is left alone', async () => {
    const { github, get } = await begin({ CHIMNEY_CACHE_TTL_SECONDS: '0' }, { limit: { withoutToken: 2 } });
    for (const path of ['pulls', 'issues']) expect((await get(`/api/github/${path}`)).status).toBe(200);
    const refused = await get('/api/github/commits');
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(3000);
    expect((await get('/api/github/pulls')).headers.get('x-cache')).toBe('stale');
    expect(github.requests).toHaveLength(2);
  });

  test('a secondary rate limit is a 503 too', async () => {
    const { get } = await begin({}, { behaviour: { secondaryLimitRate: 1 } });
    const refused = await get('/api/github/commits');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
  });

  test('a refused token is a 502', async () => {
    const { get } = await begin({ GITHUB_TOKEN: 'bad' });
    expect((await get('/api/github/pulls')).status).toBe(502);
  });

  test('an answer without end is cut off', async () => {
    const endless = createServer((_, response) => {
      const write = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, 'x'))) {}
        response.once('drain', write);
      };
      write();
    }).listen(0, '127.0.0.1');
    await once(endless, 'listening');
    undo.push(async () => endless.close(() => {}).closeAllConnections());
    const { get } = await begin({ GITHUB_API_URL: `http://127.0.0.1:${(endless.address() as AddressInfo).port}` });
    expect((await get('/api/github/pulls')).status).toBe(502);
  });
});

describe('requests that are refused', () => {
  /** As the bytes say: fetch would tidy the path up. */
  async function raw(url: string, target: string): Promise<number> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.end(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1]);
  }

  test('paths that leave the repository, however they are written', async () => {
    const { github, chimney } = await begin();
    const targets = [
      '../../user',
      '%2e%2e/x',
      '%2E./x',
      'pulls/../../x',
      'pulls//x',
      'a%2fb',
      'a%5cb',
      'a\\b',
      '%252e%252e/x',
      'a%00',
      '%zz',
      './x',
    ];
    for (const target of targets)
      expect([target, await raw(chimney.url, `/api/github/${target}`)]).toEqual([target, 400]);
    expect(await raw(chimney.url, `http://elsewhere/api/github/pulls`)).toBe(400);
    expect(await raw(chimney.url, `/api/github/${'x'.repeat(3000)}`)).toBe(414);
    expect(github.requests).toHaveLength(0);
  });

  test('only GET is proxied', async () => {
    const { github, get } = await begin();
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      const answer = await get('/api/github/pulls', { method });
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET']);
    }
    expect(github.requests).toHaveLength(0);
  });

  test('a body that is too large', async () => {
    const { get } = await begin();
    for (const size of [100_000, 5_000_000]) {
      const answer = await get('/api/deploy/events', { method: 'POST', body: 'x'.repeat(size) });
      expect(answer.status).toBe(413);
    }
  });

  test('the route that panics, unless it was asked for', async () => {
    const { get } = await begin();
    expect((await get('/api/debug/panic')).status).toBe(404);
  });
});

test('what is not cached: refusals of GitHub', async () => {
  const { github, get } = await begin();
  expect((await get('/api/github/teapots')).status).toBe(404);
  expect((await get('/api/github/teapots')).status).toBe(404);
  expect(asked(github, '/teapots')).toBe(2);
});

test.each([
  ['CHIMNEY_PORT', 'many'],
  ['CHIMNEY_REPOSITORY', 'no-slash'],
  ['CHIMNEY_REPOSITORY', 'owner/..'],
  ['GITHUB_API_URL', 'ftp://x'],
  ['GITHUB_API_URL', 'https://user:secret@api.github.com'],
  ['LOG_LEVEL', 'loud'],
])('a setting that cannot be used is named: %s=%s', async (name, value) => {
  await expect(ChimneyProcess.start({ OTEL_SDK_DISABLED: 'true', [name]: value })).rejects.toThrow(name);
});

test('a port that is taken: the message names the setting', async () => {
  const { chimney } = await begin();
  const { port } = new URL(chimney.url);
  await expect(ChimneyProcess.start({ OTEL_SDK_DISABLED: 'true', CHIMNEY_PORT: port })).rejects.toThrow('CHIMNEY_PORT');
});
