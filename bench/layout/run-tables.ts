// The tables for logs and points in docs/adr/0001-attribute-layout.md:
//   npx tsx bench/layout/run-tables.ts [--folder /tmp/signalbox-layout] [--rounds 3] [logs points]
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { median } from './engine.ts';
import { tableGroups } from './tables.ts';

interface Result {
  inserted: number;
  merged: number;
  bytesPerRow: number;
  columns: Record<string, number>;
  times: Record<string, number>;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { folder: { type: 'string', default: '/tmp/signalbox-layout' }, rounds: { type: 'string', default: '3' } },
});
for (const groupName of positionals.length > 0 ? positionals : Object.keys(tableGroups)) {
  const group = tableGroups[groupName];
  if (group === undefined) throw new Error(`no group ${groupName}`);
  const results = new Map<string, Result[]>(Object.keys(group.candidates).map((name) => [name, []]));
  for (let round = 0; round < Number(values.rounds); round++)
    for (const [name, all] of results) {
      const script = join(import.meta.dirname, 'measure-table.ts');
      const child = spawnSync(process.execPath, ['--import', 'tsx', script, groupName, name, values.folder], {
        encoding: 'utf8',
      });
      if (child.status === 0) all.push(JSON.parse(child.stdout.trim().split('\n').at(-1) ?? '') as Result);
      else console.error(`${groupName}/${name} failed: ${child.stderr.slice(0, 800)}`);
    }
  const queries = Object.keys(group.queries);
  console.log(
    `\n| ${groupName} | CPU-s/M insert | + merges | B/row | ${queries.map((q) => `${q}, ms`).join(' | ')} | largest columns, B/row |`,
  );
  console.log(`|${' --- |'.repeat(queries.length + 5)}`);
  for (const [name, all] of results) {
    const of = (pick: (result: Result) => number) => median(all.map(pick));
    const largest = Object.entries(all[0]?.columns ?? {})
      .sort((a, b) => b[1] - a[1])
      .slice(0, 4)
      .map(([column, bytes]) => `${column} ${bytes}`);
    console.log(
      `| ${name} | ${of((r) => r.inserted).toFixed(2)} | ${of((r) => r.merged).toFixed(2)} | ${of((r) => r.bytesPerRow).toFixed(1)} | ${queries
        .map((query) => of((r) => r.times[query] ?? Number.NaN).toFixed(1))
        .join(' | ')} | ${largest.join(', ')} |`,
    );
  }
}
