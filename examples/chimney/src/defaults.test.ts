// What chimney does when nobody sets anything: the intervals and addresses that the document gives, and the optional endpoint.
import { startStandIn } from '@signalbox/example-github-stand-in';
import { expect, test } from 'vitest';
import { readConfig } from './config.ts';
import { ChimneyProcess } from './testing/chimney-process.ts';
import { OtlpSink } from './testing/otlp-sink.ts';

test('GitHub itself, the memory tier and the seed repository', () => {
  expect(readConfig({})).toMatchObject({
    githubApiUrl: 'https://api.github.com',
    githubToken: null,
    dragonflyUrl: null,
    host: '127.0.0.1',
    repository: 'atvirokodosprendimai/wgmesh',
    debugRoutes: false,
    prometheus: false,
  });
  expect(readConfig({ DRAGONFLY_ADDR: 'localhost:6380' }).dragonflyUrl).toBe('redis://localhost:6380');
  expect(readConfig({ REDIS_URL: 'redis://u:p@h:1/2', DRAGONFLY_ADDR: 'x:1' }).dragonflyUrl).toBe('redis://u:p@h:1/2');
});

test('metrics are pushed every 15 seconds', { timeout: 30_000 }, async () => {
  const sink = await OtlpSink.listen();
  const before = Date.now();
  const chimney = await ChimneyProcess.start({ OTEL_EXPORTER_OTLP_ENDPOINT: sink.url });
  const after = Date.now();
  try {
    const first = await sink.eventually('the first push', () => sink.metric('chimney.cache.entries'), 20_000);
    expect(first.arrived - before).toBeGreaterThan(14_900);
    expect(first.arrived - after).toBeLessThan(19_000);
  } finally {
    await chimney.stop('SIGKILL');
    await sink.close();
  }
});

test('telemetry goes to localhost:4318', async () => {
  // Whatever listens there, or nothing: what counts is where chimney turns to. Told by what it writes to its connections.
  const watch = `
    import { Socket } from 'node:net';
    const { write } = Socket.prototype;
    Socket.prototype.write = function (...written) {
      const [, path, host] = /^POST (\\S+) HTTP[^]*?\\r\\nHost: (\\S+)/.exec(String(written[0])) ?? [];
      if (path) process.stdout.write(JSON.stringify({ to: 'http://' + host + path }) + '\\n');
      return write.apply(this, written);
    };`;
  const chimney = await ChimneyProcess.start({
    OTEL_BLRP_SCHEDULE_DELAY: '50',
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(watch)}`,
  });
  await expect.poll(() => chimney.lines.map(({ to }) => to)).toContain('http://localhost:4318/v1/logs');
  await chimney.stop('SIGKILL');
});

test('OTEL_SERVICE_NAME names it otherwise', async () => {
  const sink = await OtlpSink.listen();
  const chimney = await ChimneyProcess.start({
    OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
    OTEL_SERVICE_NAME: 'chimney-green',
  });
  await chimney.stop();
  expect(sink.logs.map(({ service }) => service)).toContain('chimney-green');
  await sink.close();
});

test('the Prometheus endpoint is a second output of the same instruments', async () => {
  const [github, sink] = [await startStandIn({ repository: 'o/n' }), await OtlpSink.listen()];
  const chimney = await ChimneyProcess.start({
    CHIMNEY_REPOSITORY: 'o/n',
    CHIMNEY_PROMETHEUS: '1',
    GITHUB_API_URL: github.url,
    OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
  });
  try {
    await fetch(`${chimney.url}/api/github/pulls`);
    const text = await (await fetch(`${chimney.url}/api/metrics`)).text();
    expect(text).toMatch(/^chimney_requests_total\{.*route="\/api\/github\/pulls".*\} 1$/m);
    expect(text).toMatch(/^chimney_request_duration_milliseconds_bucket\{.*le="2000".*\} 1$/m);
    expect(text).toMatch(/^chimney_github_rate_limit_remaining(\{.*\})? 59$/m);
    expect(text).toMatch(/^chimney_dragonfly_connected(\{.*\})? 0$/m);
    // The first output goes on.
    await chimney.stop();
    expect(sink.metric('chimney.requests')?.sum?.points.length).toBeGreaterThan(0);
  } finally {
    await chimney.stop('SIGKILL');
    await github.close();
    await sink.close();
  }
});

test('without it there is no such route', async () => {
  const chimney = await ChimneyProcess.start({ OTEL_SDK_DISABLED: 'true' });
  expect((await fetch(`${chimney.url}/api/metrics`)).status).toBe(404);
  await chimney.stop();
});
