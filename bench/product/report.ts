import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';

/** Rows of a table; every row has the same columns. */
export type Row = Record<string, string | number>;

/** Prints the table and keeps it, with where and when it was measured, in bench/results. */
export function report(name: string, rows: Row[]): void {
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.version}, load ${loadavg()[0]?.toFixed(1)}`;
  const columns = Object.keys(rows[0] ?? {});
  const cell = (value: string | number | undefined) =>
    typeof value === 'number'
      ? Math.abs(value) >= 100
        ? Math.round(value).toLocaleString('en')
        : value.toFixed(1)
      : (value ?? '');
  console.log(`\n${name}: ${new Date().toISOString().slice(0, 16)}Z, ${machine}\n`);
  console.log(`| ${columns.join(' | ')} |\n|${' --- |'.repeat(columns.length)}`);
  for (const row of rows) console.log(`| ${columns.map((column) => cell(row[column])).join(' | ')} |`);
  const folder = join(import.meta.dirname, '../results');
  mkdirSync(folder, { recursive: true });
  const time = new Date().toISOString();
  writeFileSync(
    join(folder, `${name}-${time.replaceAll(/\D/g, '')}.json`),
    JSON.stringify({ name, time, machine, commit: commit(), rows }, null, 2),
  );
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8', cwd: import.meta.dirname }).trim();
  } catch {
    return 'unknown';
  }
}
