import type { RecordBatch } from '@signalbox/records';
import type { Consumer } from '../pipeline/consumer.ts';
import { SignalboxError } from '../pipeline/signalbox-error.ts';
import { backup } from './backup.ts';
import type { BlockBuilder } from './block-builder.ts';
import { migrate } from './clickhouse/migrate.ts';
import { KnownKeys } from './clickhouse/native/known-keys.ts';
import { KnownSeries } from './clickhouse/native/known-series.ts';
import { LogEncoder } from './clickhouse/native/log-encoder.ts';
import { MetricEncoder } from './clickhouse/native/metric-encoder.ts';
import { SpanEncoder } from './clickhouse/native/span-encoder.ts';
import { EdgeEncoder, RedEncoder } from './clickhouse/native/span-metrics-encoder.ts';
import { TimeBounds } from './clickhouse/native/time-bounds.ts';
import { listPartitions, usageOf } from './clickhouse/partitions.ts';
import type { Connection } from './connection.ts';
import { GroupCommit } from './group-commit.ts';
import { type ConnectionOptions, openConnection } from './open-connection.ts';
import { DEFAULT_RETENTION, Retention, type RetentionLimits } from './retention.ts';
import type { Store, StoreUsage } from './store.ts';

export interface StoreOptions {
  readonly connection: ConnectionOptions;
  readonly retention?: Partial<RetentionLimits>;
  /** How often old partitions are looked for, in ms; 0: never. Default: a minute. */
  readonly retentionIntervalMs?: number;
  /** Bytes of batches that may be on their way into the store, per signal. Default: 128 MiB. */
  readonly maxPendingBytes?: number;
  /** The clock, in ms since 1970. */
  readonly now?: () => number;
  /** Told of each insert: the table, and how long it took until it was synced, in seconds. */
  readonly onInsert?: (table: string, seconds: number) => void;
  /** Told what goes wrong in the background. Default: a process warning. */
  readonly onError?: (error: unknown) => void;
}

/**
 * Connects, brings the schema up to date and starts housekeeping.
 *
 * Throws `SignalboxError`: `unavailable` when another process has the folder, the server can't be reached, or the data
 * was written by a newer program.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const connection = await openConnection(options.connection, options.onError ?? warn);
  try {
    return new ClickHouseStore(connection, await migrate(connection), options);
  } catch (error) {
    await connection.close(1_000);
    throw error;
  }
}

class ClickHouseStore implements Store {
  readonly connection: Connection;
  readonly spans: Store['spans'];
  readonly logs: Store['logs'];
  readonly metrics: Store['metrics'];
  readonly red: Store['red'];
  readonly edges: Store['edges'];
  readonly #kind: ConnectionOptions['kind'];
  readonly #schemaVersion: number;
  readonly #retention: Retention;
  readonly #writers: { close(): Promise<void> }[] = [];

  constructor(connection: Connection, schemaVersion: number, options: StoreOptions) {
    this.connection = connection;
    this.#kind = options.connection.kind;
    this.#schemaVersion = schemaVersion;
    const now = options.now ?? Date.now;
    const writer = <Batch>(
      createBuilder: () => BlockBuilder<Batch>,
      sizeOf: (batch: Batch) => number,
    ): Consumer<Batch> => {
      const group = new GroupCommit<Batch>({
        createBuilder,
        sizeOf,
        insert: async ({ table, block }, more) => {
          const startedAt = performance.now();
          await connection.insert(table, block, { more });
          options.onInsert?.(table, (performance.now() - startedAt) / 1_000);
        },
        ...(options.maxPendingBytes === undefined ? {} : { maxPendingBytes: options.maxPendingBytes }),
      });
      this.#writers.push(group);
      return group;
    };
    const retention = { ...DEFAULT_RETENTION, ...options.retention };
    const traceBounds = new TimeBounds(now, retention.tracesMs);
    const logBounds = new TimeBounds(now, retention.logsMs);
    const metricBounds = new TimeBounds(now, retention.metricsMs);
    const knownResources = new KnownKeys(MAX_KNOWN_KEYS);
    const knownSeries = new KnownSeries(MAX_KNOWN_KEYS, MAX_KNOWN_SERIES);
    const knownLogAttributes = new KnownKeys<string>(MAX_KNOWN_NAMES);
    const sizeOf = (batch: RecordBatch): number => batch.bytes.length;
    this.spans = writer(() => new SpanEncoder(knownResources, traceBounds), sizeOf);
    this.logs = writer(() => new LogEncoder(knownResources, knownLogAttributes, logBounds), sizeOf);
    this.metrics = writer(() => new MetricEncoder(knownResources, knownSeries, metricBounds), sizeOf);
    this.red = writer(
      () => new RedEncoder(traceBounds),
      (rows) => rows.length * ROW_BYTES,
    );
    this.edges = writer(
      () => new EdgeEncoder(traceBounds),
      (rows) => rows.length * ROW_BYTES,
    );
    this.#retention = new Retention(
      connection,
      retention,
      now,
      // Their rows may be among those dropped.
      () => {
        knownResources.clear();
        knownSeries.clear();
        knownLogAttributes.clear();
      },
      options.onError ?? warn,
    );
    const interval = options.retentionIntervalMs ?? 60_000;
    if (interval > 0) {
      this.#retention.start(interval);
    }
  }

  async usage(): Promise<StoreUsage> {
    return usageOf(await listPartitions(this.connection), this.#schemaVersion);
  }

  async backup(to: string, signal?: AbortSignal): Promise<void> {
    if (this.#kind !== 'embedded') {
      throw new SignalboxError('unimplemented', 'A ClickHouse server is backed up with its own tools', {
        hint: 'See BACKUP in the documentation of ClickHouse.',
      });
    }
    await backup(this.connection, to, signal);
  }

  async shutdown(deadlineMs: number): Promise<void> {
    const start = performance.now();
    const written = Promise.allSettled([this.#retention.stop(), ...this.#writers.map((writer) => writer.close())]);
    // Half of the time for what is gathered; the rest is for the engine.
    const patience = new Promise<void>((resolve) => setTimeout(resolve, deadlineMs / 2).unref());
    await Promise.race([written, patience]);
    await this.connection.close(Math.max(0, deadlineMs - (performance.now() - start)));
  }
}

/** Resources, and series, that the writers remember to be stored: about 100 bytes each. */
const MAX_KNOWN_KEYS = 500_000;

/** Series whose attributes they remember: up to 140 bytes each. */
const MAX_KNOWN_SERIES = 262_144;

/** Names of attributes that they remember. */
const MAX_KNOWN_NAMES = 50_000;

/** About what a row of `red` or `edges` holds in memory. */
const ROW_BYTES = 1_024;

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error));
}
