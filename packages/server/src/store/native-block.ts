import type { WrittenMetric } from './metric-changes.ts';

/** Columns of rows in ClickHouse's `Native` format, ready to be written to a file or a request body. */
export interface NativeBlock {
  readonly rows: number;
  /** No row is of an earlier time, in ms since 1970; undefined: that is not known. */
  readonly earliestMs?: number;
  /** Of rows of `series`: the metrics that they are of; undefined: that is not known. */
  readonly metrics?: readonly WrittenMetric[];
  /** Columns in the order of the bytes, with the types that the bytes declare (not always the table's: String for LowCardinality). */
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** The block's bytes in pieces. They are the encoder's buffers: valid until the encoder is used again. */
  readonly chunks: readonly Uint8Array[];
  /** Sum of the chunks' lengths. */
  readonly byteLength: number;
}
