import { randomInt } from 'node:crypto';
import { closeSync, fdatasync, fsync, mkdirSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import { SignalboxError } from '../../../pipeline/signalbox-error.ts';
import type { WrittenMetric } from '../../metric-changes.ts';
import type { NativeBlock } from '../../native-block.ts';
import { isAboutTheRows, STORE_RETRY_MS, translateEngineError } from '../engine-error.ts';
import { insertColumns } from '../insert-columns.ts';
import { writeChunks } from './write-chunks.ts';

/** Files of blocks that go into a table together. */
export interface BlockSet {
  readonly table: string;
  /** No other set has it, in any process. A set that is inserted a second time by the same name, with the same files, is there already. */
  readonly name: string;
  readonly folder: string;
  readonly files: string[];
  /** Column names; undefined: of a set that another process left, the files say them. */
  readonly names: string | undefined;
  readonly rows: number;
  /** No row is of an earlier time, in ms since 1970. */
  readonly earliestMs: number;
  /** Of rows of `series`: the metrics that they are of, perhaps several times; undefined: that is not known. */
  readonly metrics: readonly WrittenMetric[] | undefined;
  /** The blocks themselves, if they were asked for. */
  readonly blocks: readonly NativeBlock[];
}

export interface InsertJournalOptions {
  /** Of the journal alone; made if missing. */
  readonly folder: string;
  /** Inserts the files at once; resolves when the rows are durable in the table. */
  insert(set: BlockSet): Promise<void>;
  /** Whether blocks of the table must be there when they are inserted. */
  keepsBlocks?(table: string): boolean;
  /** Told what goes wrong while nobody waits. */
  onError(error: SignalboxError): void;
  /** A set of so many rows, or bytes, is inserted without waiting for more. */
  readonly maxRows?: number;
  readonly maxBytes?: number;
  /** How long rows wait at most, in ms. */
  readonly maxWaitMs?: number;
  /** Bytes of a table that may wait; beyond, whoever brings more waits. */
  readonly maxPendingBytes?: number;
  /** How long after a failure it is tried again, in ms. */
  readonly retryMs?: number;
  /** How long the engine may refuse a set until its rows are taken to be the reason, and not, say, the disk, in ms. */
  readonly refusalMs?: number;
}

interface OpenSet extends BlockSet {
  readonly structure: string;
  readonly blocks: NativeBlock[];
  /** Of the folder, whose entries are synced as well. */
  readonly descriptor: number;
  readonly appends: Set<Promise<unknown>>;
  readonly timer: NodeJS.Timeout;
  rows: number;
  bytes: number;
  earliestMs: number;
  metrics: readonly WrittenMetric[] | undefined;
  nextFile: number;
  /** The folder itself survives a crash. */
  isSynced: boolean;
}

/** A set that nothing is added to any more. */
interface SealedSet {
  /** Rejects never. */
  readonly ready: Promise<BlockSet>;
  readonly folder: string;
  readonly bytes: () => number;
  /** When the engine first refused it; a clock of this process, in ms. */
  refusedAt: number | undefined;
}

/** What waits of one table. */
interface Waiting {
  open: OpenSet | undefined;
  readonly sealed: SealedSet[];
  bytes: number;
  /** Blocks so far. */
  appended: number;
  writing: Promise<void> | undefined;
  failure: SignalboxError | undefined;
  retry: NodeJS.Timeout | undefined;
  more: () => boolean;
}

/**
 * Blocks that are durable and not in their table yet. While many come in, an insert for each group of requests, and the merges of all those
 * small parts, are most of what the engine has to do; so the groups are synced to files, which is all that their senders wait for, and
 * those of up to a second enter the table by one insert.
 *
 * A folder is a set of blocks; files have a checksum in their name: one without was being written when the process died, and nobody was told
 * that it is durable. What a process left the next one inserts, by the same name, before anything else (ADR 10).
 */
export class InsertJournal {
  readonly #options: Required<InsertJournalOptions>;
  readonly #tables = new Map<string, Waiting>();
  /** Of this process; a clock may be set back. */
  readonly #id = `${Date.now()}-${randomInt(2 ** 32)}`;
  #nextSet = 0;
  #closed = false;

  constructor(options: InsertJournalOptions) {
    this.#options = {
      keepsBlocks: () => false,
      maxRows: 65_536,
      maxBytes: 24 * 1024 * 1024,
      maxWaitMs: 1_000,
      maxPendingBytes: 96 * 1024 * 1024,
      retryMs: 1_000,
      refusalMs: 30_000,
      ...options,
    };
    mkdirSync(options.folder, { recursive: true });
  }

  /**
   * Resolves when the block is durable. Rejects when it can not be written, or when those before it can not be inserted.
   * @param more whether others are on their way
   */
  async append(table: string, block: NativeBlock, more: () => boolean): Promise<void> {
    const waiting = this.#waitingOf(table);
    waiting.more = more;
    waiting.appended++;
    await this.#makeRoom(waiting);
    const { names, structure } = insertColumns(block);
    if (waiting.open !== undefined && waiting.open.structure !== structure) this.#sealAndInsert(waiting);
    waiting.open ??= this.#openSet(table, names, structure, waiting);
    const set = waiting.open;
    const append = this.#write(set, block);
    set.appends.add(append);
    waiting.bytes += block.byteLength;
    try {
      await append;
    } catch (error) {
      waiting.bytes -= block.byteLength;
      throw error;
    } finally {
      set.appends.delete(append);
    }
    const { maxRows, maxBytes } = this.#options;
    if (waiting.open === set && (set.rows >= maxRows || set.bytes >= maxBytes)) this.#sealAndInsert(waiting);
  }

  /**
   * Inserts what waits of tables to which nobody is sending: whoever asks now may have waited for all answers. While others go on, nobody
   * knows what is there yet.
   */
  async settle(): Promise<void> {
    // What can not be inserted is tried again elsewhere; what is there can be read.
    const quiet = [...this.#tables.values()].filter(
      (waiting) => isWaiting(waiting) && waiting.failure === undefined && !waiting.more(),
    );
    await Promise.allSettled(quiet.map((waiting) => this.#flushIfQuiet(waiting)));
  }

  /** Inserts what waits, and rejects when that is not possible. */
  async flush(): Promise<void> {
    await Promise.all([...this.#tables.values()].map((waiting) => this.#flush(waiting)));
  }

  /** Inserts what waits. What can not be inserted stays in its files, for the next process. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled([...this.#tables.values()].map((waiting) => this.#flush(waiting)));
    for (const { retry } of this.#tables.values()) clearTimeout(retry);
  }

  /** Inserts what another process left. What can not be inserted now is tried again, like what comes later. */
  async recover(): Promise<void> {
    const { folder } = this.#options;
    const names = readdirSync(folder).sort(byNumbers);
    for (const name of names) if (name.endsWith(DONE)) rmSync(join(folder, name), { recursive: true, force: true });
    for (const name of names.filter((other) => SET_NAME.test(other))) {
      const path = join(folder, name);
      const files = readdirSync(path).filter((file) => isWhole(path, file));
      const table = SET_NAME.exec(name)?.[1] ?? '';
      const unknown = { names: undefined, rows: 0, earliestMs: Number.NEGATIVE_INFINITY, metrics: undefined };
      const set = { ...unknown, table, name, folder: path, files, blocks: [] };
      this.#waitingOf(table).sealed.push({
        ready: Promise.resolve(set),
        folder: path,
        bytes: () => 0,
        refusedAt: undefined,
      });
    }
    await Promise.allSettled([...this.#tables.values()].map((waiting) => this.#flush(waiting)));
  }

  #waitingOf(table: string): Waiting {
    let waiting = this.#tables.get(table);
    if (waiting === undefined) {
      waiting = {
        open: undefined,
        sealed: [],
        bytes: 0,
        appended: 0,
        writing: undefined,
        failure: undefined,
        retry: undefined,
        more: () => false,
      };
      this.#tables.set(table, waiting);
    }
    return waiting;
  }

  async #makeRoom(waiting: Waiting): Promise<void> {
    if (waiting.failure !== undefined) await this.#flush(waiting);
    while (waiting.bytes >= this.#options.maxPendingBytes && isWaiting(waiting)) await this.#flush(waiting);
  }

  #openSet(table: string, names: string, structure: string, waiting: Waiting): OpenSet {
    const name = `${table}-${this.#id}-${this.#nextSet++}`;
    const folder = join(this.#options.folder, name);
    mkdirSync(folder);
    return {
      table,
      name,
      folder,
      files: [],
      names,
      structure,
      blocks: [],
      descriptor: openSync(folder, 'r'),
      appends: new Set(),
      rows: 0,
      bytes: 0,
      earliestMs: Number.POSITIVE_INFINITY,
      metrics: [],
      nextFile: 0,
      isSynced: false,
      timer: setTimeout(() => this.#sealAndInsert(waiting), this.#options.maxWaitMs),
    };
  }

  async #write(set: OpenSet, block: NativeBlock): Promise<void> {
    const number = set.nextFile++;
    const checksum = block.chunks.reduce((sum, chunk) => crc32(chunk, sum), 0);
    const file = `${number}-${block.byteLength}-${checksum}.native`;
    const path = join(set.folder, file);
    try {
      await writeChunks(path, block.chunks, fdatasyncAsync);
      await fsyncAsync(set.descriptor);
      if (!set.isSynced) await syncFolder(this.#options.folder);
      set.isSynced = true;
    } catch (error) {
      rmSync(path, { force: true });
      throw translateEngineError(error);
    }
    set.files.push(file);
    set.rows += block.rows;
    set.bytes += block.byteLength;
    set.earliestMs = Math.min(set.earliestMs, block.earliestMs ?? Number.NEGATIVE_INFINITY);
    set.metrics = block.metrics && set.metrics?.concat(block.metrics);
    if (this.#options.keepsBlocks(set.table)) set.blocks.push(copyOf(block));
  }

  #seal(waiting: Waiting): void {
    const set = waiting.open;
    if (set === undefined) return;
    clearTimeout(set.timer);
    waiting.open = undefined;
    const ready = Promise.allSettled(set.appends).then(() => {
      closeSync(set.descriptor);
      return set;
    });
    waiting.sealed.push({ ready, folder: set.folder, bytes: () => set.bytes, refusedAt: undefined });
  }

  /** While nobody waits for it: why it fails is told by then. */
  #sealAndInsert(waiting: Waiting): void {
    this.#flush(waiting).catch(() => {});
  }

  /** With many senders there are moments in which all have their answers; the next comes soon. */
  async #flushIfQuiet(waiting: Waiting): Promise<void> {
    const { appended } = waiting;
    for (let waited = 0; waited < QUIET_MS; waited += LOOK_MS) {
      await sleep(LOOK_MS);
      if (waiting.more() || waiting.appended !== appended) return;
    }
    await this.#flush(waiting);
  }

  async #flush(waiting: Waiting): Promise<void> {
    this.#seal(waiting);
    if (waiting.sealed.length > 0) await this.#begin(waiting);
  }

  #begin(waiting: Waiting): Promise<void> {
    waiting.writing ??= this.#insertSealed(waiting);
    return waiting.writing;
  }

  /** One set after the other, those that are sealed meanwhile as well. */
  async #insertSealed(waiting: Waiting): Promise<void> {
    try {
      // So that it never ends before its promise is known.
      await Promise.resolve();
      for (let sealed = waiting.sealed[0]; sealed !== undefined; sealed = waiting.sealed[0]) {
        const set = await sealed.ready;
        if (set.files.length > 0) await this.#insert(sealed, set);
        waiting.sealed.shift();
        waiting.bytes -= sealed.bytes();
        waiting.failure = undefined;
        // At once: by the engine's measure a part of the set would be another set.
        const done = `${sealed.folder}${DONE}`;
        await rename(sealed.folder, done);
        await rm(done, { recursive: true, force: true });
      }
    } catch (error) {
      this.#failed(waiting, translateEngineError(error));
      throw error;
    } finally {
      waiting.writing = undefined;
    }
  }

  /** Of a set that the engine goes on refusing for its rows, all files that it does not refuse; the others are kept aside. */
  async #insert(sealed: SealedSet, set: BlockSet): Promise<void> {
    const isRefused = performance.now() - (sealed.refusedAt ?? Number.POSITIVE_INFINITY) > this.#options.refusalMs;
    try {
      if (!isRefused) return await this.#options.insert(set);
    } catch (error) {
      const refusal = translateEngineError(error);
      if (!isAboutTheRows(refusal)) throw refusal;
      sealed.refusedAt ??= performance.now();
      // Those who send now have done nothing wrong.
      const options = { cause: refusal, retryAfterMs: STORE_RETRY_MS };
      throw new SignalboxError('unavailable', `What came before can not be stored: ${refusal.message}`, options);
    }
    for (const file of [...set.files]) {
      const single = { ...set, name: `${set.name}-${file}`, files: [file], blocks: [] };
      await this.#options.insert(single).catch((reason: unknown) => this.#keepAside(set, file, reason));
    }
  }

  /** A refusal is for good; whatever else went wrong may go right the next time. */
  async #keepAside(set: BlockSet, file: string, reason: unknown): Promise<void> {
    const refusal = translateEngineError(reason);
    if (!isAboutTheRows(refusal)) throw refusal;
    const aside = join(this.#options.folder, REFUSED);
    await mkdir(aside, { recursive: true });
    const to = join(aside, `${set.name}-${file}`);
    await rename(join(set.folder, file), to);
    // Should the others have to be tried again.
    set.files.splice(set.files.indexOf(file), 1);
    const message = `Rows of ${set.table} that were acknowledged are refused by the engine; they are kept in ${to}`;
    this.#options.onError(new SignalboxError('internal', message, { cause: refusal }));
  }

  /** It is tried again. Whoever brings more tries as well, and hears of it. */
  #failed(waiting: Waiting, failure: SignalboxError): void {
    if (waiting.failure === undefined) this.#options.onError(failure);
    waiting.failure = failure;
    if (this.#closed) return;
    clearTimeout(waiting.retry);
    waiting.retry = setTimeout(() => this.#sealAndInsert(waiting), this.#options.retryMs);
    waiting.retry.unref();
  }
}

