import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LogSearchResponse, StatusResponse } from '@signalbox/api-contract';
import { afterEach, describe, expect, test } from 'vitest';
import { Child } from './child-process.ts';
import { logsRequest, post, tracesRequest } from './otlp-json.ts';
import { OtlpSink } from './otlp-sink.ts';
import { binary, eventually, SignalboxProcess } from './signalbox-process.ts';

const cleanUp: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

async function signalbox(yaml: string, given?: SignalboxProcess): Promise<SignalboxProcess> {
  const process = given ?? new SignalboxProcess();
  if (given === undefined) cleanUp.push(() => process.dispose());
  const file = join(process.data, 'config.yaml');
  writeFileSync(file, yaml);
  return await process.start('--config', file);
}

async function sink(port?: number): Promise<{ peer: OtlpSink; port: number }> {
  const peer = new OtlpSink();
  cleanUp.push(() => peer.close());
  return { peer, port: await peer.listen(port) };
}

/** Of the process, in MB; 0 where the system does not tell. */
function residentMegabytes({ child }: SignalboxProcess): number {
  try {
    const status = readFileSync(`/proc/${child.process.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

const OTLP = 'receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}}}\n';
const retrying = 'retry_on_failure: {initial_interval: 50ms, max_interval: 200ms}';

describe('without a store', () => {
  test('replicas stand side by side on one data folder, are small, hand records on, and say that nothing is kept', async () => {
    const { peer, port } = await sink();
    const yaml = `${OTLP}
exporters: {otlphttp: {endpoint: "http://127.0.0.1:${port}", encoding: json, sending_queue: {enabled: false}}}
service: {pipelines: {traces: {receivers: [otlp], exporters: [otlphttp]}}}
`;
    const first = await signalbox(yaml);
    const second = await signalbox(yaml, new SignalboxProcess(first.data));
    cleanUp.push(async () => void (await second.child.stop('SIGKILL')));
    for (const [index, replica] of [first, second].entries()) {
      const { status } = await post(replica.otlpHttp, 'traces', tracesRequest({ service: 'a', name: `from ${index}` }));
      expect(status).toBe(200);
    }
    expect(peer.names).toEqual(['from 0', 'from 1']);
    expect(readdirSync(first.data)).toEqual(['config.yaml']);
    const { store } = await first.api<StatusResponse>('status');
    expect(store.kind).toBe('none');
    await expect(first.api('traces')).rejects.toThrow(/503 .*Nothing is kept here.*Add clickhouse to the exporters/);
    // The bound; the system tells on Linux only.
    for (const replica of [first, second]) expect(residentMegabytes(replica)).toBeLessThanOrEqual(150);
    const ended = await first.child.stop();
    expect([ended.code, ended.signal]).toEqual([0, null]);
  });
});

describe('a sending queue', () => {
  test('keeps what was acknowledged over kill -9 while the destination was away', async () => {
    const { peer: unused, port } = await sink();
    unused.close();
    const yaml = `${OTLP}
exporters: {otlphttp/away: {endpoint: "http://127.0.0.1:${port}", encoding: json, ${retrying}}}
service: {pipelines: {traces: {receivers: [otlp], exporters: [otlphttp/away]}}}
`;
    const process = await signalbox(yaml);
    const acknowledged: string[] = [];
    const send = async (sender: number) => {
      for (let i = 0; ; i++) {
        const name = `span ${sender}.${i}`;
        try {
          const { status } = await post(process.otlpHttp, 'traces', tracesRequest({ service: 'durable', name }));
          if (status === 200) acknowledged.push(name);
        } catch {
          return; // the connection broke: the process is gone
        }
      }
    };
    const senders = Array.from({ length: 8 }, (_, sender) => send(sender));
    await eventually(async () => (acknowledged.length >= 200 ? true : undefined), 60_000);
    await process.child.stop('SIGKILL');
    await Promise.all(senders);
    const { peer } = await sink(port);
    await signalbox(yaml, process);
    await eventually(async () => {
      const arrived = new Set(peer.names);
      return acknowledged.every((name) => arrived.has(name)) ? true : undefined;
    }, 60_000);
  });

  test('that is full costs only its own destination, and the sender hears of it', async () => {
    const { peer: unused, port } = await sink();
    unused.close();
    const process = await signalbox(`${OTLP}
exporters:
  otlphttp/away: {endpoint: "http://127.0.0.1:${port}", sending_queue: {queue_size: 1, num_consumers: 1}}
  clickhouse:
service: {pipelines: {logs: {receivers: [otlp], exporters: [otlphttp/away, clickhouse]}}}
`);
    const answers = [];
    for (const body of ['a', 'b', 'c']) answers.push(await post(process.otlpHttp, 'logs', logsRequest('shop', [body])));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(answers[0]?.body).toEqual({});
    expect(answers[2]?.body).toEqual({ partialSuccess: { errorMessage: 'otlphttp/away: the queue is full' } });
    const { logs } = await process.api<LogSearchResponse>('logs');
    expect(logs.map(({ body }) => body)).toHaveLength(3);
    const metrics = await (await fetch(`${process.page}/metrics`)).text();
    expect(metrics).toContain('otelcol_exporter_enqueue_failed_log_records_total{exporter="otlphttp/away"} 2');
    expect(metrics).toContain('otelcol_receiver_accepted_log_records_total{receiver="otlp"} 3');
    expect(metrics).toContain('otelcol_exporter_sent_log_records_total{exporter="clickhouse"} 3');
  });
});

test('a receiver killed and started again under a retrying client has each acknowledged record once or twice', async () => {
  const store = await new SignalboxProcess().start();
  cleanUp.push(() => store.dispose());
  const [httpPort, grpcPort] = [store.otlpHttp, store.otlpGrpc].map((url) => new URL(url).port);
  const client = await signalbox(`${OTLP}
exporters: {otlp: {endpoint: "127.0.0.1:${grpcPort}", tls: {insecure: true}, ${retrying}}}
service: {pipelines: {logs: {receivers: [otlp], exporters: [otlp]}}}
`);
  const acknowledged: string[] = [];
  let sending = true;
  const send = async (sender: number) => {
    for (let i = 0; sending; i++) {
      const body = `line ${sender}.${i}`;
      const { status } = await post(client.otlpHttp, 'logs', logsRequest('durable', [body]));
      if (status === 200) acknowledged.push(body);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  const senders = Array.from({ length: 4 }, (_, sender) => send(sender));
  for (const count of [100, 200]) {
    await eventually(async () => (acknowledged.length >= count ? true : undefined), 60_000);
    await store.child.stop('SIGKILL');
    const again = new Child(process.execPath, [
      ...[binary, '--data', store.data, '--port', '0'],
      ...['--otlp-http-port', String(httpPort), '--otlp-grpc-port', String(grpcPort)],
    ]);
    store.child = again;
    store.page = (await again.waitFor(/page\s+(http:\S+)/))[1] ?? '';
  }
  sending = false;
  await Promise.all(senders);
  const counts = await eventually(async () => {
    const found = new Map<string, number>();
    for (const { body } of await allLogs(store)) {
      const line = (body as { stringValue: string }).stringValue;
      found.set(line, (found.get(line) ?? 0) + 1);
    }
    return acknowledged.every((line) => found.has(line)) ? found : undefined;
  }, 60_000);
  for (const line of acknowledged) expect([1, 2], line).toContain(counts.get(line));
});

async function allLogs(
  process: SignalboxProcess,
  conditions: Record<string, string> = {},
): Promise<LogSearchResponse['logs']> {
  const logs: LogSearchResponse['logs'] = [];
  let cursor: string | null | undefined;
  do {
    const page: LogSearchResponse = await process.api('logs', {
      limit: '5000',
      ...conditions,
      ...(cursor ? { cursor } : {}),
    });
    logs.push(...page.logs);
    cursor = page.nextCursor;
  } while (cursor);
  return logs;
}

test('ten times what it can take: memory bounded, refused with a time to come back, nothing acknowledged lost, and quick to recover', async () => {
  const process = await signalbox(`${OTLP.replace('}}}}', '}}, max_in_flight_size: 16MiB}}')}
processors: {memory_limiter: {check_interval: 100ms, limit_mib: 256}}
exporters: {clickhouse: }
service: {pipelines: {logs: {receivers: [otlp], processors: [memory_limiter], exporters: [clickhouse]}}}
`);
  const line = 'x'.repeat(1_000);
  const acknowledged: string[] = [];
  const refusals: { status: number; retryAfter: string | null }[] = [];
  const endsAt = Date.now() + 8_000;
  let peak = 0;
  const send = async (sender: number) => {
    for (let i = 0; Date.now() < endsAt; i++) {
      const id = `${sender}.${i}`;
      const body = JSON.stringify(logsRequest('load', [`id ${id}`, ...Array<string>(1_000).fill(line)]));
      const response = await fetch(`${process.otlpHttp}/v1/logs`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      await response.text();
      if (response.status === 200) acknowledged.push(id);
      else refusals.push({ status: response.status, retryAfter: response.headers.get('retry-after') });
      peak = Math.max(peak, residentMegabytes(process));
    }
  };
  // Each request takes some 4 MB on its way: 64 at once are far more than may be in memory.
  await Promise.all(Array.from({ length: 64 }, (_, sender) => send(sender)));
  expect(acknowledged.length).toBeGreaterThan(0);
  expect(refusals.length).toBeGreaterThan(0);
  for (const refusal of refusals) expect(refusal).toEqual({ status: 429, retryAfter: expect.stringMatching(/^\d+$/) });
  expect(peak).toBeLessThan(1_024);
  await eventually(async () => {
    const { status } = await post(process.otlpHttp, 'logs', logsRequest('after', ['recovered']));
    return status === 200 ? true : undefined;
  });
  await process.child.stop('SIGKILL');
  await signalbox(readFileSync(join(process.data, 'config.yaml'), 'utf8'), process);
  const stored = await idsStored(process);
  for (const id of acknowledged) expect(stored.has(id), id).toBe(true);
});

/** The ids in log lines `id …`. */
async function idsStored(process: SignalboxProcess): Promise<Set<string>> {
  const found = await allLogs(process, { q: 'id' });
  return new Set(found.map(({ body }) => (body as { stringValue: string }).stringValue.replace('id ', '')));
}
