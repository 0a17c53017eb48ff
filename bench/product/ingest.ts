import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { EncodedRequest } from '../workload/encode-otlp.ts';
import type { EngineLimit } from './engine-limit.ts';
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
  /** Leaves out the engine alone, which inserts the blocks of spans again. */
  noLimit: boolean;
}

/**
 * How fast spans and logs come in over OTLP/HTTP, what they cost, and beside it the engine alone, inserting the very blocks of the
 * run with spans (groups of the same sizes, into the same schema, with the same small blocks of rates and edges in between).
 */
export async function ingest(options: IngestOptions): Promise<void> {
  const rows: Row[] = [];
  const spans = Math.min(1, options.millions) * 1e6;
  const requests = encodedSpans(spans, nowNs(), dense);
  const bytes = requests.reduce((sum, { body }) => sum + body.length, 0) / spans;
  console.log(`${requests.length} requests, ${bytes.toFixed(0)} bytes per span on the wire`);
  const signalbox = await new Signalbox().start();
  try {
    const blocks = options.noLimit ? undefined : await KeptBlocks.start(signalbox);
    const copies = copiesOf(requests, Math.ceil(options.millions), dense.nsPerMillion);
    const row = await measure(signalbox, 'spans', options, eachMillion(signalbox, copies));
    rows.push(row);
    if (blocks !== undefined) rows.push(limitRow(await blocks.limit(), row));
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
  report('ingest', rows);
}

/** Says of each million spans, while they are taken, how fast they were and what they cost: growth must not show. */
function* eachMillion(signalbox: Signalbox, requests: Iterable<EncodedRequest>): Generator<EncodedRequest> {
  let spans = 0;
  let last = { spans, at: performance.now(), cpuSeconds: processUsage(signalbox.pid).cpuSeconds };
  for (const request of requests) {
    yield request;
    spans += request.records;
    if (spans < last.spans + 1e6) continue;
    const now = { spans, at: performance.now(), cpuSeconds: processUsage(signalbox.pid).cpuSeconds };
    const millions = (now.spans - last.spans) / 1e6;
    const perSecond = ((millions * 1e6) / (now.at - last.at)) * 1e3;
    const cpu = ((now.cpuSeconds - last.cpuSeconds) / millions).toFixed(1);
    console.log(`to ${(spans / 1e6).toFixed(1)} million: ${perSecond.toFixed(0)} spans/s, ${cpu} CPU-s per million`);
    last = now;
  }
}

async function measure(
  signalbox: Signalbox,
  signal: 'spans' | 'logs',
  options: IngestOptions,
  requests: Iterable<EncodedRequest>,
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

/** The blocks that the engine is given while this exists, beside the data folder. */
class KeptBlocks {
  readonly #folder: string;
  readonly #watcher: ChildProcess;

  private constructor(folder: string, watcher: ChildProcess) {
    this.#folder = folder;
    this.#watcher = watcher;
  }

  static async start(signalbox: Signalbox): Promise<KeptBlocks> {
    const folder = `${signalbox.data}-blocks`;
    mkdirSync(folder);
    const script = join(import.meta.dirname, 'kept-blocks.ts');
    const watcher = spawn(process.execPath, [...sources, script, join(signalbox.data, 'tmp'), folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(watcher.stdout, 'data');
    return new KeptBlocks(folder, watcher);
  }

  /** What the engine alone takes for them. */
  async limit(): Promise<EngineLimit> {
    try {
      this.#watcher.kill();
      if (this.#watcher.exitCode === null && this.#watcher.signalCode === null) await once(this.#watcher, 'exit');
      const script = join(import.meta.dirname, 'engine-limit.ts');
      const child = spawnSync(process.execPath, [...sources, script, this.#folder], {
        encoding: 'utf8',
        env: { ...process.env, UV_THREADPOOL_SIZE: '16' },
      });
      if (child.status !== 0) throw new Error(`engine-limit: ${child.stderr}${child.stdout}`);
      return JSON.parse(child.stdout.trim().split('\n').at(-1) ?? '') as EngineLimit;
    } finally {
      rmSync(this.#folder, { recursive: true, force: true });
    }
  }
}

const sources = ['--conditions=@signalbox/source', '--import', 'tsx'];

/** @param product the row of the run whose blocks they were */
function limitRow(limit: EngineLimit, product: Row): Row {
  const spans = limit.rows.spans ?? 0;
  const row: Row = {
    what: 'the engine alone, the same blocks',
    'records/s': spans / limit.seconds,
    'CPU-s per million': (limit.cpuSeconds * 1e6) / spans,
    'with merges': (limit.mergedCpuSeconds * 1e6) / spans,
    'bytes per record': limit.bytesPerSpan,
    'peak RSS, MB': limit.peakRssBytes / 1e6,
    'ack p50, ms': '',
    'ack p99, ms': '',
  };
  const ratio = (column: string) => (Number(product[column]) / Number(row[column])).toFixed(2);
  console.log(`${spans} spans in ${limit.blocks} blocks of all tables, inserted again by the engine alone`);
  console.log(
    `The product takes ${ratio('CPU-s per million')} times its CPU, ${ratio('with merges')} times with merges`,
  );
  return row;
}
