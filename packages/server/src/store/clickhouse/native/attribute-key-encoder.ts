import type { AttributeTable } from '@signalbox/records';
import type { NativeBlock } from '../../native-block.ts';
import { BlockColumns } from './block-columns.ts';
import type { KnownKeys } from './known-keys.ts';

/** Encodes the keys of attributes that rows of a group have, and that are not known yet in their partitions. */
export class AttributeKeyEncoder {
  rows = 0;
  readonly #known: KnownKeys<string>;
  /** Partitions (seconds since 1970 of their starts) of the current batch. */
  readonly #partitions = new Set<number>();
  readonly #added = new Map<number, Set<string>>();
  readonly #columns = new BlockColumns();
  readonly #time = this.#columns.add('time', "DateTime('UTC')");
  readonly #key = this.#columns.add('key', 'String');
  /** Entries whose keys differ, by a hash of their keys: entry + 1; 0: free. Its length is a power of two. */
  #slots = new Uint32Array(256);

  constructor(known: KnownKeys<string>) {
    this.#known = known;
  }

  get byteLength(): number {
    return this.#columns.byteLength;
  }

  /** Begins with another batch. */
  start(): void {
    this.#partitions.clear();
  }

  /** Some row of the batch is in the partition. */
  refer(partition: number): void {
    this.#partitions.add(partition);
  }

  /** Notes the keys of a batch for all partitions that it has rows in. Which of its rows have which key does not matter. */
  append(bytes: Uint8Array, table: AttributeTable): void {
    if (this.#partitions.size === 0) return;
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (const entry of this.#distinct(bytes, table)) {
      const key = buffer.toString('utf8', table.keys.start[entry], table.keys.end[entry]);
      for (const partition of this.#partitions) this.#note(partition, key);
    }
  }

  block(): NativeBlock {
    return this.#columns.block(this.rows);
  }

  committed(): void {
    for (const [partition, keys] of this.#added) {
      for (const key of keys) this.#known.add(partition, key);
    }
  }

  reset(): void {
    this.#columns.reset();
    this.#added.clear();
    this.rows = 0;
  }

  #note(partition: number, key: string): void {
    if (this.#known.has(partition, key)) return;
    let added = this.#added.get(partition);
    if (added === undefined) {
      added = new Set();
      this.#added.set(partition, added);
    }
    if (added.has(key)) return;
    added.add(key);
    this.#time.uint32(partition);
    this.#key.text(key);
    this.rows++;
  }

  /** One entry of each key: most rows have the keys that the rows before had, and no text is made of those. */
  #distinct(bytes: Uint8Array, { keys, count }: AttributeTable): number[] {
    const { start, end } = keys;
    const found: number[] = [];
    this.#slots.fill(0);
    for (let entry = 0; entry < count; entry++) {
      let slot = this.#slotOf(bytes, start[entry], end[entry]);
      for (;;) {
        const other = this.#slots[slot] - 1;
        if (other < 0) break;
        if (isSame(bytes, start[entry], end[entry], start[other], end[other])) break;
        slot = (slot + 1) & (this.#slots.length - 1);
      }
      if (this.#slots[slot] > 0) continue;
      this.#slots[slot] = entry + 1;
      found.push(entry);
      if (found.length * 2 > this.#slots.length) this.#grow(bytes, start, end, found);
    }
    return found;
  }

  #slotOf(bytes: Uint8Array, start: number, end: number): number {
    // FNV-1a.
    let hash = 0x811c9dc5;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at], 0x01000193);
    return (hash ^ (hash >>> 15)) & (this.#slots.length - 1);
  }

  #grow(bytes: Uint8Array, start: Uint32Array, end: Uint32Array, found: readonly number[]): void {
    this.#slots = new Uint32Array(this.#slots.length * 4);
    for (const entry of found) {
      let slot = this.#slotOf(bytes, start[entry], end[entry]);
      while (this.#slots[slot] > 0) slot = (slot + 1) & (this.#slots.length - 1);
      this.#slots[slot] = entry + 1;
    }
  }
}

function isSame(bytes: Uint8Array, start: number, end: number, otherStart: number, otherEnd: number): boolean {
  if (end - start !== otherEnd - otherStart) return false;
  for (let at = start, other = otherStart; at < end; at++, other++) if (bytes[at] !== bytes[other]) return false;
  return true;
}
