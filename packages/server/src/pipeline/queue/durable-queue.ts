import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { SignalboxError } from '../signalbox-error.ts';
import { FolderLock } from './folder-lock.ts';
import { queueFull } from './queue-full.ts';
import type { QueueEntry, RecordQueue } from './record-queue.ts';
import { Segment, type SegmentEntry } from './segment.ts';
import { WaitingEntries } from './waiting-entries.ts';

export interface DurableQueueOptions {
  /** Its own; made if it is not there. One process at a time. */
  readonly folder: string;
  /** Limit of its files together, in bytes. */
  readonly maxBytes: number;
  /** Content kept in memory as well, so that what is taken soon need not be read; in bytes. Default: 16 MiB. */
  readonly cacheBytes?: number;
  /** Told what was found damaged when it was opened: at most what nobody was told is kept, unless the disk is at fault. */
  readonly onDamage?: (file: string, bytes: number) => void;
}

interface Pending {
  readonly kind: number;
  readonly count: number;
  readonly bytes: Uint8Array;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const LARGEST_SEGMENT_BYTES = 16 * 1024 * 1024;

/**
 * A queue on disk that survives `kill -9` and a power cut: `append` resolves when the entry is synced. What arrives while a sync runs
 * shares the next one.
 *
 * Files are segments, written at the end only and deleted as a whole when all in them is done. The limit counts files, so it bounds the
 * disk and not only what waits; one entry that is never done holds a segment, an eighth of the limit at most.
 */
export class DurableQueue implements RecordQueue {
  onEntry: () => void = () => {};
  readonly maxBytes: number;
  readonly #folder: string;
  readonly #lock: FolderLock;
  readonly #cacheBytes: number;
  readonly #segmentBytes: number;
  readonly #entries = new WaitingEntries<SegmentEntry>();
  /** By number; the last one is written to. */
  readonly #segments = new Set<Segment>();
  #current: Segment | null = null;
  #nextNumber = 1;
  #pending: Pending[] = [];
  #pendingBytes = 0;
  #cached = 0;
  #writing: Promise<void> | null = null;
  #closed = false;

  private constructor(options: DurableQueueOptions, lock: FolderLock) {
    this.#folder = options.folder;
    this.#lock = lock;
    this.maxBytes = options.maxBytes;
    this.#cacheBytes = options.cacheBytes ?? 16 * 1024 * 1024;
    this.#segmentBytes = Math.min(LARGEST_SEGMENT_BYTES, Math.ceil(options.maxBytes / 8));
  }

  /** Opens the folder with what an earlier life left in it. Throws `SignalboxError` when another process has it, or it can't be used. */
  static open(options: DurableQueueOptions): DurableQueue {
    const { folder, onDamage } = options;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const lock = FolderLock.take(folder);
    try {
      const queue = new DurableQueue(options, lock);
      for (const name of readdirSync(folder).sort()) {
        const number = /^(\d{12})\.queue$/.exec(name)?.[1];
        if (number === undefined) continue;
        const { segment, entries, damagedBytes } = Segment.recover(join(folder, name), Number(number));
        queue.#nextNumber = segment.number + 1;
        if (damagedBytes > 0) onDamage?.(join(folder, name), damagedBytes);
        if (entries.length === 0) {
          segment.delete();
          continue;
        }
        queue.#segments.add(segment);
        for (const entry of entries) queue.#entries.add(entry);
      }
      return queue;
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  get length(): number {
    return this.#entries.length;
  }

  get records(): number {
    return this.#entries.records;
  }

  get bytes(): number {
    let bytes = 0;
    for (const { size } of this.#segments) bytes += size;
    return bytes;
  }

  append(kind: number, count: number, bytes: Uint8Array): Promise<void> {
    if (this.#closed) return Promise.reject(new SignalboxError('unavailable', 'The queue is closing'));
    if (this.bytes + this.#pendingBytes + bytes.length > this.maxBytes) return Promise.reject(queueFull(this.maxBytes));
    return new Promise((resolve, reject) => {
      this.#pending.push({ kind, count, bytes, resolve, reject });
      this.#pendingBytes += bytes.length;
      this.#writing ??= this.#writeAll();
    });
  }

  take(): QueueEntry | null {
    return this.#entries.take();
  }

  async read(entry: QueueEntry): Promise<Uint8Array<ArrayBuffer>> {
    const { content, segment } = entry as SegmentEntry;
    return content === null ? await segment.read(entry as SegmentEntry) : Uint8Array.from(content);
  }

  done(entry: QueueEntry): void {
    const finished = entry as SegmentEntry;
    // Too late to be written down: the next life does it once more.
    if (this.#closed) return;
    if (!this.#entries.remove(finished)) return;
    this.#dropContent(finished);
    const { segment } = finished;
    segment.markDone(finished);
    if (segment.doneCount === segment.entryCount && segment !== this.#current) this.#delete(segment);
  }

  putBack(entry: QueueEntry): void {
    this.#entries.putBack(entry as SegmentEntry);
    this.onEntry();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#writing;
    for (const segment of this.#segments) {
      if (segment.doneCount === segment.entryCount) segment.delete();
      else segment.close();
    }
    this.#segments.clear();
    this.#lock.release();
  }

  /** Group commit: one write and one sync for all that waits. */
  async #writeAll(): Promise<void> {
    while (this.#pending.length > 0) {
      const group = this.#pending;
      this.#pending = [];
      try {
        const segment = this.#writable();
        const entries = await segment.append(group);
        for (const [index, entry] of entries.entries()) {
          this.#keepContent(entry, (group[index] as Pending).bytes);
          this.#entries.add(entry);
        }
        for (const { resolve } of group) resolve();
        this.onEntry();
      } catch (error) {
        // What is in the file beyond the last sync is unknown now; the next group starts another file.
        this.#seal();
        const cause = new SignalboxError('unavailable', 'The queue on disk can not be written', { cause: error });
        for (const { reject } of group) reject(cause);
      } finally {
        this.#pendingBytes -= group.reduce((sum, { bytes }) => sum + bytes.length, 0);
      }
    }
    this.#writing = null;
  }

  #writable(): Segment {
    if (this.#current !== null && this.#current.size >= this.#segmentBytes) this.#seal();
    if (this.#current === null) {
      const number = this.#nextNumber++;
      this.#current = Segment.create(join(this.#folder, `${String(number).padStart(12, '0')}.queue`), number);
      this.#segments.add(this.#current);
    }
    return this.#current;
  }

  /** Nothing more is written to the current segment. */
  #seal(): void {
    const segment = this.#current;
    this.#current = null;
    if (segment !== null && segment.doneCount === segment.entryCount) this.#delete(segment);
  }

  #delete(segment: Segment): void {
    this.#segments.delete(segment);
    segment.delete();
  }

  #keepContent(entry: SegmentEntry, bytes: Uint8Array): void {
    if (this.#cached + bytes.length > this.#cacheBytes) return;
    entry.content = Uint8Array.from(bytes);
    this.#cached += bytes.length;
  }

  #dropContent(entry: SegmentEntry): void {
    if (entry.content === null) return;
    this.#cached -= entry.content.length;
    entry.content = null;
  }
}
