import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SignalboxError } from '../../../pipeline/signalbox-error.ts';
import type { NativeBlock } from '../../native-block.ts';
import { type BlockSet, InsertJournal, type InsertJournalOptions } from './insert-journal.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'signalbox-journal-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** A block whose bytes are its words. */
function block(words: string, earliestMs = 0): NativeBlock {
  const bytes = Buffer.from(words);
  const half = bytes.length >> 1;
  const columns = [{ name: 'words', type: 'String' }];
  return {
    rows: 1,
    earliestMs,
    columns,
    chunks: [bytes.subarray(0, half), bytes.subarray(half)],
    byteLength: bytes.length,
  };
}

/** A table that has what was inserted, each name once, and fails as it is told. */
class FakeTable {
  readonly names: string[] = [];
  readonly inserts: string[][] = [];
  readonly sets: BlockSet[] = [];
  failWith: ((words: readonly string[]) => Error | undefined) | undefined;

  readonly insert = async (set: BlockSet): Promise<void> => {
    const words = await Promise.all(set.files.map((file) => readFile(join(set.folder, file), 'utf8')));
    const error = this.failWith?.(words);
    if (error !== undefined) throw error;
    if (this.names.includes(set.name)) return;
    this.names.push(set.name);
    this.inserts.push(words);
    this.sets.push(set);
  };
}

function journalOf(
  table: FakeTable,
  options: Partial<InsertJournalOptions> = {},
): { journal: InsertJournal; errors: Error[] } {
  const errors: Error[] = [];
  const journal = new InsertJournal({
    folder,
    insert: table.insert,
    onError: (error) => errors.push(error),
    ...options,
  });
  return { journal, errors };
}

const many = (): boolean => true;
const none = (): boolean => false;
const unavailable = (): Error => new SignalboxError('unavailable', 'The disk is full', { retryAfterMs: 1 });

describe('InsertJournal', () => {
  it('has blocks on disk before they are in their table, and inserts them together when they are many', async () => {
    const table = new FakeTable();
    const { journal } = journalOf(table, { maxRows: 3 });
    await journal.append('spans', block('one', 50), many);
    await journal.append('spans', block('two', 30), many);
    expect(table.inserts).toEqual([]);
    const [set = ''] = await readdir(folder);
    const files = await readdir(join(folder, set));
    const onDisk = await Promise.all(files.sort().map((file) => readFile(join(folder, set, file), 'utf8')));
    expect(onDisk).toEqual(['one', 'two']);
    await journal.append('spans', block('three', 40), many);
    await expect.poll(() => table.inserts).toEqual([['one', 'two', 'three']]);
    expect(table.sets[0]).toMatchObject({ table: 'spans', names: 'words', rows: 3, earliestMs: 30, blocks: [] });
    await expect.poll(() => readdir(folder)).toEqual([]);
  });

  it('keeps none waiting for longer than it may', async () => {
    const table = new FakeTable();
    const { journal } = journalOf(table, { maxWaitMs: 20 });
    await journal.append('spans', block('one'), many);
    await journal.append('logs', block('line'), many);
    await expect.poll(() => table.inserts.flat().sort()).toEqual(['line', 'one']);
  });

  it('never puts blocks of different columns into one insert', async () => {
    const table = new FakeTable();
    const { journal } = journalOf(table);
    await journal.append('spans', block('one'), many);
    await journal.append(
      'spans',
      { ...block('other'), columns: [{ name: 'words', type: 'LowCardinality(String)' }] },
      many,
    );
    await journal.flush();
    expect(table.inserts).toEqual([['one'], ['other']]);
  });

  it('lets whoever asks have everything once nobody is sending any more, and not wait while others are', async () => {
    const table = new FakeTable();
    const { journal } = journalOf(table);
    await journal.append('spans', block('one'), many);
    await journal.settle();
    expect(table.inserts).toEqual([]);
    await journal.append('spans', block('two'), none);
    const settled = journal.settle();
    // A moment in which all have their answers: the next comes before it is taken for the end.
    await journal.append('spans', block('three'), none);
    await settled;
    expect(table.inserts).toEqual([]);
    await journal.settle();
    expect(table.inserts).toEqual([['one', 'two', 'three']]);
  });

  it('keeps blocks that are asked for, not the memory that they came in', async () => {
    const table = new FakeTable();
    const { journal } = journalOf(table, { keepsBlocks: (name) => name === 'number_points' });
    const reused = block('points');
    await journal.append('number_points', reused, many);
    for (const chunk of reused.chunks) chunk.fill(0);
    await journal.flush();
    const [kept] = table.sets[0]?.blocks ?? [];
    expect(Buffer.concat(kept?.chunks ?? []).toString()).toBe('points');
  });

  it('tells senders that nothing can be inserted, keeps what it has, and goes on when it can', async () => {
    const table = new FakeTable();
    const { journal, errors } = journalOf(table, { maxRows: 1 });
    table.failWith = unavailable;
    await journal.append('spans', block('acknowledged'), many);
    await expect.poll(() => errors.map(({ message }) => message)).toEqual(['The disk is full']);
    await expect(journal.append('spans', block('refused'), many)).rejects.toMatchObject({ code: 'unavailable' });
    await expect(journal.flush()).rejects.toMatchObject({ code: 'unavailable' });
    // Whoever only reads is not kept from it.
    await journal.settle();
    table.failWith = undefined;
    await journal.append('spans', block('next'), many);
    await journal.flush();
    expect(table.inserts).toEqual([['acknowledged'], ['next']]);
  });

  it('tries again on its own', async () => {
    const table = new FakeTable();
    const { journal, errors } = journalOf(table, { maxRows: 1, retryMs: 5 });
    let failures = 0;
    table.failWith = () => (failures++ < 3 ? unavailable() : undefined);
    await journal.append('spans', block('one'), many);
    await expect.poll(() => table.inserts).toEqual([['one']]);
    expect(errors).toHaveLength(1);
  });

  it('tries again on its own what somebody else has tried in vain', async () => {
    const table = new FakeTable();
    const { journal, errors } = journalOf(table, { retryMs: 5 });
    let failures = 0;
    table.failWith = () => (failures++ < 1 ? unavailable() : undefined);
    await journal.append('spans', block('one'), many);
    await expect(journal.flush()).rejects.toMatchObject({ code: 'unavailable' });
    await expect.poll(() => table.inserts).toEqual([['one']]);
    expect(errors).toHaveLength(1);
  });

  it('refuses a block that it can not write, and has nothing of it', async () => {
    const table = new FakeTable();
    const { journal } = journalOf(table);
    await journal.append('spans', block('one'), many);
    const [set = ''] = await readdir(folder);
    // Its next file is there already.
    await writeFile(join(folder, set, `1-3-${crc32('two')}.native`), 'x');
    await expect(journal.append('spans', block('two'), many)).rejects.toMatchObject({ code: 'internal' });
    await journal.append('spans', block('three'), many);
    await journal.flush();
    expect(table.inserts).toEqual([['one', 'three']]);
  });

  it('keeps aside what the engine refuses for its rows, and inserts the rest of the set', async () => {
    const table = new FakeTable();
    const { journal, errors } = journalOf(table, { refusalMs: 20 });
    let outages = 1;
    table.failWith = (words) => {
      if (words.includes('bad')) return new SignalboxError('internal', 'The store failed');
      return words.includes('last') && outages-- > 0 ? unavailable() : undefined;
    };
    for (const words of ['first', 'bad', 'last']) await journal.append('spans', block(words), many);
    // At first it may be anything, and those who send are asked to come again.
    await expect(journal.flush()).rejects.toMatchObject({ code: 'unavailable', retryable: true });
    expect(table.inserts).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, 30));
    await expect(journal.flush()).rejects.toMatchObject({ code: 'unavailable', message: 'The disk is full' });
    await journal.flush();
    expect(table.inserts.flat().sort()).toEqual(['first', 'last']);
    expect(errors.map(({ message }) => message)).toEqual([
      'What came before can not be stored: The store failed',
      expect.stringMatching(/^Rows of spans .* are kept in /),
    ]);
    const [aside = ''] = await readdir(join(folder, 'refused'));
    expect(await readFile(join(folder, 'refused', aside), 'utf8')).toBe('bad');
    expect(await readdir(folder)).toEqual(['refused']);
  });

  it('lets senders wait when too much waits', async () => {
    const table = new FakeTable();
    const { journal } = journalOf(table, { maxPendingBytes: 3 });
    await journal.append('spans', block('one'), many);
    expect(table.inserts).toEqual([]);
    await journal.append('spans', block('two'), many);
    expect(table.inserts).toEqual([['one']]);
  });
});

