import { afterEach, describe, expect, test } from 'vitest';
import { calm, drawLatency } from './behaviour.ts';
import { Random } from './random.ts';
import { RateLimit } from './rate-limit.ts';
import { type StandIn, type StandInOptions, startStandIn } from './stand-in.ts';

const repository = 'octo/mesh';
const standIns: StandIn[] = [];

afterEach(async () => {
  for (const standIn of standIns.splice(0)) await standIn.close();
});

async function begin(options: Partial<StandInOptions> = {}) {
  const standIn = await startStandIn({ repository, ...options });
  standIns.push(standIn);
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(`${standIn.url}${path}`, { headers: { 'user-agent': 'a test', ...headers } });
  return { standIn, get };
}

describe('as the GitHub API', () => {
  test('lists have pages and a Link header that leads through all of them', async () => {
    const { standIn, get } = await begin();
    const seen: unknown[] = [];
    let next: string | undefined = '/repos/octo/mesh/pulls?state=all&per_page=40';
    const relations: string[][] = [];
    while (next) {
      const response: Response = await get(next);
      seen.push(...((await response.json()) as unknown[]));
      const link: string = response.headers.get('link') ?? '';
      relations.push([...link.matchAll(/rel="(\w+)"/g)].map(([, relation]) => String(relation)));
      next = /<([^>]+)>; rel="next"/.exec(link)?.[1]?.replace(standIn.url, '');
    }
    expect(seen).toHaveLength(90);
    expect(new Set(seen.map((item) => (item as { number: number }).number)).size).toBe(90);
    expect(relations).toEqual([
      ['next', 'last'],
      ['prev', 'next', 'last', 'first'],
      ['prev', 'first'],
    ]);
  });

  test('thirty items a page, open ones, a hundred at most', async () => {
    const { get } = await begin({ size: 300 });
    const list = async (query: string) =>
      (await (await get(`/repos/octo/mesh/pulls${query}`)).json()) as { state: string }[];
    expect(await list('')).toHaveLength(30);
    expect(await list('?per_page=1000')).toHaveLength(100);
    expect(new Set((await list('')).map(({ state }) => state))).toEqual(new Set(['open']));
    expect(new Set((await list('?state=closed')).map(({ state }) => state))).toEqual(new Set(['closed']));
  });

  test('workflow runs are wrapped with their number', async () => {
    const { get } = await begin();
    const body = (await (await get('/repos/octo/mesh/actions/runs?per_page=5')).json()) as Record<string, unknown>;
    expect(body.total_count).toBe(180);
    expect(body.workflow_runs).toHaveLength(5);
  });

  test('the same ETag is a 304 without a body, and costs nothing', async () => {
    const { standIn, get } = await begin();
    const first = await get('/repos/octo/mesh/releases');
    const etag = first.headers.get('etag') ?? '';
    expect(etag).toMatch(/^W\/"[0-9a-f]{64}"$/);
    const second = await get('/repos/octo/mesh/releases', { 'if-none-match': etag });
    expect(second.status).toBe(304);
    expect(await second.text()).toBe('');
    expect(second.headers.get('x-ratelimit-remaining')).toBe(first.headers.get('x-ratelimit-remaining'));
    expect((await get('/repos/octo/mesh/pulls?state=all')).headers.get('x-ratelimit-remaining')).toBe('58');

    const before = (await get('/repos/octo/mesh/issues')).headers.get('etag') ?? '';
    standIn.change();
    standIn.change();
    expect((await get('/repos/octo/mesh/issues', { 'if-none-match': before })).status).toBe(200);
  });

  test('the rate limit: 60 without a token, 5000 with one, then 403', async () => {
    const { get } = await begin({ limit: { withoutToken: 2 } });
    expect((await get('/repos/octo/mesh', { authorization: 'Bearer t' })).headers.get('x-ratelimit-limit')).toBe(
      '5000',
    );
    await get('/repos/octo/mesh');
    await get('/repos/octo/mesh');
    const refused = await get('/repos/octo/mesh');
    expect(refused.status).toBe(403);
    expect(refused.headers.get('x-ratelimit-remaining')).toBe('0');
    expect(Number(refused.headers.get('x-ratelimit-reset'))).toBeGreaterThan(Date.now() / 1000);
    expect(await refused.json()).toMatchObject({ message: expect.stringContaining('rate limit exceeded') });
  });

  test('refusals', async () => {
    const { get } = await begin();
    expect((await get('/repos/octo/mesh/teapots')).status).toBe(404);
    expect((await get('/repos/someone/else/pulls')).status).toBe(404);
    expect((await get('/repos/octo/mesh/pulls', { authorization: 'Bearer bad' })).status).toBe(401);
    expect((await get('/repos/octo/mesh/pulls', { 'user-agent': '' })).status).toBe(403);
  });
});

describe('as it is told', () => {
  test('errors, secondary limits and broken connections', async () => {
    const { standIn, get } = await begin({ behaviour: { errorRate: 1 } });
    expect([500, 502, 503]).toContain((await get('/repos/octo/mesh')).status);
    standIn.behave({ errorRate: 0, secondaryLimitRate: 1 });
    const limited = await get('/repos/octo/mesh');
    expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '5']);
    standIn.behave({ secondaryLimitRate: 0, resetRate: 1 });
    await expect(get('/repos/octo/mesh')).rejects.toThrow();
  });

  test('over HTTP while it runs', async () => {
    const { standIn, get } = await begin();
    const put = (body: string) => fetch(`${standIn.url}/_stand-in/behaviour`, { method: 'PUT', body });
    expect(await (await put('{"errorRate":1}')).json()).toMatchObject({ errorRate: 1, resetRate: 0 });
    expect((await get('/repos/octo/mesh')).status).toBeGreaterThanOrEqual(500);
    for (const body of ['{"errorRate":-1}', '{"unknown":1}', '{"errorRate":"1"}', 'x', 'null']) {
      expect([body, (await put(body)).status]).toEqual([body, 400]);
    }
  });

  test('latencies are log-normal around their median', () => {
    const random = new Random(7);
    const behaviour = { ...calm, latencyMs: 100, latencySpread: 0.5 };
    const drawn = Array.from({ length: 4000 }, () => drawLatency(behaviour, random)).sort((a, b) => a - b);
    // exp(0.5 * 2.326) = 3.2 times the median at the 99th percentile.
    expect(drawn[2000]).toBeGreaterThan(95);
    expect(drawn[2000]).toBeLessThan(105);
    expect((drawn[3960] ?? 0) / 100).toBeGreaterThan(2.8);
    expect((drawn[3960] ?? 0) / 100).toBeLessThan(3.7);
  });

  test('the same seed gives the same data', async () => {
    const [one, other, different] = [await begin({ seed: 5 }), await begin({ seed: 5 }), await begin({ seed: 6 })];
    const titles = async ({ get }: typeof one) =>
      ((await (await get('/repos/octo/mesh/pulls')).json()) as { title: string }[]).map(({ title }) => title);
    expect(await titles(one)).toEqual(await titles(other));
    expect(await titles(one)).not.toEqual(await titles(different));
  });
});

test('a window of the rate limit ends', () => {
  let now = 0;
  const limit = new RateLimit(1, 1000, () => now);
  limit.consume();
  expect(limit.exhausted).toBe(true);
  now = 1000;
  expect(limit.exhausted).toBe(false);
  expect(limit.headers()['x-ratelimit-remaining']).toBe('1');
});
