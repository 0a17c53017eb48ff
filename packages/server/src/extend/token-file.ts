import { readFileSync, statSync } from 'node:fs';
import { SignalboxError } from '../pipeline/signalbox-error.ts';

/** Between two looks whether the file changed, in milliseconds. */
const LOOK_INTERVAL_MS = 1_000;

/** The lines of a file that may change while the program runs; what could not be read keeps what it was. */
export class TokenFile {
  readonly #path: string;
  #lines: readonly string[] = [];
  #changedMs = -1;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(path: string) {
    this.#path = path;
  }

  /** Throws `SignalboxError` when the file can't be read. */
  start(): void {
    try {
      this.#read();
    } catch (error) {
      throw new SignalboxError('invalid_argument', `${this.#path}: ${(error as Error).message}`, { cause: error });
    }
  }

  get lines(): readonly string[] {
    const now = performance.now();
    if (now - this.#lookedAt >= LOOK_INTERVAL_MS) {
      this.#lookedAt = now;
      try {
        this.#read();
      } catch {
        // It is being replaced; the next look finds it.
      }
    }
    return this.#lines;
  }

  #read(): void {
    const { mtimeMs } = statSync(this.#path);
    if (mtimeMs === this.#changedMs) return;
    const text = readFileSync(this.#path, 'utf8');
    this.#lines = text.split('\n').flatMap((line) => line.trim() || []);
    this.#changedMs = mtimeMs;
  }
}
