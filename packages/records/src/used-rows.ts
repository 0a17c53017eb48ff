/** Gathers which rows of a table are referred to, in the order of first use, and gives each its number in another table. */
export class UsedRows {
  /** By row of the table: its new number; -1: not used. */
  readonly map: Int32Array<ArrayBuffer>;
  readonly #rows: Uint32Array<ArrayBuffer>;
  readonly #first: number;
  #count = 0;

  /** New numbers start at `first`. */
  constructor(rowCount: number, first: number) {
    this.map = new Int32Array(rowCount).fill(-1);
    this.#rows = new Uint32Array(rowCount);
    this.#first = first;
  }

  use(row: number): void {
    if (this.map[row] < 0) {
      this.map[row] = this.#first + this.#count;
      this.#rows[this.#count++] = row;
    }
  }

  /** The rows used, in the order of their new numbers. */
  rows(): Uint32Array {
    return this.#rows.subarray(0, this.#count);
  }
}
