export const TRACE_ID_BYTES = 16;
export const SPAN_ID_BYTES = 8;

/** Whether `width` bytes at row `row` are all zero, which OTLP takes for an absent or invalid id. */
export function isZeroId(column: Uint8Array, width: number, row: number): boolean {
  const end = row * width + width;
  for (let i = row * width; i < end; i++) {
    if (column[i] !== 0) {
      return false;
    }
  }
  return true;
}

/** Copies `width` bytes from `from` to row `row` of `column`. */
function copyId(source: Uint8Array, from: number, column: Uint8Array, width: number, row: number): void {
  const to = row * width;
  for (let i = 0; i < width; i++) {
    column[to + i] = source[from + i];
  }
}

/**
 * Sets row `row` to the id that is at `start` to `end` of `source`; an id of another length than `width` sets zeros.
 * Returns whether the length was right, or the id was left out (length 0).
 */
export function setId(
  source: Uint8Array,
  start: number,
  end: number,
  column: Uint8Array,
  width: number,
  row: number,
): boolean {
  if (end - start === width) {
    copyId(source, start, column, width, row);
    return true;
  }
  column.fill(0, row * width, row * width + width);
  return end === start;
}
