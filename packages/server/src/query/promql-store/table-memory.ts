import type { Connection } from '../../store/connection.ts';
import { distinct, type WrittenMetric } from '../../store/metric-changes.ts';
import { BoundedMap } from './bounded-map.ts';

export interface TableMemoryOptions<Value> {
  /** Of all values together, each as large as `sizeOf` says. */
  readonly maxSize: number;
  readonly sizeOf: (value: Value) => number;
  /** False for a value that is not to be kept. Default: all are. */
  readonly isWhole?: (value: Value) => boolean;
  /** Of `series`: tells of values whether they may be others since series of these metrics were written. Default: each may. */
  readonly dependsOn?: (metrics: readonly WrittenMetric[]) => (value: Value) => boolean;
}

/** What was made of the rows of a table, as long as no rows were written to it since that could change it. */
export class TableMemory<Value> {
  readonly #table: string;
  readonly #options: TableMemoryOptions<Value>;
  readonly #values: BoundedMap<string, Value>;
  #version: number | undefined;

  constructor(table: string, options: TableMemoryOptions<Value>) {
    this.#table = table;
    this.#options = options;
    this.#values = new BoundedMap(options.maxSize, options.sizeOf);
  }

  /** The value that is known by the key, or else the one that `make` makes. */
  async get(connection: Connection, key: string, make: () => Promise<Value>): Promise<Value> {
    const version = connection.version(this.#table);
    if (version === undefined) return await make();
    if (version !== this.#version) {
      if (this.#version !== undefined) this.#values.deleteIf(this.#changedSince(connection, this.#version));
      this.#version = version;
    }
    const known = this.#values.get(key);
    if (known !== undefined) return known;
    const made = await make();
    // Rows that came meanwhile may or may not be in it.
    const isWhole = this.#options.isWhole?.(made) ?? true;
    if (isWhole && !this.#changedSince(connection, version)(made)) this.#values.set(key, made);
    return made;
  }

  /** Tells of values that were true at the version whether they may have changed. */
  #changedSince(connection: Connection, version: number): (value: Value) => boolean {
    if (connection.version(this.#table) === version) return () => false;
    const { dependsOn } = this.#options;
    const metrics = dependsOn && connection.metricsSince(version);
    if (dependsOn === undefined || metrics === undefined) return () => true;
    const different = distinct(metrics);
    // Making some again takes less than looking at so many.
    if (different.length * this.#values.count > MAX_LOOKS) return () => true;
    return dependsOn(different);
  }
}

/** Of values at metrics: tens of milliseconds. */
const MAX_LOOKS = 50_000;
