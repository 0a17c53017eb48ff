import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';

export interface Rotation {
  /** A file that would grow beyond is put aside first. */
  readonly maxBytes: number;
  /** Files put aside that are kept; 0: all. */
  readonly maxBackups: number;
  /** Files put aside longer ago go; 0: none. */
  readonly maxAgeMs: number;
}

export interface RotatingFileOptions {
  readonly path: string;
  /** Whether what the file had stays. */
  readonly append: boolean;
  readonly createFolder: boolean;
  /** undefined: the file grows for ever. */
  readonly rotation: Rotation | undefined;
  readonly now: () => number;
}

interface Waiting {
  readonly bytes: Uint8Array;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** A file to whose end writers put pieces. Those that come while one is being written go to the disk together. */
export class RotatingFile {
  readonly #options: RotatingFileOptions;
  #file: FileHandle | undefined;
  #size = 0;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;

  constructor(options: RotatingFileOptions) {
    this.#options = options;
  }

  /** Rejects when the file can't be opened. */
  async open(): Promise<void> {
    const { path, append, createFolder } = this.#options;
    if (createFolder) await mkdir(dirname(path), { recursive: true });
    await this.#open(append ? 'a' : 'w');
  }

  /** Resolves when the piece is synced; rejects when it is not, whole or in part. */
  async write(bytes: Uint8Array): Promise<void> {
    return await new Promise((resolve, reject) => {
      this.#waiting.push({ bytes, resolve, reject });
      this.#writing ??= this.#writeAll();
    });
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#file?.close();
    this.#file = undefined;
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        for (const { bytes } of batch) await this.#append(bytes);
        await this.#file?.datasync();
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#writing = undefined;
  }

  async #append(bytes: Uint8Array): Promise<void> {
    const { rotation } = this.#options;
    if (rotation && this.#size > 0 && this.#size + bytes.length > rotation.maxBytes) await this.#rotate(rotation);
    if (!this.#file) throw new Error('the file is not open');
    const before = this.#size;
    try {
      await this.#file.appendFile(bytes);
      this.#size += bytes.length;
    } catch (error) {
      // A disk that was full in the middle of a record leaves no half of it for readers to stumble over.
      await this.#file.truncate(before).catch(() => {});
      throw error;
    }
  }

  async #rotate({ maxBackups, maxAgeMs }: Rotation): Promise<void> {
    const { path, now } = this.#options;
    await this.#file?.datasync();
    await this.#file?.close();
    this.#file = undefined;
    const extension = extname(path);
    const stem = basename(path, extension);
    const stamp = (timeMs: number) => new Date(timeMs).toISOString().replaceAll(':', '-').replace('Z', '');
    const folder = dirname(path);
    await rename(path, join(folder, `${stem}-${stamp(now())}${extension}`));
    await this.#open('a');
    const isBackup = /^-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}$/;
    const backups = (await readdir(folder))
      .filter((name) => name.startsWith(stem) && isBackup.test(name.slice(stem.length, name.length - extension.length)))
      .filter((name) => name.endsWith(extension))
      .sort()
      .reverse();
    const oldest = `${stem}-${stamp(now() - maxAgeMs)}${extension}`;
    for (const [index, name] of backups.entries()) {
      const isSurplus = maxBackups > 0 && index >= maxBackups;
      if (isSurplus || (maxAgeMs > 0 && name < oldest)) await rm(join(folder, name), { force: true });
    }
  }

  async #open(flags: 'a' | 'w'): Promise<void> {
    if (flags === 'w') await (await open(this.#options.path, 'w', 0o600)).close();
    this.#file = await open(this.#options.path, 'a', 0o600);
    this.#size = (await this.#file.stat()).size;
  }
}
