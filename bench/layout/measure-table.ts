// One candidate of tables.ts in one process; prints one line of JSON. Run by run-tables.ts.
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cpuSeconds, median, mergesIdle, numberOf, openEngine, rowsOf } from './engine.ts';
import { tableGroups } from './tables.ts';

const [groupName = '', name = '', folder = ''] = process.argv.slice(2);
const group = tableGroups[groupName];
const candidate = group?.candidates[name];
if (group === undefined || candidate === undefined) throw new Error(`no candidate ${groupName}/${name}`);
const blocks = 50;
const files = join(folder, 'data', groupName);
const scratch = join(folder, 'engine');
rmSync(scratch, { recursive: true, force: true });
mkdirSync(files, { recursive: true });
const session = openEngine(scratch);
for (let block = 0; block < blocks; block++) {
  const path = join(files, `${block}.native`);
  if (!existsSync(path)) session.query(`INSERT INTO FUNCTION file('${path}', Native) ${group.rows(block)}`);
}
session.query(`CREATE TABLE t (${candidate.columns}) ENGINE = MergeTree PARTITION BY toStartOfInterval(time, INTERVAL 6 HOUR)
  ORDER BY (${candidate.orderBy}) SETTINGS fsync_after_insert = 1, min_level_for_wide_part = 1`);
const cpu = cpuSeconds();
for (let block = 0; block < blocks; block++) {
  session.query(`INSERT INTO t SELECT * FROM file('${join(files, `${block}.native`)}', Native)`);
  await new Promise((resolve) => setImmediate(resolve));
}
const inserted = cpuSeconds() - cpu;
await mergesIdle(session);
session.query('OPTIMIZE TABLE t FINAL');
await mergesIdle(session);
const merged = cpuSeconds() - cpu;
const bytesPerRow = numberOf(session, 'SELECT sum(bytes_on_disk) / sum(rows) FROM system.parts WHERE active');
const columns = rowsOf(
  session,
  'SELECT column, round(sum(column_data_compressed_bytes) / sum(rows), 2) FROM system.parts_columns WHERE active GROUP BY column',
);
const rare = String(rowsOf(session, 'SELECT lower(hex(cityHash64(654321, 11)))')[0]?.[0]);
const times = Object.fromEntries(
  Object.entries(group.queries).map(([query, sql]) => {
    const text = sql.replaceAll('{rare}', rare);
    const runs = Array.from({ length: 7 }, () => {
      const at = performance.now();
      session.query(text, 'JSONCompactEachRow');
      return performance.now() - at;
    });
    return [query, median(runs)];
  }),
);
console.log(
  JSON.stringify({
    name,
    inserted,
    merged,
    bytesPerRow,
    columns: Object.fromEntries(columns as [string, number][]),
    times,
  }),
);
session.close();
rmSync(scratch, { recursive: true, force: true });
