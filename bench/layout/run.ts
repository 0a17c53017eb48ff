// Regenerates the tables of docs/adr/0001-attribute-layout.md:
//   npx tsx bench/layout/run.ts [--folder /tmp/signalbox-layout] [--rounds 3] [--copies 1] [--only text] [group …]
// Groups: layout, order, index, codec (see candidates.ts). Candidates run in turn, round after round, each in a process
// of its own, so that a busy minute on the machine touches all of them; the tables hold medians over the rounds.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { groups } from './candidates.ts';
import { blockRows } from './dataset.ts';
import { median } from './engine.ts';

interface Result {
  group: string;
  name: string;
  insertCpu: number;
  mergedCpu: number;
  rowsPerSecond: number;
  parts: number;
  bytesPerSpan: number;
  smallInsertCpuMs: number;
  rss: number;
  rssEnd: number;
  times: Record<string, { cold: number; warm: number; cpu: number; rows: number }>;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    folder: { type: 'string', default: '/tmp/signalbox-layout' },
    rounds: { type: 'string', default: '3' },
    copies: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
  },
});
const spans = 1_000_000;
const folder = values.folder;
mkdirSync(folder, { recursive: true });
const chosen = positionals.length > 0 ? positionals : Object.keys(groups);

const run = (script: string, args: string[]): string => {
  const child = spawnSync(process.execPath, ['--import', 'tsx', join(import.meta.dirname, script), ...args], {
    encoding: 'utf8',
    maxBuffer: 1e8,
  });
  if (child.status !== 0) throw new Error(`${script} ${args.join(' ')}: ${child.stderr}${child.stdout}`);
  return child.stdout;
};

for (const group of chosen) {
  const candidates = Object.entries(groups[group] ?? {}).filter(([name]) => new RegExp(values.only).test(name));
  if (candidates.length === 0) throw new Error(`no group ${group}`);
  const data = join(folder, 'data');
  run('convert.ts', [data, String(spans), ...new Set(candidates.map(([, { formName }]) => formName))]);
  const results = new Map<string, Result[]>(candidates.map(([name]) => [name, []]));
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [name, { formName }] of candidates) {
      try {
        const text = run('measure.ts', [
          group,
          name,
          join(data, formName),
          join(folder, 'engine'),
          String(spans / blockRows),
          values.copies,
        ]);
        results.get(name)?.push(JSON.parse(text.trim().split('\n').at(-1) ?? '') as Result);
      } catch (error) {
        console.error(`${group}/${name} failed: ${error instanceof Error ? error.message.slice(0, 600) : error}`);
      }
    }
    print(group, results);
  }
  writeFileSync(join(folder, `${group}-${values.copies}.json`), JSON.stringify([...results.values()].flat(), null, 1));
}

function print(group: string, results: Map<string, Result[]>): void {
  const queries = Object.keys([...results.values()].flat()[0]?.times ?? {});
  const header = ['CPU-s/M insert', '+ merges', 'k rows/s', 'B/span', 'CPU-ms/small insert', 'RSS MB', ...queries];
  console.log(
    `\n| ${group} (medians of ${[...results.values()][0]?.length} rounds, ${values.copies} M spans; queries: warm ms (CPU ms, cold ms)) | ${header.join(' | ')} |`,
  );
  console.log(`|${' --- |'.repeat(header.length + 1)}`);
  for (const [name, all] of results) {
    if (all.length === 0) continue;
    const of = (pick: (result: Result) => number) => median(all.map(pick));
    const cells = [
      of((r) => r.insertCpu).toFixed(2),
      of((r) => r.mergedCpu).toFixed(2),
      (of((r) => r.rowsPerSecond) / 1000).toFixed(0),
      of((r) => r.bytesPerSpan).toFixed(1),
      of((r) => r.smallInsertCpuMs).toFixed(1),
      of((r) => r.rss).toFixed(0),
      ...queries.map((q) => {
        const part = (key: 'warm' | 'cpu' | 'cold') => of((r) => r.times[q]?.[key] ?? Number.NaN).toFixed(0);
        return `${part('warm')} (${part('cpu')}, ${part('cold')})`;
      }),
    ];
    console.log(`| ${name} | ${cells.join(' | ')} |`);
  }
}
