import type { Connection } from '../../store/connection.ts';
import { BoundedMap } from './bounded-map.ts';

/** What was made of the rows of a table, as long as no rows were written to it since. */
export class TableMemory<Value> {
  readonly #table: string;
  readonly #values: BoundedMap<string, Value>;
  readonly #isWhole: (value: Value) => boolean;
  #version: number | undefined;

  /**
   * @param maxSize of all values together, each as large as `sizeOf` says
   * @param isWhole false for a value that is not to be kept
   */
  constructor(
    table: string,
    maxSize: number,
    sizeOf: (value: Value) => number,
    isWhole: (value: Value) => boolean = () => true,
  ) {
    this.#table = table;
    this.#values = new BoundedMap(maxSize, sizeOf);
    this.#isWhole = isWhole;
  }

  /** The value that is known by the key, or else the one that `make` makes. */
  async get(connection: Connection, key: string, make: () => Promise<Value>): Promise<Value> {
    const version = connection.version(this.#table);
    if (version === undefined) return await make();
    if (version !== this.#version) {
      this.#values.clear();
      this.#version = version;
    }
    const known = this.#values.get(key);
    if (known !== undefined) return known;
    const made = await make();
    // Rows that came meanwhile may or may not be in it.
    if (connection.version(this.#table) === version && this.#version === version && this.#isWhole(made)) {
      this.#values.set(key, made);
    }
    return made;
  }
}
