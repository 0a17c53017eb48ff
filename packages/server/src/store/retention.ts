import { dropPartition, listPartitions, PARTITION_MS, type Partition } from './clickhouse/partitions.ts';
import type { Connection } from './connection.ts';

export interface RetentionLimits {
  /** How long spans are kept, in ms; and so are the figures made from them. */
  readonly tracesMs: number;
  readonly logsMs: number;
  readonly metricsMs: number;
  /** Bytes on disk of everything; undefined: no limit. */
  readonly maxBytes?: number | undefined;
}

/** 7 days of everything. */
export const DEFAULT_RETENTION: RetentionLimits = {
  tracesMs: 7 * 86_400_000,
  logsMs: 7 * 86_400_000,
  metricsMs: 7 * 86_400_000,
};

/** Keeps the store within its limits by dropping whole partitions: it costs nothing, and works on a full disk. */
export class Retention {
  readonly #connection: Connection;
  readonly #limits: RetentionLimits;
  readonly #now: () => number;
  readonly #onDrop: () => void;
  readonly #onError: (error: unknown) => void;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<unknown> | undefined;

  /**
   * @param now the clock, in ms since 1970
   * @param onDrop told after partitions were dropped
   */
  constructor(
    connection: Connection,
    limits: RetentionLimits,
    now: () => number,
    onDrop: () => void,
    onError: (error: unknown) => void,
  ) {
    this.#connection = connection;
    this.#limits = limits;
    this.#now = now;
    this.#onDrop = onDrop;
    this.#onError = onError;
  }

  /** Enforces the limits now and every `intervalMs`. */
  start(intervalMs: number): void {
    const run = (): void => {
      this.#running ??= this.enforce()
        .catch(this.#onError)
        .finally(() => {
          this.#running = undefined;
        });
    };
    run();
    this.#timer = setInterval(run, intervalMs);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  /** Drops what is too old or too much, and returns it. */
  async enforce(): Promise<Partition[]> {
    const partitions = await listPartitions(this.#connection);
    const doomed = selectPartitions(partitions, this.#limits, this.#now());
    for (const partition of doomed) {
      await dropPartition(this.#connection, partition);
    }
    if (doomed.length > 0) {
      this.#onDrop();
    }
    return doomed;
  }
}

/**
 * Which partitions must go: those that ended before their signal's retention, then the oldest, largest first, what rows of other
 * tables refer to last, until the rest is within the size limit. The limit is hard: if the newest partitions alone exceed it, they go, too.
 *
 * @param partitions the oldest first
 * @param now ms since 1970
 */
export function selectPartitions(partitions: readonly Partition[], limits: RetentionLimits, now: number): Partition[] {
  const doomed: Partition[] = [];
  const kept: Partition[] = [];
  for (const partition of partitions) {
    const old = partition.start + PARTITION_MS < now - retentionOf(partition.table, limits);
    (old ? doomed : kept).push(partition);
  }
  let bytes = kept.reduce((total, partition) => total + partition.bytes, 0);
  kept.sort((a, b) => a.start - b.start || Number(REFERRED_TO.has(a.table)) - Number(REFERRED_TO.has(b.table)));
  for (const partition of kept) {
    if (limits.maxBytes === undefined || bytes <= limits.maxBytes) {
      break;
    }
    doomed.push(partition);
    bytes -= partition.bytes;
  }
  return doomed;
}

/** Without their rows, those of the same time in other tables are not understood. */
const REFERRED_TO: ReadonlySet<string> = new Set(['resources', 'series', 'log_attribute_keys']);

function retentionOf(table: string, limits: RetentionLimits): number {
  switch (table) {
    case 'spans':
    case 'red':
    case 'edges':
      return limits.tracesMs;
    case 'logs':
    case 'log_attribute_keys':
      return limits.logsMs;
    case 'resources':
      return Math.max(limits.tracesMs, limits.logsMs, limits.metricsMs);
    default:
      return limits.metricsMs;
  }
}
