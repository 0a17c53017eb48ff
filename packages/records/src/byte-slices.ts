import { grownUint32 } from './capacity.ts';

/** A column of byte strings: for row i, `start[i]` to `end[i]` (exclusive) in the `bytes` of the batch. Strings are UTF-8. */
export class ByteSlices {
  start: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  end: Uint32Array<ArrayBuffer> = new Uint32Array(0);

  grow(capacity: number): void {
    this.start = grownUint32(this.start, capacity);
    this.end = grownUint32(this.end, capacity);
  }

  set(row: number, start: number, end: number): void {
    this.start[row] = start;
    this.end[row] = end;
  }
}