describe('what a process left', () => {
  it('is inserted by the next under the same names, without blocks that were being written', async () => {
    const dead = new FakeTable();
    const { journal: left } = journalOf(dead);
    for (const words of ['whole', 'torn', 'changed']) await left.append('spans', block(words), many);
    await left.append('logs', block('line'), many);
    const [logs = '', spans = ''] = (await readdir(folder)).sort();
    const [, torn = '', changed = ''] = (await readdir(join(folder, spans))).sort();
    await truncate(join(folder, spans, torn), 2);
    await writeFile(join(folder, spans, changed), 'chanGed');
    await writeFile(join(folder, spans, 'notes.txt'), 'not ours');

    const table = new FakeTable();
    const { journal, errors } = journalOf(table);
    await journal.recover();
    // Tables do not wait for one another.
    const inserted = table.names.map((name, index) => [name, table.inserts[index]] as const).sort();
    expect(inserted).toEqual([
      [logs, ['line']],
      [spans, ['whole']],
    ]);
    expect(table.sets.map(({ names, earliestMs }) => [names, earliestMs])).toEqual([
      [undefined, Number.NEGATIVE_INFINITY],
      [undefined, Number.NEGATIVE_INFINITY],
    ]);
    expect(errors).toEqual([]);
    expect(await readdir(folder)).toEqual([]);
  });

  it('is inserted in the order in which it came', async () => {
    const { journal: left } = journalOf(new FakeTable(), { insert: () => new Promise(() => {}) });
    for (let set = 0; set < 12; set++) {
      const columns = [{ name: 'words', type: set % 2 === 0 ? 'String' : 'FixedString(2)' }];
      await left.append('spans', { ...block(`${set}`), columns }, many);
    }
    const table = new FakeTable();
    await journalOf(table).journal.recover();
    expect(table.inserts.flat()).toEqual(Array.from({ length: 12 }, (_, set) => `${set}`));
  });

  it('does not keep the next from starting when it can not be inserted yet', async () => {
    const { journal: left } = journalOf(new FakeTable());
    await left.append('spans', block('kept'), many);
    const table = new FakeTable();
    const { journal, errors } = journalOf(table);
    table.failWith = unavailable;
    await journal.recover();
    expect(errors.map(({ message }) => message)).toEqual(['The disk is full']);
    expect(await readdir(folder)).toHaveLength(1);
    table.failWith = undefined;
    await journal.append('spans', block('new'), many);
    await journal.close();
    expect(table.inserts).toEqual([['kept'], ['new']]);
    expect(await readdir(folder)).toEqual([]);
  });
});
