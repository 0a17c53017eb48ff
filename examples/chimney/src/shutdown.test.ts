// SIGTERM and SIGINT: what was recorded arrives before the process is gone, within five seconds.
import { startStandIn } from '@signalbox/example-github-stand-in';
import { afterEach, describe, expect, test } from 'vitest';
import { ChimneyProcess } from './testing/chimney-process.ts';
import { OtlpSink } from './testing/otlp-sink.ts';

const repository = 'atvirokodosprendimai/wgmesh';
const undo: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

async function begin(endpoint: string, latencyMs = 0) {
  const github = await startStandIn({ repository, behaviour: { latencyMs } });
  undo.push(() => github.close());
  const chimney = await ChimneyProcess.start({
    CHIMNEY_REPOSITORY: repository,
    GITHUB_API_URL: github.url,
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    // So long that nothing but the shutdown can have sent it.
    OTEL_BSP_SCHEDULE_DELAY: '60000',
    OTEL_BLRP_SCHEDULE_DELAY: '60000',
    OTEL_METRIC_EXPORT_INTERVAL: '60000',
  });
  undo.push(() => chimney.stop('SIGKILL'));
  return { github, chimney };
}

async function openSink() {
  const sink = await OtlpSink.listen();
  undo.push(() => sink.close());
  return sink;
}

describe.each(['SIGTERM', 'SIGINT'] as const)('%s', (signal) => {
  test('flushes spans, log records and metrics', async () => {
    const sink = await openSink();
    const { chimney } = await begin(sink.url);
    const response = await fetch(`${chimney.url}/api/github/pulls`);
    const traceId = response.headers.get('x-trace-id');
    await response.arrayBuffer();
    expect(sink.spans).toHaveLength(0);

    const { code, ms } = await chimney.stop(signal);
    expect(code).toBe(0);
    expect(ms).toBeLessThan(5000);
    const names = sink.spans.filter((span) => span.traceId === traceId).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['GET /api/github/pulls', 'chimney.github_fetch']));
    expect(sink.logs.some((log) => log.body === 'request' && log.traceId === traceId)).toBe(true);
    expect(sink.metric('chimney.requests')?.sum?.points).toMatchObject([{ asInt: 1 }]);
    expect(sink.metric('chimney.cache.entries')?.gauge?.points).toMatchObject([{ asInt: 1 }]);
  });
});

test('a request under way is answered first, and is in what is flushed', async () => {
  const sink = await openSink();
  const { github, chimney } = await begin(sink.url, 700);
  const answer = fetch(`${chimney.url}/api/github/pulls`);
  await expect.poll(() => github.requests.length).toBe(1);
  const stopped = chimney.stop();
  expect((await answer).status).toBe(200);
  expect((await stopped).code).toBe(0);
  expect(sink.spans.map(({ name }) => name)).toContain('GET /api/github/pulls');
});

test('without a collector it is over in time all the same', async () => {
  const { chimney } = await begin('http://127.0.0.1:9');
  await fetch(`${chimney.url}/healthz`);
  const { code, ms } = await chimney.stop();
  expect(code).toBe(0);
  expect(ms).toBeLessThan(5000);
});

test('a request that does not end is cut off', async () => {
  const sink = await openSink();
  const { github, chimney } = await begin(sink.url, 9000);
  const answer = fetch(`${chimney.url}/api/github/pulls`).catch(() => null);
  await expect.poll(() => github.requests.length).toBe(1);
  const { ms } = await chimney.stop();
  expect(ms).toBeLessThan(5000);
  expect(await answer).toBeNull();
});
