import { grownUint32 } from './capacity.ts';

/** A column of byte strings: for row i, `start[i]` to `end[i]` (exclusive) in the `bytes` of the batch. Strings are UTF-8. */
export class ByteSlices {
  start: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  end: Uint32Array<ArrayBuffer> = new Uint32Array(0);

  grow(capacity: number): void {
    this.start = grownUint32(this.start, capacity);
    this.end = grownUint32(this.end, capacity);
  }

  /** Takes the columns of `other` over. */
  take(other: ByteSlices): void {
    this.start = other.start;
    this.end = other.end;
  }

  /** Copies rows of `source` to those from `first` on, for which there is room. `shift`: where the source's bytes start in ours. */
  gather(first: number, source: ByteSlices, rows: Uint32Array, shift: number): void {
    const { start, end } = this;
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i];
      start[first + i] = source.start[row] + shift;
      end[first + i] = source.end[row] + shift;
    }
  }

  set(row: number, start: number, end: number): void {
    this.start[row] = start;
    this.end[row] = end;
  }
}
