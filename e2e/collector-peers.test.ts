import { execFile } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import type { StatusResponse } from '@signalbox/api-contract';
import { afterEach, describe, expect, test } from 'vitest';
import { Child } from './child-process.ts';
import { logsRequest, metricsRequest, post, tracesRequest } from './otlp-json.ts';
import { eventually, SignalboxProcess } from './signalbox-process.ts';

const run = promisify(execFile);

/**
 * Peers that are not ours: telemetrygen and a Collector (with otlp receiver, otlp and otlphttp exporters), in the folder that
 * SIGNALBOX_PEERS names or on the path. Without them these tests say by name that they are skipped.
 */
function findPeer(name: string): string | undefined {
  const folders = [process.env.SIGNALBOX_PEERS ?? '', ...(process.env.PATH ?? '').split(delimiter)];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

const telemetrygen = findPeer('telemetrygen');
const otelcol = findPeer('otelcol');

const cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

async function signalbox(yaml?: string): Promise<SignalboxProcess> {
  const started = new SignalboxProcess();
  cleanUp.push(() => started.dispose());
  if (yaml === undefined) return await started.start();
  const file = join(started.data, 'config.yaml');
  writeFileSync(file, yaml);
  return await started.start('--config', file);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const received = async (process: SignalboxProcess) => (await process.api<StatusResponse>('status')).received;

describe.skipIf(telemetrygen === undefined)('telemetrygen (skipped without the program: see SIGNALBOX_PEERS)', () => {
  test.each(['grpc', 'http'])('sends traces, logs and metrics over %s, and all are there', async (transport) => {
    const process = await signalbox();
    const target = new URL(transport === 'http' ? process.otlpHttp : process.otlpGrpc).host;
    const common = ['--otlp-endpoint', target, '--otlp-insecure', ...(transport === 'http' ? ['--otlp-http'] : [])];
    await run(telemetrygen ?? '', ['traces', ...common, '--traces', '25', '--workers', '2', '--rate', '0']);
    await run(telemetrygen ?? '', ['logs', ...common, '--logs', '30', '--workers', '1', '--rate', '0']);
    await run(telemetrygen ?? '', ['metrics', ...common, '--metrics', '10', '--workers', '1', '--rate', '0']);
    // A parent and a child for each trace, of each worker.
    expect(await received(process)).toEqual({
      spans: { accepted: 100, rejected: 0 },
      logs: { accepted: 30, rejected: 0 },
      metrics: { accepted: 10, rejected: 0 },
    });
  });
});

describe.skipIf(otelcol === undefined)('a Collector (skipped without the program: see SIGNALBOX_PEERS)', () => {
  test.each([
    ['otlp', 'grpc'],
    ['otlphttp', 'http'],
  ])('between two of ours takes what %s sends, and its own exporter hands it on', async (exporter, transport) => {
    const end = await signalbox();
    const port = await freePort();
    const to = (address: string, endpoint: string) =>
      exporter === 'otlp'
        ? `otlp: {endpoint: "${new URL(address).host}", tls: {insecure: true}}`
        : `otlphttp: {endpoint: "${endpoint}"}`;
    const config = join(end.data, 'otelcol.yaml');
    const pipelines = `{traces: &p {receivers: [otlp], exporters: [${exporter}]}, metrics: *p, logs: *p}`;
    writeFileSync(
      config,
      `receivers: {otlp: {protocols: {${transport}: {endpoint: "127.0.0.1:${port}"}}}}
exporters: {${to(end.otlpGrpc, end.otlpHttp)}}
service: {telemetry: {metrics: {level: none}}, pipelines: ${pipelines}}
`,
    );
    const collector = new Child(otelcol ?? '', ['--config', config]);
    cleanUp.push(() => collector.stop('SIGKILL'));
    await collector.waitFor(/Everything is ready/);
    const start =
      await signalbox(`receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}}}
exporters: {${to(`http://127.0.0.1:${port}`, `http://127.0.0.1:${port}`)}}
service: {pipelines: ${pipelines}}
`);
    await post(start.otlpHttp, 'traces', tracesRequest({ service: 'shop', spans: 7 }));
    await post(start.otlpHttp, 'logs', logsRequest('shop', ['a', 'b', 'c']));
    await post(start.otlpHttp, 'metrics', metricsRequest('shop', 'orders', ['x', 'y']));
    await eventually(async () => {
      const { spans, logs, metrics } = await received(end);
      return spans.accepted >= 7 && logs.accepted >= 3 && metrics.accepted >= 2 ? true : undefined;
    }, 30_000);
    expect(await received(end)).toEqual({
      spans: { accepted: 7, rejected: 0 },
      logs: { accepted: 3, rejected: 0 },
      metrics: { accepted: 2, rejected: 0 },
    });
  });
});
