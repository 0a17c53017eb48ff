import { AttributeType } from './attribute-type.ts';
import { grownUint8, grownUint32 } from './capacity.ts';

/**
 * A column of typed values (`AnyValue` in common.proto), one per row. Which part of a row holds the value depends on `type`:
 * - String, Bytes: the raw bytes at `start` to `end` of the batch's `bytes`;
 * - Array, KeyValueList: there, the value's OTLP protobuf `AnyValue` encoding, already checked;
 * - Int: `ints`; Double: `doubles`; Bool: `ints`, 0 or 1. The three number columns see the same memory;
 *   in `words` the low word of row i is at 2i, the high at 2i + 1;
 * - Empty: nothing.
 * Parts that a type does not use are zero.
 */
export class AnyValueColumn {
  type: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  start: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  end: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  ints: BigInt64Array<ArrayBuffer> = new BigInt64Array(0);
  doubles: Float64Array<ArrayBuffer> = new Float64Array(0);
  words: Uint32Array<ArrayBuffer> = new Uint32Array(0);

  grow(capacity: number): void {
    this.type = grownUint8(this.type, capacity);
    this.start = grownUint32(this.start, capacity);
    this.end = grownUint32(this.end, capacity);
    const ints = new BigInt64Array(capacity);
    ints.set(this.ints);
    this.ints = ints;
    this.doubles = new Float64Array(ints.buffer);
    this.words = new Uint32Array(ints.buffer);
  }

  /** Takes the columns of `other` over. */
  take(other: AnyValueColumn): void {
    this.type = other.type;
    this.start = other.start;
    this.end = other.end;
    this.ints = other.ints;
    this.doubles = other.doubles;
    this.words = other.words;
  }

  /** Copies rows of `source` to those from `first` on, for which there is room. `shift`: where the source's bytes start in ours. */
  gather(first: number, source: AnyValueColumn, rows: Uint32Array, shift: number): void {
    const { type, start, end, words } = this;
    for (let i = 0; i < rows.length; i++) {
      const from = rows[i];
      const to = first + i;
      const kind = source.type[from];
      const moved = isSlice(kind) ? shift : 0;
      type[to] = kind;
      start[to] = source.start[from] + moved;
      end[to] = source.end[from] + moved;
      words[to * 2] = source.words[from * 2];
      words[to * 2 + 1] = source.words[from * 2 + 1];
    }
  }

  setEmpty(row: number): void {
    this.#set(row, AttributeType.Empty, 0, 0, 0, 0);
  }

  /** String, Bytes, Array or KeyValueList. */
  setSlice(row: number, type: AttributeType, start: number, end: number): void {
    this.#set(row, type, start, end, 0, 0);
  }

  setBool(row: number, value: boolean): void {
    this.#set(row, AttributeType.Bool, 0, 0, value ? 1 : 0, 0);
  }

  setInt(row: number, low: number, high: number): void {
    this.#set(row, AttributeType.Int, 0, 0, low, high);
  }

  /** The bits of a double, low word first. */
  setDoubleWords(row: number, low: number, high: number): void {
    this.#set(row, AttributeType.Double, 0, 0, low, high);
  }

  setDouble(row: number, value: number): void {
    this.#set(row, AttributeType.Double, 0, 0, 0, 0);
    this.doubles[row] = value;
  }

  #set(row: number, type: AttributeType, start: number, end: number, low: number, high: number): void {
    this.type[row] = type;
    this.start[row] = start;
    this.end[row] = end;
    this.words[row * 2] = low;
    this.words[row * 2 + 1] = high;
  }
}

/** Whether a value of this type lies in the batch's bytes. */
export function isSlice(type: number): boolean {
  return type === AttributeType.String || type >= AttributeType.Array;
}
