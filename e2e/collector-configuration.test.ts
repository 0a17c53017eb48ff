import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StatusResponse } from '@signalbox/api-contract';
import { afterEach, expect, test } from 'vitest';
import { logsRequest, metricsRequest, post, tracesRequest } from './otlp-json.ts';
import { binary, eventually, SignalboxProcess } from './signalbox-process.ts';

/** The configuration of a team's Collector of version 0.91 as they run it; a test changes nothing but where things are. */
const CONFIGURATION = `
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 0.0.0.0:4317
      http:
        endpoint: 0.0.0.0:4318

processors:
  batch:
    timeout: 5s
    send_batch_size: 512

  memory_limiter:
    check_interval: 1s
    limit_mib: 1000
    spike_limit_mib: 200

  attributes:
    actions:
      - key: environment
        value: production
        action: upsert

exporters:
  otlp/tempo:
    endpoint: tempo:4317
    tls:
      insecure: true

  prometheus:
    endpoint: 0.0.0.0:8889
    namespace: agentstack

  loki:
    endpoint: http://loki:3100/loki/api/v1/push

service:
  pipelines:
    traces:
      receivers: [otlp]
      processors: [memory_limiter, batch]
      exporters: [otlp/tempo]

    metrics:
      receivers: [otlp]
      processors: [memory_limiter, batch]
      exporters: [prometheus]

    logs:
      receivers: [otlp]
      processors: [memory_limiter, batch]
      exporters: [loki]
`;

const cleanUp: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

function check(configuration: string) {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-e2e-'));
  try {
    const file = join(folder, 'otel-collector-config.yaml');
    writeFileSync(file, configuration);
    const { status, stdout, stderr } = spawnSync(process.execPath, [binary, 'config', 'check', file], {
      encoding: 'utf8',
    });
    return { status, said: stdout + stderr };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const missing = /exporters::(loki|prometheus): there is no such component/.exec(check(CONFIGURATION).said)?.[1];

test('config check names a mistake with its line, and ends with status 2', () => {
  const { status, said } = check(CONFIGURATION.replace('limit_mib: 1000', 'limit_mb: 1000'));
  expect(status).toBe(2);
  expect(said).toMatch(
    /otel-collector-config\.yaml:15: processors::memory_limiter: limit_mib or limit_percentage is required/,
  );
});

test.skipIf(missing !== undefined)(
  `the whole configuration: traces to an OTLP destination, metrics on a port, logs to Loki${missing ? ` (skipped: there is no ${missing} exporter yet)` : ''}`,
  async () => {
    const tempo = await new SignalboxProcess().start();
    cleanUp.push(() => tempo.dispose());
    const pushes: { url: string | undefined; size: number }[] = [];
    const loki = createServer((request, response) => {
      let size = 0;
      request.on('data', (chunk: Buffer) => {
        size += chunk.length;
      });
      request.on('end', () => {
        pushes.push({ url: request.url, size });
        response.writeHead(204).end();
      });
    });
    await new Promise<void>((resolve) => loki.listen(0, '127.0.0.1', resolve));
    cleanUp.push(() => loki.close());
    const collector = new SignalboxProcess();
    cleanUp.push(() => collector.dispose());
    const file = join(collector.data, 'otel-collector-config.yaml');
    writeFileSync(
      file,
      CONFIGURATION.replace('0.0.0.0:4317', '127.0.0.1:0')
        .replace('0.0.0.0:4318', '127.0.0.1:0')
        .replace('tempo:4317', new URL(tempo.otlpGrpc).host)
        .replace('0.0.0.0:8889', '127.0.0.1:0')
        .replace('loki:3100', `127.0.0.1:${(loki.address() as AddressInfo).port}`),
    );
    await collector.start('--config', file);
    const [, scrape] = await collector.child.waitFor(/prometheus\s+(http:\S+)/i);
    await post(collector.otlpHttp, 'traces', tracesRequest({ service: 'gateway', spans: 5 }));
    await post(collector.otlpHttp, 'metrics', metricsRequest('gateway', 'agent.chats', ['x']));
    await post(collector.otlpHttp, 'logs', logsRequest('gateway', ['hello']));
    await eventually(async () => {
      const { received } = await tempo.api<StatusResponse>('status');
      return received.spans.accepted === 5 ? true : undefined;
    }, 30_000);
    const url = new URL('/metrics', scrape);
    await eventually(async () => {
      const text = await (await fetch(url)).text();
      return text.includes('agentstack_agent_chats_total') ? true : undefined;
    }, 30_000);
    await eventually(async () => (pushes.length > 0 ? true : undefined), 30_000);
    expect(pushes[0]?.url).toBe('/loki/api/v1/push');
    expect(pushes[0]?.size).toBeGreaterThan(0);
  },
);
