import type { LogBatch, MetricBatch, SpanBatch } from '@signalbox/records';
import type { Consumer } from '../pipeline/consumer.ts';
import type { Connection } from './connection.ts';
import type { EdgeRow, RedRow } from './span-metrics-row.ts';

/** Where records rest. Writers resolve when rows are durable; readers go through `connection`. */
export interface Store {
  readonly spans: Consumer<SpanBatch>;
  readonly logs: Consumer<LogBatch>;
  readonly metrics: Consumer<MetricBatch>;
  readonly red: Consumer<readonly RedRow[]>;
  readonly edges: Consumer<readonly EdgeRow[]>;
  readonly connection: Connection;
  /** What is stored, for people to look at. */
  usage(): Promise<StoreUsage>;
  /** Writes a consistent copy of everything to a new folder, or to a file named `….tar.zst`, `….tar` or `….zip`. Embedded only. */
  backup(to: string, signal?: AbortSignal): Promise<void>;
  /** Writes out what is gathered, stops housekeeping, and closes the connection, all within about `deadlineMs`. */
  shutdown(deadlineMs: number): Promise<void>;
}

export interface StoreUsage {
  readonly schemaVersion: number;
  /** Bytes on disk of all tables. */
  readonly bytes: number;
  readonly tables: readonly TableUsage[];
}

export interface TableUsage {
  readonly name: string;
  readonly rows: number;
  readonly bytes: number;
  /** Start of the oldest partition in ms since 1970; null: empty. */
  readonly oldest: number | null;
}
