import type { QueueEntry } from './record-queue.ts';

/** The order of a queue: which entries wait and which are taken. */
export class WaitingEntries<Entry extends QueueEntry> {
  /** From `#next` on, those that wait. */
  #waiting: Entry[] = [];
  #next = 0;
  readonly #all = new Set<Entry>();
  #records = 0;
  #bytes = 0;

  get length(): number {
    return this.#all.size;
  }

  get records(): number {
    return this.#records;
  }

  /** Of all entries. */
  get bytes(): number {
    return this.#bytes;
  }

  add(entry: Entry): void {
    this.#waiting.push(entry);
    this.#all.add(entry);
    this.#records += entry.count;
    this.#bytes += entry.size;
  }

  take(): Entry | null {
    const entry = this.#waiting[this.#next];
    if (entry === undefined) return null;
    this.#next += 1;
    if (this.#next > 1_024 && this.#next * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#next);
      this.#next = 0;
    }
    return entry;
  }

  putBack(entry: Entry): void {
    if (!this.#all.has(entry)) throw new TypeError('an entry that is not in the queue is put back');
    if (this.#next > 0) {
      this.#next -= 1;
      this.#waiting[this.#next] = entry;
    } else {
      this.#waiting.unshift(entry);
    }
  }

  /** False: it was not there any more. */
  remove(entry: Entry): boolean {
    if (!this.#all.delete(entry)) return false;
    this.#records -= entry.count;
    this.#bytes -= entry.size;
    return true;
  }
}
