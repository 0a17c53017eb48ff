import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore } from './open-store.ts';
import type { RedRow } from './span-metrics-row.ts';

const CHILD = fileURLToPath(new URL('testing/store-child.ts', import.meta.url));

let folder: string;
const children: ChildProcessByStdio<null, Readable, null>[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'signalbox-durability-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill('SIGKILL');
  }
  await rm(folder, { recursive: true, force: true });
});

function start(what: string): { child: ChildProcessByStdio<null, Readable, null>; lines: string[] } {
  const child = spawn(process.execPath, ['--import', 'tsx', '--conditions', '@signalbox/source', CHILD, folder, what], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, UV_THREADPOOL_SIZE: '16' },
  });
  children.push(child);
  const lines: string[] = [];
  createInterface(child.stdout).on('line', (line) => lines.push(line));
  return { child, lines };
}

describe('a data folder', () => {
  it('has every acknowledged row after kill -9', async () => {
    const acknowledged = new Set<string>();
    for (let round = 0; round < 2; round++) {
      const { child, lines } = start('ingest');
      const from = 20 + round * 33;
      await expect.poll(() => lines.length, { timeout: 15_000 }).toBeGreaterThan(from);
      child.kill('SIGKILL');
      await once(child, 'close');
      // A line may be cut in its middle.
      for (const line of lines.slice(1, -1)) {
        acknowledged.add(line);
      }
    }
    await writeFile(join(folder, 'tmp', 'left-over.native'), 'junk');
    const store = await openStore({ connection: { kind: 'embedded', folder }, retentionIntervalMs: 0 });
    try {
      for (const table of ['spans', 'logs', 'series', 'number_points', 'resources', 'red']) {
        const column = table === 'number_points' ? 'metric_name' : 'service';
        const { rows } = await store.connection.query<[string]>(`SELECT DISTINCT ${column} FROM ${table}`);
        const stored = new Set(rows.map(([service]) => service));
        expect([table, [...acknowledged].filter((name) => !stored.has(name))]).toEqual([table, []]);
      }
      expect(acknowledged.size).toBeGreaterThan(20);
      expect(await readdir(join(folder, 'tmp'))).toEqual([]);
    } finally {
      await store.shutdown(2_000);
    }
  }, 60_000);

  it('has every acknowledged row once after kill -9 while so many come in that they wait in files', async () => {
    let acknowledged = 0;
    for (let round = 0; round < 2; round++) {
      const { child, lines } = start('flood');
      const journal = join(folder, 'journal');
      const waiting = async (): Promise<number> => (await readdir(journal).catch(() => [])).length;
      await expect.poll(waiting, { timeout: 20_000, interval: 20 }).toBeGreaterThan(0);
      // Somewhere in the life of a set.
      await new Promise((resolve) => setTimeout(resolve, 500 + Math.random() * 1_000));
      await expect.poll(waiting, { timeout: 5_000, interval: 1 }).toBeGreaterThan(0);
      child.kill('SIGKILL');
      await once(child, 'close');
      acknowledged += lines.length - 2;
      const store = await openStore({ connection: { kind: 'embedded', folder }, retentionIntervalMs: 0 });
      try {
        expect(await waiting()).toBe(0);
        const { rows } = await store.connection.query<[string, string]>(
          `SELECT service, count() FROM spans GROUP BY service`,
        );
        const stored = new Map(rows);
        const wrong = lines.slice(1, -1).filter((service) => stored.get(service) !== '500');
        expect(wrong).toEqual([]);
        await store.connection.command('TRUNCATE TABLE spans');
      } finally {
        await store.shutdown(2_000);
      }
    }
    expect(acknowledged).toBeGreaterThan(40);
  }, 60_000);

  it('stays with the process that has it: another is told so', async () => {
    const store = await openStore({ connection: { kind: 'embedded', folder }, retentionIntervalMs: 0 });
    try {
      // What the first has on its way must survive the second's attempt.
      await writeFile(join(folder, 'tmp', 'on-its-way.native'), 'x');
      const { child, lines } = start('open');
      await once(child, 'close');
      expect(lines).toEqual([`The data folder ${folder} is in use by process ${process.pid}`]);
      expect(child.exitCode).toBe(1);
      expect(await readdir(join(folder, 'tmp'))).toEqual(['on-its-way.native']);
      expect((await store.connection.query('SELECT 1')).rows).toEqual([[1]]);
    } finally {
      await store.shutdown(2_000);
    }
  }, 30_000);

  it('is let go within 5 s of SIGTERM in the middle of a long query', async () => {
    const { child, lines } = start('query');
    await expect.poll(() => lines, { timeout: 15_000 }).toEqual(['open']);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const begin = performance.now();
    child.kill('SIGTERM');
    await once(child, 'close');
    expect(performance.now() - begin).toBeLessThan(5_000);
    expect(child.exitCode).toBe(0);
    expect(lines[1]).toBe('The query was cancelled');
  }, 30_000);
});

/** A file system of 64 MB, or why there is none. */
function smallDisk(at: string): string | undefined {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', at], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return `tmpfs can't be mounted here: ${(error as Error).message.split('\n')[0]}`;
  }
}

describe('a full disk', () => {
  it('fails inserts with a word to come again, lets reads go on, and is over when there is room', async (context) => {
    const disk = join(folder, 'disk');
    await mkdir(disk);
    const reason = smallDisk(disk);
    if (reason !== undefined) {
      context.skip(reason);
    }
    try {
      const store = await openStore({ connection: { kind: 'embedded', folder: disk }, retentionIntervalMs: 0 });
      try {
        const row = (name: string): RedRow => ({
          time: Math.floor(Date.now() / 1000),
          service: 'service',
          name,
          kind: 1,
          entry: true,
          error: false,
          count: 1,
          durationSum: 1,
          durationMax: 1,
          buckets: new Map(),
        });
        await store.red.consume([row('before')]);
        const filler = join(disk, 'filler');
        // To the last page.
        for (const size of [1 << 20, 1 << 12]) {
          const piece = Buffer.alloc(size);
          await expect(
            (async () => {
              for (let i = 0; i < 100; i++) {
                await writeFile(filler, piece, { flag: 'a' });
              }
            })(),
          ).rejects.toMatchObject({ code: 'ENOSPC' });
        }
        const big = Array.from({ length: 2_000 }, (_, i) => row(`operation ${i} ${'x'.repeat(50)}`));
        await expect(store.red.consume(big)).rejects.toMatchObject({ code: 'unavailable', retryable: true });
        expect((await store.connection.query('SELECT count() FROM red')).rows).toEqual([['1']]);
        await rm(filler);
        await store.red.consume(big);
        expect((await store.connection.query('SELECT count() FROM red')).rows).toEqual([['2001']]);
      } finally {
        await store.shutdown(2_000);
      }
    } finally {
      execFileSync('umount', ['-l', disk]);
    }
  }, 60_000);
});
