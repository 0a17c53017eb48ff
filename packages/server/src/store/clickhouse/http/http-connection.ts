import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { type ClickHouseClient, ClickHouseLogLevel, type ClickHouseSettings, createClient } from '@clickhouse/client';
import { SignalboxError } from '../../../pipeline/signalbox-error.ts';
import type { ColumnResult, CommandOptions, Connection, QueryOptions, QueryResult } from '../../connection.ts';
import type { NativeBlock } from '../../native-block.ts';
import { translateEngineError } from '../engine-error.ts';
import { insertColumns } from '../insert-columns.ts';
import { readColumns } from '../native/read-columns.ts';
import { DEFAULT_QUERY_LIMITS, type QueryLimits, querySettings } from '../query-limits.ts';
import { checkParameters } from '../query-parameters.ts';
import { parseResult, RESULT_FORMAT } from '../query-result.ts';
import { SessionPool } from '../session-pool.ts';

export interface HttpOptions {
  readonly url: string;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** Made if missing. Default: `signalbox`. */
  readonly database?: string | undefined;
  readonly limits?: Partial<QueryLimits>;
  /** Queries that run at once. Default: 8. */
  readonly maxQueries?: number;
  /** Queries that wait for their turn. Default: 64. */
  readonly maxWaitingQueries?: number;
}

/** A ClickHouse server or cluster over its HTTP interface. */
export class HttpConnection implements Connection {
  readonly #reader: ClickHouseClient;
  /** With sockets of its own, so that inserts and commands never wait behind queries. */
  readonly #writer: ClickHouseClient;
  readonly #queries: SessionPool<{ close(): void }>;
  readonly #limits: QueryLimits;
  readonly #running = new Set<string>();
  readonly #pending = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  /** Connects and makes the database if it is missing. */
  static async open(options: HttpOptions): Promise<HttpConnection> {
    const database = options.database ?? 'signalbox';
    const first = connect(options, undefined);
    try {
      await first.command({ query: 'CREATE DATABASE IF NOT EXISTS {database:Identifier}', query_params: { database } });
    } catch (error) {
      throw translateEngineError(error);
    } finally {
      await first.close();
    }
    return new HttpConnection(options, database);
  }

  private constructor(options: HttpOptions, database: string) {
    const maxQueries = options.maxQueries ?? 8;
    this.#reader = connect(options, database, maxQueries);
    this.#writer = connect(options, database);
    this.#queries = new SessionPool(
      'queries',
      Array.from({ length: maxQueries }, () => ({ close() {} })),
      options.maxWaitingQueries ?? 64,
    );
    this.#limits = { ...DEFAULT_QUERY_LIMITS, ...options.limits };
  }

  query<Row extends readonly unknown[]>(sql: string, options: QueryOptions = {}): Promise<QueryResult<Row>> {
    return this.#track(async () => parseResult<Row>(await this.#query(sql, options, RESULT_FORMAT)));
  }

  queryColumns(sql: string, options: QueryOptions = {}): Promise<ColumnResult> {
    return this.#track(async () => readColumns(await this.#query(sql, options, 'Native')));
  }

  /** Gives the result's bytes in `format`. */
  async #query(sql: string, options: QueryOptions, format: string): Promise<Uint8Array> {
    const { parameters = {}, signal } = options;
    checkParameters(sql, parameters);
    const settings = querySettings(this.#limits, options);
    const run = async (client: ClickHouseClient): Promise<Uint8Array> => {
      const id = randomUUID();
      this.#running.add(id);
      try {
        const { stream } = await client.exec({
          query: `${sql}\nFORMAT ${format}`,
          query_id: id,
          query_params: { ...parameters },
          // The whole result is made before the first byte is sent, so that a failure has its status.
          clickhouse_settings: { ...settings, wait_end_of_query: 1 } as ClickHouseSettings,
          ...(signal === undefined ? {} : { abort_signal: signal }),
        });
        const chunks: Uint8Array[] = [];
        for await (const chunk of stream) chunks.push(chunk as Uint8Array);
        return Buffer.concat(chunks);
      } catch (error) {
        if (signal?.aborted) {
          void this.#kill([id]);
          throw new SignalboxError('cancelled', 'The query was cancelled', { cause: error });
        }
        throw error;
      } finally {
        this.#running.delete(id);
      }
    };
    return await (options.housekeeping
      ? run(this.#writer)
      : this.#queries.use(() => run(this.#reader), signal, settings.max_execution_time * 1000));
  }

  insert(table: string, block: NativeBlock): Promise<void> {
    return this.#track(async () => {
      const { stream } = await this.#writer.exec({
        query: `INSERT INTO ${table} (${insertColumns(block).names}) FORMAT Native`,
        values: Readable.from(block.chunks.filter((chunk) => chunk.length > 0)),
        clickhouse_settings: { throw_on_max_partitions_per_insert_block: 0, wait_end_of_query: 1 },
      });
      stream.resume();
      await new Promise((resolve, reject) => stream.on('end', resolve).on('error', reject));
    });
  }

  command(sql: string, options: CommandOptions = {}): Promise<void> {
    return this.#track(async () => {
      const parameters = options.parameters ?? {};
      checkParameters(sql, parameters);
      await this.#writer.command({
        query: sql,
        query_params: { ...parameters },
        clickhouse_settings: { max_execution_time: (options.maxExecutionMs ?? 0) / 1000, wait_end_of_query: 1 },
      });
    });
  }

  changedSince(): number {
    return Number.NEGATIVE_INFINITY;
  }

  metricsSince(): undefined {
    return undefined;
  }

  recentPoints(): undefined {
    return undefined;
  }

  version(): undefined {
    return undefined;
  }

  close(deadlineMs: number): Promise<void> {
    this.#closed ??= this.#close(deadlineMs);
    return this.#closed;
  }

  async #close(deadlineMs: number): Promise<void> {
    const deadline = new Promise<void>((resolve) => setTimeout(resolve, deadlineMs).unref());
    this.#queries.stop();
    await Promise.race([this.#kill([...this.#running]), deadline]);
    await Promise.race([Promise.allSettled([...this.#pending]), deadline]);
    await Promise.all([this.#reader.close(), this.#writer.close()]);
  }

  /** The server would go on with a query whose client has gone. */
  async #kill(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) {
      return;
    }
    try {
      await this.#writer.command({
        query: 'KILL QUERY WHERE query_id IN {ids:Array(String)} ASYNC',
        query_params: { ids: [...ids] },
      });
    } catch {
      // The query's own time limit ends it, too.
    }
  }

  async #track<Result>(run: () => Promise<Result>): Promise<Result> {
    if (this.#closed !== undefined) {
      throw new SignalboxError('unavailable', 'The store is shutting down', { retryAfterMs: 5_000 });
    }
    const work = run();
    this.#pending.add(work);
    try {
      return await work;
    } catch (error) {
      throw translateEngineError(error);
    } finally {
      this.#pending.delete(work);
    }
  }
}

function connect(options: HttpOptions, database: string | undefined, sockets = 10): ClickHouseClient {
  return createClient({
    url: options.url,
    username: options.user ?? 'default',
    password: options.password ?? '',
    application: 'signalbox',
    request_timeout: 120_000,
    max_open_connections: sockets,
    // Its errors reach the caller; what it logs besides are the same, with the SQL.
    log: { level: ClickHouseLogLevel.OFF },
    ...(database === undefined ? {} : { database }),
  });
}
