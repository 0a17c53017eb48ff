// One candidate in one process: insert, merge, query; prints one line of JSON. Run by run.ts.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Session } from 'chdb';
import { columnsOf, groups } from './candidates.ts';
import { cpuSeconds, median, mergesIdle, numberOf, openEngine, rowsOf } from './engine.ts';

const [group = '', name = '', files = '', scratch = '', blocksText = '50', copiesText = '1'] = process.argv.slice(2);
const candidate = groups[group]?.[name];
if (candidate === undefined) throw new Error(`no candidate ${group}/${name}`);
const blocks = Number(blocksText);
const copies = Number(copiesText);

rmSync(scratch, { recursive: true, force: true });
mkdirSync(scratch, { recursive: true });
const session = openEngine(scratch);
// An inserted block above 10 MB would otherwise become a wide part, at three times the price (group `part`).
const defaults = ['fsync_after_insert = 1', 'min_level_for_wide_part = 1'];
const given = new Set(candidate.settings.map((setting) => setting.split(' ')[0]));
const settings = [...defaults.filter((setting) => !given.has(setting.split(' ')[0])), ...candidate.settings].join(', ');
const create = (table: string) => {
  session.query(`CREATE TABLE ${table} (${[columnsOf(candidate.form, candidate.declare), ...candidate.indexes].join(',\n')})
    ENGINE = MergeTree PARTITION BY toStartOfInterval(time, INTERVAL 6 HOUR) ORDER BY (${candidate.orderBy}) SETTINGS ${settings}`);
};
create('spans');
create('small');
for (const sql of candidate.extra) session.query(sql);
session.query(`CREATE TABLE resources ENGINE = MergeTree ORDER BY resource_id AS
  SELECT DISTINCT resource_id, rs AS resource_string, ri AS resource_int FROM file('${join(files, '..', 'canonical-0.native')}', Native)`);

// ---- insert
const file = (block: number) => join(files, `${block}.native`);
const cpu0 = cpuSeconds();
const start = performance.now();
for (let copy = 0; copy < copies; copy++) {
  // Further copies of the million are moved in time and given trace ids of their own.
  const columns =
    copy === 0
      ? '*'
      : `* REPLACE (time + INTERVAL ${copy * 2} HOUR AS time, toFixedString(concat(char(${copy}), substring(trace_id, 2)), 16) AS trace_id)`;
  for (let block = 0; block < blocks; block++) {
    session.query(`INSERT INTO spans SELECT ${columns} FROM file('${file(block)}', Native)`);
    // Lets background merges run as they would between a server's inserts.
    await new Promise((resolve) => setImmediate(resolve));
  }
}
const insertMs = performance.now() - start;
const cpu1 = cpuSeconds();
await mergesIdle(session);
const parts = numberOf(session, "SELECT count() FROM system.parts WHERE active AND table = 'spans'");
session.query('OPTIMIZE TABLE spans FINAL');
await mergesIdle(session);
const cpu2 = cpuSeconds();
const millions = numberOf(session, 'SELECT count() FROM spans') / 1e6;
const bytes = numberOf(
  session,
  "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND table NOT IN ('small', 'resources')",
);
const rss = process.memoryUsage().rss / 1e6;

// ---- what a quiet service costs: an insert a second of a hundred rows
const cpu3 = cpuSeconds();
for (let i = 0; i < 40; i++)
  session.query(`INSERT INTO small SELECT * FROM file('${join(files, 'small.native')}', Native)`);
await mergesIdle(session);
const smallInsertCpuMs = ((cpuSeconds() - cpu3) * 1000) / 40;
session.query('DROP TABLE small SYNC');

// ---- queries
const { lookup } = candidate.form;
const [traceId, last] = rowsOf(
  session,
  "SELECT hex(argMin(trace_id, cityHash64(trace_id))), toString(max(time)) FROM spans WHERE name = 'POST /checkout'",
)[0] as [string, string];
const hour = `time > toDateTime64('${last}', 9, 'UTC') - INTERVAL 1 HOUR`;
const [from, to] = candidate.traceTimes
  ? (rowsOf(session, `${candidate.traceTimes} unhex('${traceId}')`)[0] as [string, string])
  : [];
