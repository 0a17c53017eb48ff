/**
 * Which times of rows are believed. A time decides a row's partition: with a clock that is wrong by years, a sender
 * would scatter parts over thousands of partitions.
 *
 * Believed is what lies from the retention, or 1971 when that is longer, to 24 hours from now. What is older would be
 * acknowledged and dropped by the next round of retention: the sender is told instead.
 */
export class TimeBounds {
  readonly #now: () => number;
  readonly #retentionMs: number;
  /** High words (of 2^32 ns, about 4.3 s) of the first and the last time that is believed. */
  minHigh = MIN_HIGH;
  maxHigh = 0;
  /** Now, in ns, as low and high word. */
  nowLow = 0;
  nowHigh = 0;

  /**
   * @param now the clock, in ms since 1970
   * @param retentionMs how long rows are kept
   */
  constructor(now: () => number, retentionMs: number) {
    this.#now = now;
    this.#retentionMs = retentionMs;
    this.refresh();
  }

  /** Reads the clock: once per batch. */
  refresh(): void {
    const now = BigInt(Math.floor(this.#now())) * 1_000_000n;
    this.nowLow = Number(now & 0xffff_ffffn);
    this.nowHigh = Number(now >> 32n);
    this.maxHigh = Number((now + FUTURE_NS) >> 32n);
    const oldest = now - BigInt(Math.ceil(this.#retentionMs)) * 1_000_000n;
    this.minHigh = Math.max(MIN_HIGH, Number(oldest >> 32n));
  }

  /** @param high high word of a time in ns */
  believes(high: number): boolean {
    return high >= this.minHigh && high <= this.maxHigh;
  }

  /** Why rows were refused, for their sender. @param what such as `spans` @param setting that decides the retention */
  reason(what: string, setting: string): string {
    const days = Number((this.#retentionMs / 86_400_000).toFixed(2));
    return `${what} older than the retention of ${days}d (--${setting}) or more than 24 hours ahead are not stored`;
  }
}

/** Seconds since 1970 of the start of the partition that a time (in ns, as low and high word) belongs to. */
export function partitionOf(low: number, high: number): number {
  const seconds = Math.floor((high * 0x1_0000_0000 + low) / 1e9);
  return seconds - (seconds % PARTITION_SECONDS);
}

const PARTITION_SECONDS = 6 * 60 * 60;
const FUTURE_NS = 24n * 3_600_000_000_000n;
/** 1971-01-01T00:00:00Z, rounded up. */
const MIN_HIGH = Math.ceil((31_536_000 * 1e9) / 0x1_0000_0000);
