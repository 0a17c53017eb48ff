import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { processIdle, processUsage } from './process-usage.ts';
import { type Row, report } from './report.ts';
import { percentile, send } from './sender.ts';
import { Signalbox } from './signalbox.ts';
import { copiesOf, dense, encodedLogs, encodedSpans, nowNs } from './workload.ts';

export interface IngestOptions {
  millions: number;
  connections: number;
  /** Spans per second of the paced run that follows. */
  pace: number;
  /** Leaves the engine-alone run out. */
  noLimit: boolean;
}

/** How fast spans and logs come in over OTLP/HTTP, what they cost, and beside it the engine alone with our schema. */
export async function ingest(options: IngestOptions): Promise<void> {
  const rows: Row[] = [];
  const spans = Math.min(1, options.millions) * 1e6;
  const requests = encodedSpans(spans, nowNs(), dense);
  const bytes = requests.reduce((sum, { body }) => sum + body.length, 0) / spans;
  console.log(`${requests.length} requests, ${bytes.toFixed(0)} bytes per span on the wire`);
  const signalbox = await new Signalbox().start();
  try {
    rows.push(
      await measure(signalbox, 'spans', options, copiesOf(requests, Math.ceil(options.millions), dense.nsPerMillion)),
    );
    const logs = encodedLogs(spans / 2, nowNs());
    rows.push(await measure(signalbox, 'logs', options, logs));
    const paced = encodedSpans(options.pace * 10, nowNs(), { ...dense, seed: 13 });
    const result = await send(`${signalbox.otlpHttp}/v1/traces`, paced, {
      connections: options.connections,
      recordsPerSecond: options.pace,
    });
    rows.push({
      ...rows[0],
      what: `spans, paced at ${options.pace}/s`,
      'records/s': result.records / result.seconds,
      'CPU-s per million': '',
      'with merges': '',
      'bytes per record': '',
      'peak RSS, MB': processUsage(signalbox.pid).peakRssBytes / 1e6,
      'ack p50, ms': percentile(result.latencies, 0.5),
      'ack p99, ms': percentile(result.latencies, 0.99),
    });
  } finally {
    await signalbox.dispose();
  }
  if (!options.noLimit) rows.push(limit());
  report('ingest', rows);
}

async function measure(
  signalbox: Signalbox,
  signal: 'spans' | 'logs',
  options: IngestOptions,
  requests: Parameters<typeof send>[1],
): Promise<Row> {
  const before = processUsage(signalbox.pid);
  const result = await send(`${signalbox.otlpHttp}/v1/${signal === 'spans' ? 'traces' : 'logs'}`, requests, options);
  const sent = processUsage(signalbox.pid);
  console.log(`${result.records} ${signal} sent in ${result.seconds.toFixed(1)} s; waiting for merges`);
  await processIdle(signalbox.pid);
  const merged = processUsage(signalbox.pid);
  return {
    what: `${signal}, ${options.connections} connections`,
    'records/s': result.records / result.seconds,
    'CPU-s per million': ((sent.cpuSeconds - before.cpuSeconds) * 1e6) / result.records,
    'with merges': ((merged.cpuSeconds - before.cpuSeconds) * 1e6) / result.records,
    'bytes per record': await signalbox.bytesPerRecord(signal),
    'peak RSS, MB': merged.peakRssBytes / 1e6,
    'ack p50, ms': percentile(result.latencies, 0.5),
    'ack p99, ms': percentile(result.latencies, 0.99),
  };
}

function limit(): Row {
  const script = join(import.meta.dirname, 'engine-limit.ts');
  const child = spawnSync(process.execPath, ['--conditions=@signalbox/source', '--import', 'tsx', script], {
    encoding: 'utf8',
    env: { ...process.env, UV_THREADPOOL_SIZE: '16' },
  });
  if (child.status !== 0) throw new Error(`engine-limit: ${child.stderr}${child.stdout}`);
  return JSON.parse(child.stdout.trim().split('\n').at(-1) ?? '') as Row;
}
