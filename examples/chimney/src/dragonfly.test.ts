// The first tier, over a real redis-server.
import { type StandIn, startStandIn } from '@signalbox/example-github-stand-in';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ChimneyProcess } from './testing/chimney-process.ts';
import { OtlpSink } from './testing/otlp-sink.ts';
import { hasRedis, RedisProcess } from './testing/redis-process.ts';

const repository = 'atvirokodosprendimai/wgmesh';

describe.skipIf(!hasRedis)('the dragonfly tier (needs redis-server)', () => {
  let github: StandIn;
  let sink: OtlpSink;
  let redis: RedisProcess;
  const chimneys: ChimneyProcess[] = [];

  const startChimney = async (environment: Record<string, string> = {}) => {
    const chimney = await ChimneyProcess.start({
      CHIMNEY_REPOSITORY: repository,
      GITHUB_API_URL: github.url,
      DRAGONFLY_ADDR: redis.address,
      OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
      OTEL_METRIC_EXPORT_INTERVAL: '200',
      OTEL_BSP_SCHEDULE_DELAY: '50',
      ...environment,
    });
    chimneys.push(chimney);
    return chimney;
  };
  const connected = () => sink.metric('chimney.dragonfly.connected')?.gauge?.points[0]?.asInt;
  const server = (traceId: string | null) =>
    sink.eventually('the server span', () => sink.spans.find((span) => span.kind === 2 && span.traceId === traceId));
  const tierOf = async (chimney: ChimneyProcess, path: string) => {
    const response = await fetch(`${chimney.url}/api/github/${path}`);
    await response.arrayBuffer();
    const { attributes } = await server(response.headers.get('x-trace-id'));
    return [attributes.get('chimney.cache_hit'), attributes.get('chimney.cache_tier')];
  };

  beforeAll(async () => {
    [github, sink, redis] = await Promise.all([startStandIn({ repository }), OtlpSink.listen(), RedisProcess.start()]);
  });

  afterAll(async () => {
    for (const chimney of chimneys) await chimney.stop('SIGKILL');
    await redis?.dispose();
    await github?.close();
    await sink?.close();
  });

  test('is the first to answer, is shared, and is counted under its name', async () => {
    const [first, second] = [await startChimney(), await startChimney()];
    expect(await tierOf(first, 'pulls')).toEqual([false, 'none']);
    expect(await tierOf(first, 'pulls')).toEqual([true, 'dragonfly']);
    expect(await tierOf(second, 'pulls')).toEqual([true, 'dragonfly']);
    expect(github.requests).toHaveLength(1);
    await sink.eventually('the hits', () =>
      sink.metric('chimney.cache.hits')?.sum?.points.find(({ attributes }) => attributes.get('tier') === 'dragonfly'),
    );
    await sink.eventually('the connection', () => connected() === 1);
  });

  test('is emptied by an invalidation', async () => {
    const chimney = await startChimney();
    for (const path of ['issues', 'issues?page=2', 'issues/3', 'releases'])
      await fetch(`${chimney.url}/api/github/${path}`);
    const response = await fetch(`${chimney.url}/api/cache/issues`, { method: 'DELETE' });
    expect(await response.json()).toMatchObject({ removed: { dragonfly: 3, memory: 3 } });
    expect(await tierOf(chimney, 'issues')).toEqual([false, 'none']);
    expect(await tierOf(chimney, 'releases')).toEqual([true, 'dragonfly']);
  });

  test('goes away: memory answers and one line says so; comes back: it is used again', async () => {
    const chimney = await startChimney();
    await fetch(`${chimney.url}/api/github/branches`);
    await redis.down();
    for (let time = 0; time < 3; time += 1) expect(await tierOf(chimney, 'branches')).toEqual([true, 'memory']);
    await sink.eventually('the lost connection', () => connected() === 0);
    expect(chimney.lines.filter(({ msg }) => msg === 'dragonfly unavailable, running on the memory tier')).toHaveLength(
      1,
    );

    await redis.up();
    await expect
      .poll(() => chimney.lines.some(({ msg }) => msg === 'dragonfly is back'), { timeout: 10_000 })
      .toBe(true);
    await sink.eventually('the new connection', () => connected() === 1);
    expect(await tierOf(chimney, 'contributors')).toEqual([false, 'none']);
    expect(await tierOf(chimney, 'contributors')).toEqual([true, 'dragonfly']);
  });

  test('was never there: chimney starts all the same', async () => {
    await redis.down();
    const chimney = await startChimney();
    expect(await tierOf(chimney, 'tags')).toEqual([false, 'none']);
    expect((await fetch(`${chimney.url}/healthz`)).status).toBe(200);
    expect(chimney.lines.filter(({ level }) => level === 'WARN')).toHaveLength(1);
    await redis.up();
  });

  test('its commands are spans of the trace', async () => {
    const chimney = await startChimney();
    const response = await fetch(`${chimney.url}/api/github/actions/workflows`);
    const traceId = response.headers.get('x-trace-id');
    const span = await sink.eventually('a span of Redis', () =>
      sink.spans.find(
        (candidate) => candidate.traceId === traceId && candidate.attributes.get('db.system.name') === 'redis',
      ),
    );
    expect(span).toMatchObject({ kind: 3, parentSpanId: (await server(traceId)).spanId });
  });
});
