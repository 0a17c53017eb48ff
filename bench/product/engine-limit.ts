// The limit beside the ingest figures: node engine-limit.ts BLOCKS inserts the Native blocks in a folder, which are those of a run
// of the product, in their order, one after the other, by the engine alone into our schema under our engine configuration.
// Prints one line of JSON. Run by ingest.ts.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate } from '../../packages/server/src/store/clickhouse/migrate.ts';
import { openConnection } from '../../packages/server/src/store/open-connection.ts';

export interface EngineLimit {
  blocks: number;
  rows: Record<string, number>;
  seconds: number;
  cpuSeconds: number;
  /** With merges, until the engine is idle. */
  mergedCpuSeconds: number;
  bytesPerSpan: number;
  peakRssBytes: number;
}

interface Insert {
  table: string;
  statement: string;
}

const blocks = process.argv[2] ?? '';
const folder = mkdtempSync(join(tmpdir(), 'signalbox-bench-limit-'));
const connection = await openConnection({ kind: 'embedded', folder: join(folder, 'data') });
await migrate(connection);
const tables = await readTables();
const order = (name: string) => Number.parseInt(name, 10);
const inserts: Insert[] = [];
for (const name of readdirSync(blocks).sort((a, b) => order(a) - order(b)))
  inserts.push(await insertOf(join(blocks, name)));
// What the statements above have cost is not counted.
await idle();
const cpuBefore = cpuSeconds();
const start = performance.now();
for (const { statement } of inserts) await connection.command(statement);
const seconds = (performance.now() - start) / 1000;
const inserted = cpuSeconds() - cpuBefore;
await idle();
const rows: Record<string, number> = {};
for (const table of new Set(inserts.map((insert) => insert.table)))
  rows[table] = Number((await connection.query<[string]>(`SELECT count() FROM ${table}`)).rows[0]?.[0]);
const { rows: parts } = await connection.query<[number]>(
  "SELECT sum(bytes_on_disk) / sum(rows) FROM system.parts WHERE active AND table = 'spans' AND database = currentDatabase()",
);
const limit: EngineLimit = {
  blocks: inserts.length,
  rows,
  seconds,
  cpuSeconds: inserted,
  mergedCpuSeconds: cpuSeconds() - cpuBefore,
  bytesPerSpan: Number(parts[0]?.[0]),
  peakRssBytes: process.resourceUsage().maxRSS * 1024,
};
console.log(JSON.stringify(limit));
await connection.close(2000);
rmSync(folder, { recursive: true, force: true });
process.exit(0);

/** The columns of each table. */
async function readTables(): Promise<Map<string, Set<string>>> {
  const { rows } = await connection.query<[string, string[]]>(
    'SELECT table, groupArray(name) FROM system.columns WHERE database = currentDatabase() GROUP BY table',
  );
  return new Map(rows.map(([table, names]) => [table, new Set(names)]));
}

/** A block says which columns it has, not which table they belong to: the narrowest that has them all. */
async function insertOf(path: string): Promise<Insert> {
  const { rows } = await connection.query<[string, string]>(`DESCRIBE file('${path}', 'Native')`);
  const candidates = [...tables].filter(([, columns]) => rows.every(([name]) => columns.has(name)));
  const table = candidates.sort(([, a], [, b]) => a.size - b.size)[0]?.[0];
  if (table === undefined) throw new Error(`No table has the columns of ${path}`);
  const names = rows.map(([name]) => name).join(', ');
  const structure = rows.map(([name, type]) => `${name} ${type}`).join(', ');
  const settings = 'throw_on_max_partitions_per_insert_block = 0, max_threads = 1, max_insert_threads = 1';
  const file = `file('${path}', 'Native', '${structure.replaceAll("'", "\\'")}')`;
  return { table, statement: `INSERT INTO ${table} (${names}) SELECT ${names} FROM ${file} SETTINGS ${settings}` };
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

async function idle(): Promise<void> {
  for (let quiet = 0, before = cpuSeconds(); quiet < 4; ) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    quiet = cpuSeconds() - before <= 0.03 ? quiet + 1 : 0;
    before = cpuSeconds();
  }
}
