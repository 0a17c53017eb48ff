import {
  closeSync,
  existsSync,
  fdatasync,
  fsyncSync,
  openSync,
  read,
  readFileSync,
  truncateSync,
  unlinkSync,
  write,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import type { QueueEntry } from './record-queue.ts';

const readAsync = promisify(read);
const writeAsync = promisify(write);
const fdatasyncAsync = promisify(fdatasync);

/** Length of the content, CRC-32 of what follows it, records, kind: four little-endian 32-bit numbers. */
const HEADER_BYTES = 16;

export interface SegmentEntry extends QueueEntry {
  readonly segment: Segment;
  /** Place in the segment, from 0. */
  readonly index: number;
  /** Where its content starts in the file. */
  readonly offset: number;
  /** The content while it is kept in memory. */
  content: Uint8Array<ArrayBuffer> | null;
}

/**
 * A file of entries, written at its end only, and beside it a file of the numbers of entries that are done. A segment is deleted when
 * all of it is done; until then the second file keeps finished entries from coming back when the process dies.
 */
export class Segment {
  readonly number: number;
  readonly #path: string;
  readonly #file: number;
  readonly #acks: number;
  size = 0;
  entryCount = 0;
  doneCount = 0;

  private constructor(path: string, number: number, file: number) {
    this.#path = path;
    this.number = number;
    this.#file = file;
    this.#acks = openSync(`${path}.done`, 'a', 0o600);
  }

  /** A new, empty segment, of which the folder knows for good. */
  static create(path: string, number: number): Segment {
    const segment = new Segment(path, number, openSync(path, 'wx+', 0o600));
    const folder = openSync(dirname(path), 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
    return segment;
  }

  /**
   * Reads the entries of an earlier life that are not done. What a crash cut off at the end is removed: nobody was told that it is kept.
   * `damagedBytes`: what could not be read.
   */
  static recover(path: string, number: number): { segment: Segment; entries: SegmentEntry[]; damagedBytes: number } {
    const bytes = readFileSync(path);
    const segment = new Segment(path, number, openSync(path, 'r+'));
    const done = new Set(readDone(`${path}.done`));
    const entries: SegmentEntry[] = [];
    let position = 0;
    for (;;) {
      const end = entryEnd(bytes, position);
      if (end === null) break;
      const index = segment.entryCount++;
      const entry: SegmentEntry = {
        segment,
        index,
        offset: position + HEADER_BYTES,
        size: end - position - HEADER_BYTES,
        count: bytes.readUInt32LE(position + 8),
        kind: bytes.readUInt32LE(position + 12),
        content: null,
      };
      if (done.has(index)) segment.doneCount += 1;
      else entries.push(entry);
      position = end;
    }
    const damagedBytes = bytes.length - position;
    if (damagedBytes > 0) truncateSync(path, position);
    segment.size = position;
    return { segment, entries, damagedBytes };
  }

  /** Writes entries and syncs them. They count only when this resolves; after a failure the segment takes no more. */
  async append(added: readonly { kind: number; count: number; bytes: Uint8Array }[]): Promise<SegmentEntry[]> {
    const total = added.reduce((sum, { bytes }) => sum + HEADER_BYTES + bytes.length, 0);
    const block = Buffer.allocUnsafe(total);
    const entries: SegmentEntry[] = [];
    let position = 0;
    for (const { kind, count, bytes } of added) {
      block.writeUInt32LE(bytes.length, position);
      block.writeUInt32LE(count, position + 8);
      block.writeUInt32LE(kind, position + 12);
      block.set(bytes, position + HEADER_BYTES);
      const end = position + HEADER_BYTES + bytes.length;
      block.writeUInt32LE(crc32(block.subarray(position + 8, end)), position + 4);
      entries.push({
        segment: this,
        index: this.entryCount + entries.length,
        offset: this.size + position + HEADER_BYTES,
        size: bytes.length,
        count,
        kind,
        content: null,
      });
      position = end;
    }
    for (let written = 0; written < total; ) {
      const { bytesWritten } = await writeAsync(this.#file, block, written, total - written, this.size + written);
      written += bytesWritten;
    }
    await fdatasyncAsync(this.#file);
    this.size += total;
    this.entryCount += entries.length;
    return entries;
  }

  /** Of an entry of this segment. */
  async read({ offset, size }: SegmentEntry): Promise<Uint8Array<ArrayBuffer>> {
    const content = new Uint8Array(size);
    for (let done = 0; done < size; ) {
      const { bytesRead } = await readAsync(this.#file, content, done, size - done, offset + done);
      if (bytesRead === 0) throw new Error(`${this.#path} is shorter than it was`);
      done += bytesRead;
    }
    return content;
  }

  /** Not synced: if the machine dies right now, the entry is sent once more. */
  markDone({ index }: SegmentEntry): void {
    const number = Buffer.alloc(4);
    number.writeUInt32LE(index);
    writeSync(this.#acks, number);
    this.doneCount += 1;
  }

  close(): void {
    closeSync(this.#file);
    closeSync(this.#acks);
  }

  delete(): void {
    this.close();
    unlinkSync(this.#path);
    unlinkSync(`${this.#path}.done`);
  }
}

/** Where the entry at `position` ends; null: there is no whole entry. */
function entryEnd(bytes: Buffer, position: number): number | null {
  if (position + HEADER_BYTES > bytes.length) return null;
  const end = position + HEADER_BYTES + bytes.readUInt32LE(position);
  if (end > bytes.length) return null;
  return crc32(bytes.subarray(position + 8, end)) === bytes.readUInt32LE(position + 4) ? end : null;
}

function readDone(path: string): number[] {
  if (!existsSync(path)) return [];
  const bytes = readFileSync(path);
  return Array.from({ length: Math.floor(bytes.length / 4) }, (_, index) => bytes.readUInt32LE(index * 4));
}
