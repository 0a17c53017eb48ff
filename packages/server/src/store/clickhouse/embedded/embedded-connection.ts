import { mkdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { drainPending } from 'chdb';
import { SignalboxError } from '../../../pipeline/signalbox-error.ts';
import type {
  ColumnResult,
  CommandOptions,
  Connection,
  InsertOptions,
  QueryOptions,
  QueryParameter,
  QueryResult,
} from '../../connection.ts';
import { MetricChanges, type WrittenMetric } from '../../metric-changes.ts';
import type { NativeBlock } from '../../native-block.ts';
import { RecentPoints } from '../../recent-points.ts';
import { translateEngineError } from '../engine-error.ts';
import { insertColumns } from '../insert-columns.ts';
import { readColumns } from '../native/read-columns.ts';
import { DEFAULT_QUERY_LIMITS, type QueryLimits, querySettings } from '../query-limits.ts';
import { checkParameters, formatParameter, quoteString } from '../query-parameters.ts';
import { parseResult, RESULT_FORMAT } from '../query-result.ts';
import { SessionPool } from '../session-pool.ts';
import { DATABASE } from './database-name.ts';
import { engineConfig } from './engine-config.ts';
import { EngineSession } from './engine-session.ts';
import { IngestActivity } from './ingest-activity.ts';
import { type BlockSet, InsertJournal } from './insert-journal.ts';
import { LongQueries } from './long-queries.ts';
import { clearTemporaryFolder, createDatabase } from './open-folder.ts';
import { TableChanges } from './table-changes.ts';
import { writeChunks } from './write-chunks.ts';

export interface EmbeddedOptions {
  /**
   * The data folder; made if missing. The engine's files are in `engine`, blocks on their way in `tmp`, those that are durable and wait for
   * others in `journal`.
   */
  readonly folder: string;
  /** Bytes of memory of the engine. Default: 2 GiB. */
  readonly memoryBytes?: number;
  readonly limits?: Partial<QueryLimits>;
  /** Queries that run at once. Default: at most 4, and few enough to leave libuv half of its threads. */
  readonly maxQueries?: number;
  /** Queries that wait for their turn. Default: 64. */
  readonly maxWaitingQueries?: number;
  /** A clock, in ms. */
  readonly now?: () => number;
  /** Told what goes wrong in the background. Default: a process warning. */
  readonly onError?: (error: Error) => void;
}

/** Rows in files, on their way into a table. */
interface RowsOnTheirWay {
  readonly table: string;
  /** A file, or several: `{a,b}` is read as either. */
  readonly path: string;
  readonly names: string;
  /** Undefined: as the files say. */
  readonly structure: string | undefined;
  /** What is inserted again by the same name is there already; undefined: each time it is others. */
  readonly name: string | undefined;
  readonly rows: number;
  readonly earliestMs: number;
  readonly metrics: readonly WrittenMetric[] | undefined;
  /** What is known of them here. */
  readonly blocks: readonly NativeBlock[];
}

/**
 * ClickHouse inside of this process (chdb), on a folder that no other process has open.
 *
 * What follows from trying chdb 3.4.0, each line cost a crash or a wrong answer:
 * - Rows enter by a file in `tmp` and `INSERT … SELECT … FROM file(…, Native)`: chdb executes what follows a blank line in
 *   inline insert data.
 * - Parameters are set by `SET param_x = …`, in the same call as the statement: chdb's own binding is one queue for all sessions.
 * - A statement is cancelled by `KILL QUERY` with the `log_comment` it was started with (chdb has no other interrupt, and
 *   comments in the text don't survive parameters).
 * - It lives in the main thread only, and one data folder per process.
 */
export class EmbeddedConnection implements Connection {
  readonly #temporaryFolder: string;
  readonly #limits: QueryLimits;
  readonly #queries: SessionPool<EngineSession>;
  readonly #inserts: SessionPool<EngineSession>;
  readonly #commands: SessionPool<EngineSession>;
  readonly #ingest: IngestActivity;
  readonly #longQueries: LongQueries;
  readonly #journal: InsertJournal;
  /** Of the tables. */
  readonly #activities = new Map<string, IngestActivity>();
  readonly #now: () => number;
  /** Tables that remember by which names rows were inserted. */
  readonly #remembering = new Map<string, Promise<void>>();
  readonly #running = new Set<string>();
  readonly #pending = new Set<Promise<unknown>>();
  #nextStatement = 0;
  #nextFile = 0;
  #commandCount = 0;
  readonly #insertCounts = new Map<string, number>();
  readonly #changes = new Map<string, TableChanges>();
  readonly #metricChanges = new MetricChanges();
  #recentPoints: RecentPoints | undefined;
  #closed: Promise<void> | undefined;

  /** Opens the folder; throws `unavailable` (not retryable) when another process has it open. */
  static open(options: EmbeddedOptions): EmbeddedConnection {
    return new EmbeddedConnection(options);
  }

  private constructor(options: EmbeddedOptions) {
    const folder = resolve(options.folder);
    const engineFolder = join(folder, 'engine');
    const memoryBytes = options.memoryBytes ?? 2 * 1024 ** 3;
    this.#temporaryFolder = join(folder, 'tmp');
    this.#limits = {
      ...DEFAULT_QUERY_LIMITS,
      maxMemoryBytes: Math.floor(memoryBytes / 2),
      ...options.limits,
    };
    mkdirSync(engineFolder, { recursive: true });
    const configFile = join(folder, 'engine.xml');
    writeFileSync(configFile, engineConfig(folder, { memoryBytes }));
    const engineArguments = [`--config-file=${configFile}`];
    createDatabase(engineFolder, engineArguments, folder);
    clearTemporaryFolder(this.#temporaryFolder);

    const sessions = (count: number): EngineSession[] =>
      Array.from({ length: count }, () => new EngineSession(engineFolder, engineArguments, DATABASE));
    const threads = Number(process.env.UV_THREADPOOL_SIZE) || 4;
    const maxQueries = options.maxQueries ?? Math.max(1, Math.min(4, Math.floor(threads / 4)));
    const now = options.now ?? (() => performance.now());
    this.#now = now;
    this.#ingest = new IngestActivity(now);
    this.#longQueries = new LongQueries(now);
    this.#queries = new SessionPool('queries', sessions(maxQueries), options.maxWaitingQueries ?? 64, () =>
      this.#ingest.busy ? Math.min(maxQueries, QUERIES_BESIDE_INGEST) : maxQueries,
    );
    this.#inserts = new SessionPool('inserts', sessions(threads >= 8 ? 2 : 1), Number.POSITIVE_INFINITY);
    const [command] = sessions(1) as [EngineSession];
    // Holds the engine open while no other session is.
    command.open();
    this.#commands = new SessionPool('commands', [command], 1_000);
    this.#journal = new InsertJournal({
      folder: join(folder, 'journal'),
      insert: (set) => this.#insertSet(set),
      keepsBlocks: (table) => table === POINTS_TABLE && this.#recentPoints !== undefined,
      onError: options.onError ?? ((error) => process.emitWarning(error)),
    });
  }

  /** Inserts what a process before had acknowledged, and not inserted when it died. Before anything else. */
  recover(): Promise<void> {
    return this.#track(this.#journal.recover());
  }

  query<Row extends readonly unknown[]>(sql: string, options: QueryOptions = {}): Promise<QueryResult<Row>> {
    return this.#track(this.#query(sql, options, RESULT_FORMAT).then(parseResult<Row>));
  }

  queryColumns(sql: string, options: QueryOptions = {}): Promise<ColumnResult> {
    return this.#track(this.#query(sql, options, 'Native').then(readColumns));
  }

  insert(table: string, block: NativeBlock, options: InsertOptions = {}): Promise<void> {
    return this.#track(this.#insert(table, block, options));
  }

  command(sql: string, options: CommandOptions = {}): Promise<void> {
    return this.#track(this.#command(sql, options));
  }

  version(table: string): number {
    return this.#commandCount + (this.#insertCounts.get(table) ?? 0);
  }

  changedSince(table: string, version: number): number {
    if (this.version(table) === version) return Number.POSITIVE_INFINITY;
    return this.#changes.get(table)?.earliestSince(version) ?? Number.NEGATIVE_INFINITY;
  }

  metricsSince(version: number): readonly WrittenMetric[] | undefined {
    return this.#metricChanges.since(version);
  }

  recentPoints(): RecentPoints {
    this.#recentPoints ??= new RecentPoints();
    return this.#recentPoints;
  }

  close(deadlineMs: number): Promise<void> {
    this.#closed ??= this.#close(deadlineMs);
    return this.#closed;
  }

  /** Gives the result's bytes in `format`. */
  async #query(sql: string, options: QueryOptions, format: string): Promise<Uint8Array> {
    const { parameters = {}, signal } = options;
    checkParameters(sql, parameters);
    await this.#journal.settle();
    const id = `signalbox-${process.pid}-${this.#nextStatement++}`;
    const settings = { ...querySettings(this.#limits, options), log_comment: id, ...SHARED_WORK };
    const isRanked = !options.housekeeping && !options.isShort;
    const run = async (session: EngineSession): Promise<Uint8Array> => {
      this.#running.add(id);
      try {
        const yields = isRanked && this.#longQueries.any;
        const yieldsToRows = yields && this.#ingest.busy;
        // A query alone may use every core. The engine's own limit of threads over all queries does nothing in chdb.
        const cores = availableParallelism() - (yieldsToRows ? 1 : 0);
        const max_threads = Math.max(1, Math.floor(cores / this.#running.size));
        const rank = yields ? { ...BEHIND_INSERTS, ...(yieldsToRows ? NICE : {}) } : UNRANKED;
        const own = { ...settings, ...rank, max_threads };
        const work = session.run(`SET ${assignments(own, parameters)}; ${sql}`, format);
        return await (isRanked ? this.#longQueries.watch(work) : work);
      } finally {
        this.#running.delete(id);
      }
    };
    // Whoever asked waits as long for the turn as for the answer, and no longer.
    const pool = options.housekeeping ? this.#commands : this.#queries;
    const work = pool.use(run, signal, settings.max_execution_time * 1000);
    return await this.#cancellable(id, work, signal);
  }

  /** Gives up as soon as the signal aborts; the statement's session stays taken until the engine has let go of it. */
  async #cancellable(id: string, work: Promise<Uint8Array>, signal: AbortSignal | undefined): Promise<Uint8Array> {
    this.#pending.add(work);
    const forget = (): unknown => this.#pending.delete(work);
    work.then(forget, forget);
    let onAbort: (() => void) | undefined;
    const aborted = new Promise<never>((_, reject) => {
      onAbort = () => {
        reject(new SignalboxError('cancelled', 'The query was cancelled'));
        void this.#killUntilGone([id]);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
    });
    try {
      return await (signal === undefined ? work : Promise.race([work, aborted]));
    } catch (error) {
      throw translateEngineError(error);
    } finally {
      if (onAbort !== undefined) {
        signal?.removeEventListener('abort', onAbort);
      }
    }
  }

  /** Asks again and again: a statement that the engine has not registered yet can't be killed yet. */
  async #killUntilGone(ids: readonly string[]): Promise<void> {
    for (let attempt = 0; attempt < MAX_KILLS; attempt++) {
      const alive = ids.filter((id) => this.#running.has(id));
      if (alive.length === 0) {
        return;
      }
      try {
        const list = alive.map(quoteString).join(', ');
        await this.#commands.use((session) =>
          session.run(`KILL QUERY WHERE Settings['log_comment'] IN (${list}) ASYNC`, 'Null'),
        );
      } catch {
        // The statement's own time limit ends it, too.
        return;
      }
      await new Promise((next) => setTimeout(next, KILL_PAUSE_MS));
    }
  }

  async #insert(table: string, block: NativeBlock, { more }: InsertOptions): Promise<void> {
    this.#ingest.inserted(block.rows);
    const activity = this.#activities.get(table) ?? new IngestActivity(this.#now);
    this.#activities.set(table, activity);
    activity.inserted(block.rows);
    if (more !== undefined && activity.isSustained) {
      await this.#journal.append(table, block, more);
      return;
    }
    const path = join(this.#temporaryFolder, `${this.#nextFile++}.native`);
    const { rows, earliestMs = Number.NEGATIVE_INFINITY, metrics } = block;
    try {
      await writeChunks(path, block.chunks);
      await this.#insertRows({
        ...insertColumns(block),
        table,
        path,
        name: undefined,
        rows,
        earliestMs,
        metrics,
        blocks: [block],
      });
    } catch (error) {
      throw translateEngineError(error);
    } finally {
      removeIfThere(path);
    }
  }

  async #insertSet(set: BlockSet): Promise<void> {
    // In one order, also of those that another process has left.
    const sorted = set.files.toSorted((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
    const files = sorted.length === 1 ? sorted[0] : `{${sorted.join(',')}}`;
    const path = join(set.folder, `${files}`);
    await this.#remember(set.table);
    const names = set.names ?? (await this.#namesIn(path));
    await this.#insertRows({ ...set, path, names, structure: undefined });
  }

  async #insertRows(inserted: RowsOnTheirWay): Promise<void> {
    const { table, path, names, structure, name, rows, earliestMs, metrics, blocks } = inserted;
    // Whoever asked for something that takes a moment waits for it; a sender for many requests at once, and nobody for what is in the journal.
    const isAwaited = name === undefined && (this.#running.size === 0 || this.#longQueries.any);
    const nice = isAwaited ? 0 : INSERT_NICE;
    const types = structure === undefined ? '' : `, ${quoteString(structure)}`;
    const once = name === undefined ? 'insert_deduplicate = 0' : `insert_deduplication_token = ${quoteString(name)}`;
    let isThere = false;
    try {
      await this.#inserts.use((session) =>
        session.run(
          `SET os_threads_nice_value_query = ${nice}; INSERT INTO ${table} (${names}) SELECT ${names} FROM file(${quoteString(path)}, 'Native'${types}) SETTINGS ${INSERT_SETTINGS}, ${once}`,
          'Null',
        ),
      );
      isThere = true;
    } finally {
      // A statement that failed may have changed something, too.
      this.#insertCounts.set(table, (this.#insertCounts.get(table) ?? 0) + 1);
      const changes = this.#changes.get(table) ?? new TableChanges();
      this.#changes.set(table, changes);
      changes.record(this.version(table), earliestMs);
      if (table === SERIES_TABLE) this.#metricChanges.record(this.version(table), metrics);
      if (table === POINTS_TABLE) {
        const isKnown = isThere && blocks.reduce((sum, block) => sum + block.rows, 0) === rows;
        if (isKnown) for (const block of blocks) this.#recentPoints?.append(block);
        else this.#recentPoints?.forget();
      }
    }
  }

  /** So that rows which a process had inserted when it died are not inserted again by the next. */
  #remember(table: string): Promise<void> {
    const known =
      this.#remembering.get(table) ??
      this.#commands.use(async (session) => {
        await session.run(
          `ALTER TABLE ${table} MODIFY SETTING non_replicated_deduplication_window = ${REMEMBERED}`,
          'Null',
        );
      });
    this.#remembering.set(table, known);
    // The next set tries again.
    known.catch(() => this.#remembering.delete(table));
    return known;
  }

  /** The columns of a file. */
  async #namesIn(path: string): Promise<string> {
    const sql = `DESCRIBE TABLE file(${quoteString(path)}, 'Native')`;
    const bytes = await this.#commands.use((session) => session.run(sql, RESULT_FORMAT));
    return parseResult<[string]>(bytes)
      .rows.map(([column]) => column)
      .join(', ');
  }

  async #command(sql: string, options: CommandOptions): Promise<void> {
    const parameters = options.parameters ?? {};
    checkParameters(sql, parameters);
    const settings = { ...NO_LIMITS, max_execution_time: (options.maxExecutionMs ?? 0) / 1000 };
    // What can not be inserted is told to those who bring more; the command may be what makes room.
    await Promise.allSettled([this.#journal.flush()]);
    try {
      await this.#commands.use((session) => session.run(`SET ${assignments(settings, parameters)}; ${sql}`, 'Null'));
    } catch (error) {
      throw translateEngineError(error);
    } finally {
      this.#commandCount++;
      for (const [table, changes] of this.#changes) changes.record(this.version(table), Number.NEGATIVE_INFINITY);
      this.#metricChanges.record(this.version(SERIES_TABLE), undefined);
      this.#recentPoints?.forget();
    }
  }

  async #close(deadlineMs: number): Promise<void> {
    const deadline = new Promise<void>((resolve) => setTimeout(resolve, deadlineMs).unref());
    await Promise.race([this.#journal.close(), deadline]);
    this.#queries.stop();
    await Promise.race([this.#killUntilGone([...this.#running]), deadline]);
    await Promise.race([Promise.allSettled([...this.#pending]), deadline]);
    for (const pool of [this.#queries, this.#inserts, this.#commands]) {
      pool.close();
    }
    await Promise.race([drainPending(), deadline]);
  }

  #track<Result>(work: Promise<Result>): Promise<Result> {
    this.#pending.add(work);
    const forget = (): unknown => this.#pending.delete(work);
    work.then(forget, forget);
    return work;
  }
}

/** Of queries while there are no long ones, and of what shares the commands' session: they neither wait for others nor make them wait. */
const UNRANKED = { os_threads_nice_value_query: 0, priority: 0, low_priority_query_wait_time_ms: 0 };

/** Of commands, which share their session with housekeeping's queries. */
const NO_LIMITS = { max_memory_usage: 0, max_result_rows: 0, max_result_bytes: 0, ...UNRANKED };

/**
 * While there are long queries, all but short ones make room for inserts, whose senders wait: between two blocks of rows a query stops
 * while an insert runs, 100 ms at most, so that it gets on even where inserts never end. What it does, and what it would do to
 * queries that take a moment: docs/benchmarks.md, "Ingest beside queries".
 */
const BEHIND_INSERTS = { os_threads_nice_value_query: 0, priority: 2, low_priority_query_wait_time_ms: 100 };

/**
 * If many rows come in then, threads of queries also yield the processor to this process's JavaScript, where the process may set it
 * (CAP_SYS_NICE). Not otherwise: they would yield to every other program of the machine.
 */
const NICE = { os_threads_nice_value_query: 15 };

/**
 * So that a query has the threads that it may have. By the engine's own measures each needs a gigabyte of free memory, of which we give it
 * two in all, and what takes a thread 100 ms is too little to be shared.
 */
const SHARED_WORK = {
  max_threads_min_free_memory_per_thread: 64 * 1024 * 1024,
  merge_tree_min_rows_for_concurrent_read: 32_768,
  merge_tree_min_bytes_for_concurrent_read: 8 * 1024 * 1024,
};

/**
 * While many rows come in, as many queries run at once as there are cores but for one; two at least, so that a long one does not keep
 * all others waiting.
 */
const QUERIES_BESIDE_INGEST = Math.max(2, availableParallelism() - 1);

/** Of threads of inserts beside queries that take a moment, where the process may set it (CAP_SYS_NICE). */
const INSERT_NICE = 10;

const MAX_KILLS = 100;
const KILL_PAUSE_MS = 50;

const SERIES_TABLE = 'series';
const POINTS_TABLE = 'number_points';

/** Parts of a table, the last that entered by a name, whose names it keeps: a process that dies leaves two sets at most. */
const REMEMBERED = 1_000;

/** A batch may span more than 100 partitions: one that does must not be refused for it. */
const INSERT_SETTINGS =
  'throw_on_max_partitions_per_insert_block = 0, max_threads = 1, max_insert_threads = 1, priority = 1';

function assignments(
  settings: Readonly<Record<string, string | number>>,
  parameters: Readonly<Record<string, QueryParameter>>,
): string {
  const all = Object.entries(settings).map(([name, value]) =>
    typeof value === 'number' ? `${name} = ${value}` : `${name} = ${quoteString(value)}`,
  );
  for (const [name, value] of Object.entries(parameters)) {
    all.push(`param_${name} = ${quoteString(formatParameter(value))}`);
  }
  return all.join(', ');
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw translateEngineError(error);
    }
  }
}
