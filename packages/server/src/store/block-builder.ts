import type { ConsumeResult } from '../pipeline/consumer.ts';
import type { NativeBlock } from './native-block.ts';

/** A block on its way to a table. */
export interface TableBlock {
  readonly table: string;
  readonly block: NativeBlock;
}

/** Encodes batches one after the other into the blocks of one insert. */
export interface BlockBuilder<Batch> {
  /** Rows so far, of the table that gets most. */
  readonly rows: number;
  /** Bytes so far. */
  readonly byteLength: number;
  /** Partitions of the rows so far. Each becomes a part: some ten files, each with its fsync. */
  readonly partitions: number;
  /** Adds the batch's rows; the result tells of those that can never be stored. After a throw the builder is in no usable state but `reset`. */
  append(batch: Batch): ConsumeResult;
  /** The blocks in the order in which they must be inserted: what is referred to comes first. Valid until `reset`. */
  blocks(): TableBlock[];
  /** All blocks are durable. */
  committed(): void;
  /** Forgets all rows; keeps its buffers. */
  reset(): void;
}
