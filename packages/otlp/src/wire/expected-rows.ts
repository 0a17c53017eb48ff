/** Most rows that room is made for ahead: beyond, columns that double cost little per row, and a guess may be wrong. */
const MAX_EXPECTED = 1 << 16;

/** A little more than the last request had: one row too many would double the columns. */
const MARGIN = 1.1;

/**
 * Guesses, from the request before, how many rows one of so many bytes has: columns are then made once, in their size. Senders'
 * requests are alike, and a wrong guess costs no more than growing.
 */
export class ExpectedRows {
  #perByte = 0;

  /** @param bytes length of a request */
  expect(bytes: number): number {
    return Math.min(MAX_EXPECTED, Math.ceil(bytes * this.#perByte * MARGIN));
  }

  learn(bytes: number, rows: number): void {
    this.#perByte = rows / Math.max(1, bytes);
  }
}
