/** Rows that were well-formed but can't be accepted; `reason` is for the sender. */
export interface Rejected {
  readonly count: number;
  readonly reason: string;
}

/** Counts rejected rows by reason. Reasons are fixed texts, so there are few. */
export class Rejections {
  readonly #counts = new Map<string, number>();

  add(reason: string, count = 1): void {
    if (count > 0) {
      this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + count);
    }
  }

  /** null: nothing was rejected. */
  result(): Rejected | null {
    if (this.#counts.size === 0) {
      return null;
    }
    let count = 0;
    const reasons: string[] = [];
    for (const [reason, times] of this.#counts) {
      count += times;
      reasons.push(`${reason} (${times})`);
    }
    return { count, reason: reasons.join('; ') };
  }
}
