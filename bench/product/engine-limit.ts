// The limit beside the ingest figures: the same million spans, already encoded as Native blocks, inserted by the engine
// alone into our schema under our engine configuration. Prints one line of JSON. Run by ingest.ts.
import { closeSync, mkdtempSync, openSync, rmSync, writevSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_DECODE_LIMITS, decodeTraces } from '@signalbox/otlp';
import { insertColumns } from '../../packages/server/src/store/clickhouse/insert-columns.ts';
import { migrate } from '../../packages/server/src/store/clickhouse/migrate.ts';
import { KnownKeys } from '../../packages/server/src/store/clickhouse/native/known-keys.ts';
import { SpanEncoder } from '../../packages/server/src/store/clickhouse/native/span-encoder.ts';
import { TimeBounds } from '../../packages/server/src/store/clickhouse/native/time-bounds.ts';
import { openConnection } from '../../packages/server/src/store/open-connection.ts';
import { dense, encodedSpans, nowNs } from './workload.ts';

const cpu = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};
const folder = mkdtempSync(join(tmpdir(), 'signalbox-bench-limit-'));
const encoder = new SpanEncoder(new KnownKeys(10_000), new TimeBounds(Date.now, 7 * 86_400_000));
const files: { path: string; names: string; structure: string }[] = [];
const requests = encodedSpans(1_000_000, nowNs(), dense);
let spans = 0;
let decodeSeconds = 0;
let encodeSeconds = 0;
for (const [index, { body }] of requests.entries()) {
  const start = cpu();
  const { batch } = decodeTraces(body, 'protobuf', DEFAULT_DECODE_LIMITS);
  const decoded = cpu();
  encoder.append(batch);
  decodeSeconds += decoded - start;
  encodeSeconds += cpu() - decoded;
  if (encoder.rows < 20_000 && index < requests.length - 1) continue;
  for (const { table, block } of encoder.blocks()) {
    if (table !== 'spans') continue;
    const path = join(folder, `${files.length}.native`);
    const file = openSync(path, 'w');
    for (let at = 0; at < block.chunks.length; at += 500) writevSync(file, block.chunks.slice(at, at + 500));
    closeSync(file);
    files.push({ path, ...insertColumns(block) });
  }
  spans += encoder.rows;
  encoder.reset();
}
const connection = await openConnection({ kind: 'embedded', folder: join(folder, 'data') });
await migrate(connection);
const cpuBefore = cpu();
const start = performance.now();
const latencies: number[] = [];
for (const { path, names, structure } of files) {
  const from = performance.now();
  await connection.command(
    `INSERT INTO spans (${names}) SELECT ${names} FROM file('${path}', 'Native', '${structure.replaceAll("'", "\\'")}') SETTINGS max_threads = 1, max_insert_threads = 1`,
  );
  latencies.push(performance.now() - from);
}
const seconds = (performance.now() - start) / 1000;
const inserted = cpu() - cpuBefore;
for (let quiet = 0, before = cpu(); quiet < 4; ) {
  await new Promise((resolve) => setTimeout(resolve, 500));
  quiet = cpu() - before <= 0.03 ? quiet + 1 : 0;
  before = cpu();
}
const merged = cpu() - cpuBefore;
const { rows } = await connection.query(
  "SELECT sum(bytes_on_disk) / sum(rows) FROM system.parts WHERE active AND table = 'spans' AND database = currentDatabase()",
);
latencies.sort((a, b) => a - b);
console.log(
  JSON.stringify({
    what: `the engine alone (decode ${((decodeSeconds * 1e6) / spans).toFixed(2)} and encode ${((encodeSeconds * 1e6) / spans).toFixed(2)} CPU-s per million besides)`,
    'records/s': spans / seconds,
    'CPU-s per million': (inserted * 1e6) / spans,
    'with merges': (merged * 1e6) / spans,
    'bytes per record': Number((rows[0] as unknown[])[0]),
    'peak RSS, MB': process.resourceUsage().maxRSS / 1000,
    'ack p50, ms': latencies[latencies.length >> 1],
    'ack p99, ms': latencies.at(-1),
  }),
);
await connection.close(2000);
rmSync(folder, { recursive: true, force: true });
process.exit(0);
