import { clock, pause, pick, request, whole } from './clock.mjs';

const repositoryPaths = [
  [20, () => `pulls?per_page=${pick([10, 30])}&page=${whole(1, 3)}`],
  [12, () => `issues?state=${pick(['open', 'closed', 'all'])}`],
  [12, () => `actions/runs?per_page=20${pick(['', '&status=failure', '&branch=main'])}`],
  [8, () => `pulls/${whole(1, 90) * 2}`],
  [6, () => `issues/${whole(1, 90) * 2 - 1}`],
  [5, () => `pulls/${whole(60, 90) * 2}/${pick(['commits', 'comments', 'reviews'])}`],
  [4, () => 'releases'],
  [3, () => 'releases/latest'],
  [3, () => 'commits?per_page=20'],
  [2, () => 'contributors'],
  [2, () => ''],
  [1, () => 'teapots'],
];

/**
 * Steady, varied traffic until `signal` fires: some twenty requests in ten seconds that swell and ebb, and on their own clocks bursts,
 * invalidations, deploy events, a panic now and then, spells in which GitHub is slow or failing, and times without Redis.
 */
export async function runTraffic({ chimney, storefront, github, redis, signal, say }) {
  const ask = (url, options = {}) => request(url, signal, options);
  const proxied = () => `${chimney}/api/github/${weighted(repositoryPaths)()}`;
  const behave = (behaviour) =>
    ask(`${github}/_stand-in/behaviour`, { method: 'PUT', body: JSON.stringify(behaviour) });

  const everyday = async () => {
    const share = Math.random();
    if (share < 0.3) await ask(`${storefront}/${Math.random() < 0.7 ? '' : `pulls/${whole(1, 90) * 2}`}`);
    else if (share < 0.9) await ask(proxied());
    else if (share < 0.96) await ask(`${chimney}/api/deploy/last`);
    else await ask(`${chimney}/${pick(['favicon.ico', 'api/github/%2e%2e/secrets', 'robots.txt'])}`);
  };
  // A client that validates its own copy gets a 304.
  const revalidate = async () => {
    const url = `${chimney}/api/github/releases`;
    const etag = (await ask(url))?.headers.get('etag');
    if (etag) await ask(url, { headers: { 'if-none-match': etag } });
  };
  const burst = async () => {
    const url = `${chimney}/api/github/commits?per_page=100&page=${whole(1, 2)}&since=${Date.now()}`;
    await Promise.all(Array.from({ length: 12 }, () => ask(url)));
  };
  const invalidate = async () => {
    if (Math.random() < 0.7)
      await ask(`${chimney}/api/cache/${pick(['pulls', 'issues', 'actions'])}`, { method: 'DELETE' });
    else await ask(`${chimney}/api/cache/invalidate`, { method: 'POST', body: '{"all":true}' });
  };
  let version = 40;
  const deploy = async () => {
    const outcome = Math.random() < 0.8 ? 'success' : 'failure';
    version += 1;
    const event = { outcome, version: `0.${version}.0`, environment: pick(['blue', 'green']) };
    await ask(`${chimney}/api/deploy/events`, { method: 'POST', body: JSON.stringify(event) });
  };
  const spell = async () => {
    const bad = pick([
      [{ errorRate: 0.5 }, 'GitHub fails half of the time, for 10 s'],
      [{ latencyMs: 900 }, 'GitHub takes a second to answer, for 10 s'],
      [{ resetRate: 0.3 }, 'GitHub breaks a third of the connections, for 10 s'],
    ]);
    say(bad[1]);
    await behave(bad[0]);
    await pause(10_000, signal);
    await behave({ errorRate: 0.01, latencyMs: 60, resetRate: 0 });
  };
  const outage = async () => {
    say('Redis is away for 15 s: chimney goes on with its memory tier');
    await redis.stop();
    await pause(15_000, signal);
    if (!signal.aborted) await redis.start();
  };

  const loops = [
    clock(signal, 5, () => ask(`${chimney}/healthz`)),
    clock(signal, 7, revalidate),
    clock(signal, 20, invalidate),
    clock(signal, 30, burst),
    clock(signal, 35, deploy),
    clock(signal, 45, () => ask(`${chimney}/api/debug/panic`)),
    clock(signal, 90, spell, 20),
    ...(redis ? [clock(signal, 180, outage)] : []),
    everydayTraffic(signal, everyday),
  ];
  // So that the first look at the page already finds one of each.
  for (const first of [everyday, invalidate, deploy, burst, () => ask(`${chimney}/api/debug/panic`), revalidate])
    await first();
  await Promise.all(loops);
}

/** Requests at random moments, 4 a second on average, between 1.5 and 6.5 as a slow wave. */
async function everydayTraffic(signal, everyday) {
  const running = new Set();
  while (!signal.aborted) {
    const rate = 4 + 2.5 * Math.sin((Date.now() / 120_000) * 2 * Math.PI);
    await pause((-Math.log(1 - Math.random()) / rate) * 1000, signal);
    if (signal.aborted || running.size > 50) continue;
    const one = everyday().finally(() => running.delete(one));
    running.add(one);
  }
  await Promise.all(running);
}

function weighted(table) {
  let rest = Math.random() * table.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, item] of table) {
    rest -= weight;
    if (rest < 0) return item;
  }
  return table[0][1];
}
