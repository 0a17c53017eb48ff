import { ResourceTable } from './resource-table.ts';
import { ScopeTable } from './scope-table.ts';

/**
 * What the batches of all signals share: columns over the bytes that they came in.
 *
 * Ownership: a batch, its `bytes` and its columns belong to whoever was given it, for the length of the call. Keep a row
 * beyond the call by copying what you need. Don't hold a column across a call that may add rows: columns that grow are
 * replaced. A column has room for more rows than there are; its valid part is `subarray(0, rowCount)`.
 *
 * Slices into `bytes` may overlap and stand in any order; bytes that no slice covers mean nothing.
 */
export abstract class RecordBatch {
  /** May be longer than what is used: see `byteCount`. */
  bytes: Uint8Array;
  byteCount: number;
  readonly resources = new ResourceTable();
  readonly scopes = new ScopeTable();

  /** Takes `bytes` over: the caller must not touch them again. */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.byteCount = bytes.length;
  }

  /** Number of spans, log records or data points. */
  abstract readonly rowCount: number;

  /** Copies `added` to the end of `bytes` (which may be replaced) and returns where it starts there. */
  appendBytes(added: Uint8Array): number {
    const start = this.byteCount;
    const needed = start + added.length;
    if (needed > this.bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
      grown.set(this.bytes.subarray(0, start));
      this.bytes = grown;
    }
    this.bytes.set(added, start);
    this.byteCount = needed;
    return start;
  }
}