const narrow =
  from === undefined ? '' : `AND time >= toDateTime('${from}', 'UTC') AND time < toDateTime('${to}', 'UTC') + 1`;
const summary = 'time, hex(trace_id), hex(span_id), service, name, duration, status_code';
const newest = 'ORDER BY time DESC LIMIT 50';
const queries: Record<string, string> = {
  rare: `SELECT count() FROM spans WHERE ${lookup.string('enduser.id')} = 'user-123456'`,
  common: `SELECT count() FROM spans WHERE ${lookup.string('http.request.method')} = 'POST'`,
  range: `SELECT count() FROM spans WHERE ${lookup.int('http.response.status_code')} >= 500`,
  exists: `SELECT count() FROM spans WHERE ${lookup.stringExists('session.id')}`,
  newest: `SELECT ${summary} FROM spans WHERE ${hour} AND ${lookup.string('http.request.method')} = 'POST' ${newest}`,
  newestRare: `SELECT ${summary} FROM spans WHERE ${hour} AND ${lookup.string('app.tenant')} = 'tenant-290' ${newest}`,
  newestService: `SELECT ${summary} FROM spans WHERE ${hour} AND service = 'checkout' AND status_code = 2 ${newest}`,
  newestAll: `SELECT ${summary} FROM spans WHERE ${hour} ${newest}`,
  slowest: `SELECT ${summary} FROM spans WHERE ${hour} AND duration > 400000000 ${newest}`,
  p95: `SELECT toStartOfMinute(time) AS t, service, name, quantile(0.95)(duration) FROM spans WHERE ${hour} GROUP BY t, service, name`,
  values: `SELECT ${lookup.string('http.route')} AS v, count() FROM spans GROUP BY v ORDER BY count() DESC LIMIT 20`,
  keys: candidate.form.keys,
  resource: `SELECT count() FROM spans WHERE ${candidate.form.resource('host.name', 'node-1.eu-central-1.compute.internal')}`,
  trace: `SELECT * FROM spans WHERE trace_id = unhex('${traceId}') ${narrow}`,
};
if (candidate.indexes.some((index) => index.includes('text(')))
  queries.rare = `SELECT count() FROM spans WHERE has(mapValues(attributes_string), 'user-123456') AND ${lookup.string('enduser.id')} = 'user-123456'`;
else if (candidate.indexes.some((index) => index.includes('mapValues')))
  queries.rare = `SELECT count() FROM spans WHERE has(mapValues(attributes_string), 'user-123456') AND ${lookup.string('enduser.id')} = 'user-123456'`;

const times: Record<string, { cold: number; warm: number; cpu: number; rows: number }> = {};
for (const [query, sql] of Object.entries(queries)) times[query] = time(session, sql);

function time(session: Session, sql: string): { cold: number; warm: number; cpu: number; rows: number } {
  for (const cache of ['MARK', 'UNCOMPRESSED', 'PRIMARY INDEX']) session.query(`SYSTEM DROP ${cache} CACHE`);
  const once = () => {
    const cpu = cpuSeconds();
    const at = performance.now();
    const rows = session.query(sql, 'JSONCompactEachRow').split('\n').length - 1;
    return { ms: performance.now() - at, cpu: (cpuSeconds() - cpu) * 1000, rows };
  };
  const cold = once();
  const warm = Array.from({ length: 7 }, once);
  return {
    cold: cold.ms,
    warm: median(warm.map((run) => run.ms)),
    cpu: median(warm.map((run) => run.cpu)),
    rows: cold.rows,
  };
}

const result = {
  group,
  name,
  insertCpu: (cpu1 - cpu0) / millions,
  mergedCpu: (cpu2 - cpu0) / millions,
  rowsPerSecond: (millions * 1e9) / insertMs,
  parts,
  bytesPerSpan: bytes / 1e6 / millions,
  smallInsertCpuMs,
  rss,
  rssEnd: process.memoryUsage().rss / 1e6,
  times,
};
console.log(JSON.stringify(result));
session.close();
rmSync(scratch, { recursive: true, force: true });
