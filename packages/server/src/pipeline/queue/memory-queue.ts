import { queueFull } from './queue-full.ts';
import type { QueueEntry, RecordQueue } from './record-queue.ts';
import { WaitingEntries } from './waiting-entries.ts';

interface MemoryEntry extends QueueEntry {
  readonly content: Uint8Array<ArrayBuffer>;
}

/** A queue that a crash empties. Whoever chooses it tells the user what that would lose. */
export class MemoryQueue implements RecordQueue {
  onEntry: () => void = () => {};
  readonly maxBytes: number;
  readonly #entries = new WaitingEntries<MemoryEntry>();

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  get length(): number {
    return this.#entries.length;
  }

  get records(): number {
    return this.#entries.records;
  }

  get bytes(): number {
    return this.#entries.bytes;
  }

  async append(kind: number, count: number, bytes: Uint8Array): Promise<void> {
    if (this.#entries.bytes + bytes.length > this.maxBytes) throw queueFull(this.maxBytes);
    this.#entries.add({ kind, count, size: bytes.length, content: Uint8Array.from(bytes) });
    this.onEntry();
  }

  take(): QueueEntry | null {
    return this.#entries.take();
  }

  async read(entry: QueueEntry): Promise<Uint8Array<ArrayBuffer>> {
    // A reader may use the bytes up, and yet try again later.
    return Uint8Array.from((entry as MemoryEntry).content);
  }

  done(entry: QueueEntry): void {
    this.#entries.remove(entry as MemoryEntry);
  }

  putBack(entry: QueueEntry): void {
    this.#entries.putBack(entry as MemoryEntry);
    this.onEntry();
  }

  async close(): Promise<void> {}
}
