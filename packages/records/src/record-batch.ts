import type { ByteSlices } from './byte-slices.ts';
import { BatchTooLargeError, MAX_BATCH_BYTES } from './capacity.ts';
import { ResourceTable } from './resource-table.ts';
import { ScopeTable } from './scope-table.ts';
import type { SlicesVisitor } from './slices-visitor.ts';
import { UsedRows } from './used-rows.ts';

const encoder = new TextEncoder();

/**
 * What the batches of all signals share: columns over the bytes that they came in.
 *
 * Ownership: a batch, its `bytes` and its columns belong to whoever was given it, for the length of the call. Keep a row
 * beyond the call by copying what you need: the batch is `reuse`d. Don't hold a column across a call that may add rows: columns that grow are
 * replaced. A column has room for more rows than there are; its valid part is `subarray(0, rowCount)`.
 *
 * Slices into `bytes` may overlap and stand in any order; bytes that no slice covers mean nothing.
 */
export abstract class RecordBatch {
  /** May be longer than what is used: see `byteCount`. */
  bytes: Uint8Array;
  /** Bytes in use. */
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

  /**
   * Adds copies of the resources and scopes of `source` that its rows `rows` refer to. Returns where they are now: by old
   * row, -1 for those left out.
   */
  protected appendOrigins(
    source: RecordBatch,
    columns: { readonly resource: Uint32Array; readonly scope: Uint32Array },
    rows: Uint32Array,
    shift: number,
  ): { readonly resources: Int32Array; readonly scopes: Int32Array } {
    const usedResources = new UsedRows(source.resources.rowCount, this.resources.rowCount);
    const usedScopes = new UsedRows(source.scopes.rowCount, this.scopes.rowCount);
    for (let i = 0; i < rows.length; i++) {
      usedResources.use(columns.resource[rows[i]]);
      usedScopes.use(columns.scope[rows[i]]);
    }
    this.resources.append(source.resources, usedResources.rows(), shift);
    this.scopes.append(source.scopes, usedScopes.rows(), usedResources.map, shift);
    return { resources: usedResources.map, scopes: usedScopes.map };
  }

  /** Forgets all rows and takes `bytes` over, as if made anew; columns keep their room. */
  reuse(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.byteCount = bytes.length;
    this.resources.clear();
    this.scopes.clear();
  }

  /** Visits every column of slices into `bytes`. */
  visitSlices(visit: SlicesVisitor): void {
    this.resources.visitSlices(visit);
    this.scopes.visitSlices(visit);
  }

  /** Copies `added` to the end of `bytes` (which may be replaced) and returns where it starts there. */
  appendBytes(added: Uint8Array): number {
    const start = this.byteCount;
    this.#reserve(added.length);
    this.bytes.set(added, start);
    this.byteCount = start + added.length;
    return start;
  }

  /** Writes `text` in UTF-8 to the end of `bytes` (which may be replaced) and returns where it starts; it ends at `byteCount`. */
  appendText(text: string): number {
    const start = this.byteCount;
    // A UTF-16 unit takes at most three bytes of UTF-8.
    this.#reserve(text.length * 3);
    this.byteCount = start + encoder.encodeInto(text, this.bytes.subarray(start)).written;
    return start;
  }

  /** Sets a row of a column of texts of this batch. */
  setText(slices: ByteSlices, row: number, text: string): void {
    const start = this.appendText(text);
    slices.set(row, start, this.byteCount);
  }

  #reserve(count: number): void {
    const needed = this.byteCount + count;
    if (needed > MAX_BATCH_BYTES) {
      throw new BatchTooLargeError('bytes', MAX_BATCH_BYTES);
    }
    if (needed > this.bytes.length) {
      const grown = new Uint8Array(Math.min(MAX_BATCH_BYTES, Math.max(needed, this.bytes.length * 2)));
      grown.set(this.bytes.subarray(0, this.byteCount));
      this.bytes = grown;
    }
  }
}
