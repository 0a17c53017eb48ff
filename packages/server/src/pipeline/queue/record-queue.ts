/** Something that waits in a queue. Its bytes are asked for when they are needed. */
export interface QueueEntry {
  /** The owner's own word for what the bytes are, 0 to 255: which signal, say. */
  readonly kind: number;
  /** Records in it. */
  readonly count: number;
  /** Bytes. */
  readonly size: number;
}

/**
 * Holds encoded records between the stage that acknowledged them and the one that will take them. Order is that of arrival; entries may
 * be finished in any order.
 *
 * Delivery is at least once: what was not `done` when the process died is there again when the queue is opened, in its order.
 */
export interface RecordQueue {
  /**
   * Resolves when the entry is kept as safely as this queue keeps things; `bytes` are then the caller's again. Throws
   * `SignalboxError`: `resource_exhausted` when there is no room, `unavailable` when it can't be written.
   */
  append(kind: number, count: number, bytes: Uint8Array): Promise<void>;
  /** The oldest entry that nobody has taken, or null. It stays in the queue until `done`. */
  take(): QueueEntry | null;
  /** The bytes of an entry that was taken. */
  read(entry: QueueEntry): Promise<Uint8Array<ArrayBuffer>>;
  /** The entry need not be kept any longer. */
  done(entry: QueueEntry): void;
  /** The entry was taken for nothing: it is the next to be taken again. */
  putBack(entry: QueueEntry): void;
  /** Called whenever there is something to take. */
  onEntry: () => void;
  /** Entries, taken or not. */
  readonly length: number;
  /** Records in them. */
  readonly records: number;
  /** Bytes that count against the limit. */
  readonly bytes: number;
  readonly maxBytes: number;
  /** Waits for what is being written, and lets go of files. What is in a durable queue stays there. */
  close(): Promise<void>;
}
