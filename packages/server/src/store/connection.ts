import type { WrittenMetric } from './metric-changes.ts';
import type { NativeBlock } from './native-block.ts';
import type { RecentPoints } from './recent-points.ts';

/**
 * A value of a ClickHouse query parameter, `{name:Type}` in the SQL text.
 *
 * Strings, also inside arrays, are taken as they are: no escaping by the caller. Bytes travel best as hex:
 * `unhex({trace_id:String})`. Times as text of nanoseconds: `fromUnixTimestamp64Nano({from:Int64}, 'UTC')`.
 */
export type QueryParameter = string | number | bigint | boolean | null | readonly QueryParameter[];

export interface QueryOptions {
  /** Values of the `{name:Type}` parameters. Names match `[A-Za-z_][A-Za-z0-9_]*`. */
  readonly parameters?: Readonly<Record<string, QueryParameter>>;
  /** Aborting stops the query in the engine as well, and rejects with code `cancelled`. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds the engine may work on it; beyond: code `timeout`. Default and upper limit come from the connection. */
  readonly maxExecutionMs?: number | undefined;
  /** Rows of the result; beyond: code `too_large`. Default: 100,000. */
  readonly maxResultRows?: number | undefined;
  /** It reads little: it is not made to wait for inserts, as long queries are. */
  readonly isShort?: boolean | undefined;
  /** A short question about the store itself: it never waits behind other queries. */
  readonly housekeeping?: boolean | undefined;
}

export interface QueryColumn {
  readonly name: string;
  /** ClickHouse's name of the type. */
  readonly type: string;
}

/**
 * A result as rows of cells in the columns' order.
 *
 * Cells are JSON's: numbers up to 32 bits and finite floats as numbers, 64-bit integers as text, NaN and infinities as
 * the texts `nan`, `inf`, `-inf`, times as text, arrays as arrays, maps as objects (`Map` keys that are numbers: text),
 * NULL as null. Text that is not valid UTF-8 has replacement characters; `hex()` it where bytes matter.
 */
export interface QueryResult<Row extends readonly unknown[] = readonly unknown[]> {
  readonly columns: readonly QueryColumn[];
  readonly rows: readonly Row[];
}

/** Lists of one column, flat: list i is `values` from `offsets[i]` to `offsets[i + 1]`. */
export interface ResultList {
  /** One more than there are lists. */
  readonly offsets: Uint32Array;
  readonly values: Uint8Array | Uint32Array | Int32Array | BigUint64Array | BigInt64Array | Float64Array;
}

/** Numbers as they are in memory, floats bit by bit. */
export type NumberColumn = ResultList['values'];

/** Values of one column: numbers, `String` as texts, arrays of numbers as lists. */
export type ResultColumn = NumberColumn | readonly string[] | ResultList;

/** A result as columns by their names; empty without rows. */
export interface ColumnResult {
  readonly rowCount: number;
  /** Each is made when it is first looked at. */
  readonly columns: Readonly<Record<string, ResultColumn>>;
  /** A column of numbers for a moment: until the memory is taken again. Undefined without rows. */
  numbersIn(memory: ColumnMemory, name: string): NumberColumn | undefined;
  /** Frees the memory of what came, at once: columns that nobody has looked at yet are lost, others stay. */
  release(): void;
}

/**
 * Memory that columns use one after the other. Each array that is made counts towards the next garbage collection, which goes through
 * all that lives: millions of numbers that are only looked at once should not bring it about.
 */
export class ColumnMemory {
  #buffer = new ArrayBuffer(0);

  /** At least so many bytes; what was in them before is lost. */
  take(byteLength: number): ArrayBuffer {
    if (byteLength > keptBytes) return new ArrayBuffer(byteLength);
    if (byteLength > this.#buffer.byteLength) this.#buffer = new ArrayBuffer(Math.min(keptBytes, byteLength * 2));
    return this.#buffer;
  }
}

const keptBytes = 16 * 1024 * 1024;

/**
 * The one way to a ClickHouse: embedded (chdb) or over HTTP. Every other file of the store, and every planner of
 * queries, sees only this.
 *
 * - No value is ever spliced into SQL text: use parameters. Rows enter only by `insert`.
 * - Tables are named without a database; the connection has a current one.
 * - All methods reject with `SignalboxError`: `cancelled`, `timeout`, `too_large` (result over its limits),
 *   `resource_exhausted` (too many queries waiting, or the query's memory limit), `unavailable` (closing, disk full,
 *   server unreachable), `internal` (the engine refused our SQL; its words are in `cause`).
 */
export interface Connection {
  /** Runs a reading statement. At most a few run at once, some more wait, others are refused (`resource_exhausted`). */
  query<Row extends readonly unknown[] = readonly unknown[]>(
    sql: string,
    options?: QueryOptions,
  ): Promise<QueryResult<Row>>;

  /**
   * The same with the result as columns, for results of millions of numbers. Their types: `UInt8`, `UInt32`, `Int32`,
   * `UInt64`, `Int64`, `Float64`, `String`, and arrays of those numbers; the statement converts others.
   */
  queryColumns(sql: string, options?: QueryOptions): Promise<ColumnResult>;

  /** Inserts a block, all or nothing per partition; resolves when it is on disk (fsync). One insert per table at a time is best. */
  insert(table: string, block: NativeBlock, options?: InsertOptions): Promise<void>;

  /** Runs a statement without a result (DDL, dropping a partition); it never waits behind queries. */
  command(sql: string, options?: CommandOptions): Promise<void>;

  /**
   * A number that is another one as soon as rows of the table may be others: after every insert into it, and every command.
   * Undefined where others may write as well, as to a server.
   */
  version(table: string): number | undefined;

  /**
   * How far back in time rows reach that came since a version of the table, in ms since 1970: those of earlier times are the same as then.
   * Infinity: none came; -Infinity: that is not known.
   */
  changedSince(table: string, version: number): number;

  /** Metrics of which series came since a version of the table `series`, perhaps several times; undefined: that is not known. */
  metricsSince(version: number): readonly WrittenMetric[] | undefined;

  /**
   * The rows of `number_points` that came last; they are kept from the first call on. Undefined where others may write as well. A row is
   * there as soon as the version of its table tells of it.
   */
  recentPoints(): RecentPoints | undefined;

  /** Refuses new work, waits for inserts under way, cancels queries, and releases everything within about `deadlineMs`. */
  close(deadlineMs: number): Promise<void>;
}

export interface InsertOptions {
  /**
   * Whether others are on their way. Then, while many rows come in, the block may be durable before it is in the table: that takes a second at
   * most, and queries wait for it once no others are on their way. Without it the block is in the table when it is durable.
   */
  readonly more?: (() => boolean) | undefined;
}

export interface CommandOptions {
  readonly parameters?: Readonly<Record<string, QueryParameter>>;
  readonly maxExecutionMs?: number | undefined;
}
