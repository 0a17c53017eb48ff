import { type AttributeTable, AttributeType } from '@signalbox/records';
import { ColumnBuffer } from './column-buffer.ts';
import { Sha1 } from './sha1.ts';

/** Makes ids of things by what they are: fields and attributes in canonical form, hashed. */
export class CanonicalHash {
  readonly form = new ColumnBuffer(512);
  readonly #sha1 = new Sha1();
  #order: number[] = [];

  start(): void {
    this.form.reset();
    this.#sha1.keep(this.form.bytes, 0);
  }

  /** What follows begins with the form so far: its length is to be set back to what it is now, before each. */
  keep(): void {
    this.#sha1.keep(this.form.bytes, this.form.length);
  }

  /** Adds an owner's attributes, in the order of their keys' bytes: senders may order them as they like. */
  attributes(bytes: Uint8Array, table: AttributeTable, owner: number): void {
    const first = table.offsets[owner];
    const last = table.offsets[owner + 1];
    const { keys, values } = table;
    const order = this.#order;
    order.length = 0;
    // Insertion sort: there are few, and mostly in the same order already.
    for (let entry = first; entry < last; entry++) {
      let at = order.length;
      while (at > 0 && compare(bytes, keys, order[at - 1], entry) > 0) {
        order[at] = order[at - 1];
        at--;
      }
      order[at] = entry;
    }
    this.form.varint(order.length);
    for (const entry of order) {
      this.form.string(bytes, keys.start[entry], keys.end[entry]);
      const type = values.type[entry];
      this.form.uint8(type);
      if (type === AttributeType.Int || type === AttributeType.Double || type === AttributeType.Bool) {
        this.form.uint64(values.words[entry * 2], values.words[entry * 2 + 1]);
      } else {
        this.form.string(bytes, values.start[entry], values.end[entry]);
      }
    }
  }

  /** The first 8 bytes of the form's SHA-1, little-endian. */
  finish(): bigint {
    return this.#sha1.first8(this.form.bytes, this.form.length);
  }
}

function compare(bytes: Uint8Array, keys: { start: Uint32Array; end: Uint32Array }, a: number, b: number): number {
  const startA = keys.start[a];
  const startB = keys.start[b];
  const lengthA = keys.end[a] - startA;
  const lengthB = keys.end[b] - startB;
  const shorter = Math.min(lengthA, lengthB);
  for (let i = 0; i < shorter; i++) {
    const difference = bytes[startA + i] - bytes[startB + i];
    if (difference !== 0) {
      return difference;
    }
  }
  return lengthA - lengthB;
}
