import type { SpanBatch } from '@signalbox/records';

const TWO_32 = 0x1_0000_0000;
const BUCKET_SECONDS = 10;
const LAST_BUCKET = Math.floor((TWO_32 - 1) / BUCKET_SECONDS) * BUCKET_SECONDS;

/** Number, durations and their distribution of spans of one key: the part that rows of `red` and `edges` share. */
export class SpanTotals {
  count = 0;
  durationSum = 0;
  durationMax = 0;
  readonly buckets = new Map<number, number>();

  /** Adds a span of `duration` ns that stands for `weight` spans. */
  add(duration: number, weight: number): void {
    this.count += weight;
    this.durationSum += duration * weight;
    if (duration > this.durationMax) {
      this.durationMax = duration;
    }
    const bucket = durationBucket(duration);
    this.buckets.set(bucket, (this.buckets.get(bucket) ?? 0) + weight);
  }
}

/** Eight buckets per doubling: bucket i holds durations of 2^(i/8) to 2^((i+1)/8) ns. */
function durationBucket(duration: number): number {
  return Math.floor(Math.log2(Math.max(duration, 1)) * 8);
}

/** Nanoseconds; 0 when the end lies before the start. Exact below 2^53 (104 days). */
export function spanDuration(batch: SpanBatch, row: number): number {
  const start = batch.startTime.words;
  const end = batch.endTime.words;
  const low = row * 2;
  const high = low + 1;
  const duration =
    ((end[high] as number) - (start[high] as number)) * TWO_32 + ((end[low] as number) - (start[low] as number));
  return Math.max(duration, 0);
}

/** Start of the 10 seconds in which the span started, in seconds since 1970. (Rounded: within 256 ns of a border it may be the next.) */
export function spanTimeBucket(batch: SpanBatch, row: number): number {
  const { words } = batch.startTime;
  const seconds = ((words[row * 2 + 1] as number) * TWO_32 + (words[row * 2] as number)) / 1e9;
  return Math.min(Math.floor(seconds / BUCKET_SECONDS) * BUCKET_SECONDS, LAST_BUCKET);
}

/** Numbers of OTLP. */
export const SpanKind = { Server: 2, Client: 3, Producer: 4, Consumer: 5 } as const;
export const STATUS_ERROR = 2;

/** Whether 8 bytes of an id column are all zero. */
export function isZeroSpanId(column: Uint8Array, row: number): boolean {
  for (let i = row * 8; i < row * 8 + 8; i++) {
    if (column[i] !== 0) {
      return false;
    }
  }
  return true;
}
