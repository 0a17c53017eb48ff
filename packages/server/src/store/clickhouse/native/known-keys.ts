/**
 * Which resources, series or names a partition of the store has a row of already: shared by all that write them, and bounded.
 * Forgetting is harmless: rows of the same key are merged.
 */
export class KnownKeys<Key extends bigint | string = bigint> {
  readonly #partitions = new Map<number, Set<Key>>();
  readonly #maxKeys: number;
  #size = 0;

  constructor(maxKeys: number) {
    this.#maxKeys = maxKeys;
  }

  has(partition: number, key: Key): boolean {
    return this.#partitions.get(partition)?.has(key) ?? false;
  }

  add(partition: number, key: Key): void {
    if (this.#size >= this.#maxKeys) {
      this.clear();
    }
    let keys = this.#partitions.get(partition);
    if (keys === undefined) {
      keys = new Set();
      this.#partitions.set(partition, keys);
    }
    if (!keys.has(key)) {
      keys.add(key);
      this.#size++;
    }
  }

  clear(): void {
    this.#partitions.clear();
    this.#size = 0;
  }
}
