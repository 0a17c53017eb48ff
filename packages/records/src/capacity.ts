/** Most rows of one table. Far above any honest request; below it, a hostile request's columns stay a few hundred MB. */
export const MAX_TABLE_ROWS = 1 << 22;

/** Most bytes of one batch. Processors that add texts stop here, before a text becomes more than memory can hold. */
export const MAX_BATCH_BYTES = 1 << 30;

const FIRST_CAPACITY = 16;

/** A table was to hold more than `MAX_TABLE_ROWS` rows, or a batch more than `MAX_BATCH_BYTES` bytes. */
export class BatchTooLargeError extends Error {
  constructor(what: string, most = MAX_TABLE_ROWS) {
    super(`more than ${most} ${what} in one batch`);
    this.name = 'BatchTooLargeError';
  }
}

/** The capacity to grow to when `needed` rows no longer fit: at least doubled, so that growth costs O(1) per row. */
export function grownCapacity(capacity: number, needed: number, what: string): number {
  if (needed > MAX_TABLE_ROWS) {
    throw new BatchTooLargeError(what);
  }
  return Math.min(MAX_TABLE_ROWS, Math.max(FIRST_CAPACITY, capacity * 2, needed));
}

export function grownUint8(column: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const grown = new Uint8Array(length);
  grown.set(column);
  return grown;
}

export function grownUint32(column: Uint32Array, length: number): Uint32Array<ArrayBuffer> {
  const grown = new Uint32Array(length);
  grown.set(column);
  return grown;
}

export function grownInt32(column: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(length);
  grown.set(column);
  return grown;
}

export function grownFloat64(column: Float64Array, length: number): Float64Array<ArrayBuffer> {
  const grown = new Float64Array(length);
  grown.set(column);
  return grown;
}