/** Its table, its process, and its number there. */
const SET_NAME = /^([a-z_]+)-\d+-\d+-\d+$/;
/** The end of its name when it is in its table. */
const DONE = '.done';
const FILE_NAME = /^\d+-(\d+)-(\d+)\.native$/;
/** The folder of files that the engine refuses. */
const REFUSED = 'refused';
/** Who has sent nothing for so long has stopped, or sends so little that an insert more does not matter. */
const QUIET_MS = 25;
const LOOK_MS = 5;

const fdatasyncAsync = promisify(fdatasync);
const fsyncAsync = promisify(fsync);

async function syncFolder(folder: string): Promise<void> {
  const descriptor = openSync(folder, 'r');
  try {
    await fsyncAsync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function byNumbers(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

function isWaiting({ open, sealed }: Waiting): boolean {
  return open !== undefined || sealed.length > 0;
}

function isWhole(folder: string, file: string): boolean {
  const [, byteLength, checksum] = FILE_NAME.exec(file) ?? [];
  if (byteLength === undefined) return false;
  const bytes = readFileSync(join(folder, file));
  return bytes.length === Number(byteLength) && crc32(bytes) === Number(checksum);
}

/** What the block has is the encoder's memory, which is used again. */
function copyOf(block: NativeBlock): NativeBlock {
  return { ...block, chunks: block.chunks.map((chunk) => new Uint8Array(chunk)) };
}
