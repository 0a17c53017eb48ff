/** What inserts have changed of a table, by the times of their rows: who keeps rows asks which of them are still all. */
export class TableChanges {
  /** Of inserts that count: later ones that reach as far back stand for those before them, so that both numbers ascend. */
  readonly #marks: { readonly version: number; readonly earliestMs: number }[] = [];
  /** Of changes up to this version it is no longer known how far back they reach. */
  #forgotten = 0;

  /** @param earliestMs of the rows, in ms since 1970; -Infinity: unknown, or rows are gone */
  record(version: number, earliestMs: number): void {
    const quarter = Math.floor(earliestMs / QUARTER_MS) * QUARTER_MS;
    let last = this.#marks.at(-1);
    while (last !== undefined && last.earliestMs >= quarter) {
      this.#marks.pop();
      last = this.#marks.at(-1);
    }
    this.#marks.push({ version, earliestMs: quarter });
    if (this.#marks.length > MAX_MARKS) this.#forgotten = this.#marks.shift()?.version ?? 0;
  }

  /** No row that came since the version is of an earlier time; Infinity: none came. */
  earliestSince(version: number): number {
    if (version < this.#forgotten) return Number.NEGATIVE_INFINITY;
    return this.#marks.find((mark) => mark.version > version)?.earliestMs ?? Number.POSITIVE_INFINITY;
  }
}

/** Inserts of the same quarter of an hour need one mark. */
const QUARTER_MS = 900_000;
const MAX_MARKS = 1_000;
