import { type AnyBatch, copyBatch } from './any-batch.ts';

/** Places that were moved lately; the slot of a slice is the low bits of its start. */
const MEMORY_SLOTS = 1024;

/**
 * A batch of the same rows whose bytes are its own and hold only what its rows refer to: for a stage that keeps some rows of a
 * large request. A text that many rows share stays shared as long as it is met often.
 */
export function compactBatch<Batch extends AnyBatch>(batch: Batch): Batch {
  const compact = copyBatch(batch);
  const from = batch.bytes;
  const starts = new Int32Array(MEMORY_SLOTS).fill(-1);
  const ends = new Int32Array(MEMORY_SLOTS);
  const moved = new Uint32Array(MEMORY_SLOTS);
  let bytes = new Uint8Array(Math.min(batch.byteCount, 4096));
  let count = 0;
  compact.visitSlices(({ start, end }, rowCount) => {
    for (let row = 0; row < rowCount; row++) {
      const first = start[row];
      const last = end[row];
      const length = last - first;
      if (length === 0) {
        start[row] = 0;
        end[row] = 0;
        continue;
      }
      const slot = first & (MEMORY_SLOTS - 1);
      if (starts[slot] !== first || ends[slot] !== last) {
        if (count + length > bytes.length) {
          const grown = new Uint8Array(Math.max(count + length, bytes.length * 2));
          grown.set(bytes);
          bytes = grown;
        }
        copy(bytes, count, from, first, last);
        starts[slot] = first;
        ends[slot] = last;
        moved[slot] = count;
        count += length;
      }
      start[row] = moved[slot];
      end[row] = moved[slot] + length;
    }
  });
  compact.bytes = bytes;
  compact.byteCount = count;
  return compact;
}

function copy(to: Uint8Array, at: number, from: Uint8Array, start: number, end: number): void {
  if (end - start > 64) {
    to.set(from.subarray(start, end), at);
    return;
  }
  for (let i = start, target = at; i < end; i++) {
    to[target++] = from[i];
  }
}
