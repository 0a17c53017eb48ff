import { partitionNanos } from '../time-range.ts';

/** Samples of one series in the order of their times (ms since 1970). */
export interface Samples {
  readonly times: Float64Array;
  readonly values: Float64Array;
  /** 1: the series has ended here (a staleness marker, or OTLP's "no recorded value"). Undefined: nowhere. */
  readonly stale: Uint8Array | undefined;
}

const periodMs = Number(partitionNanos / 1_000_000n);

/** From where points must be read so that the sums of those from `fromMs` on are whole: the points after this time. */
export function sumsBeginAt(fromMs: number): number {
  return (Math.ceil(fromMs / periodMs) - 1) * periodMs;
}

/**
 * Adds up what points of delta temporality say, so that `rate` and its sisters see a counter.
 *
 * A sum begins anew every six hours (of UTC), always at the same times: so the value at a moment does not depend on who asks, and
 * at most six hours are read before a query's range. Each sum begins with a sample of 0, at its first point's start or where
 * the six hours begin: a counter's reset that can't be missed, and nothing that the first point counted is lost. A sender that
 * starts again changes nothing: its first point adds to what was counted before.
 *
 * @param starts start times of the points, in ms since 1970; 0: unknown
 */
export function deltaToCumulative(points: Samples, starts: Float64Array): Samples {
  const { length } = points.times;
  const times = new Float64Array(length * 2);
  const values = new Float64Array(length * 2);
  const stale = points.stale === undefined ? undefined : new Uint8Array(length * 2);
  let count = 0;
  let period = Number.NaN;
  let sum = 0;
  for (let i = 0; i < length; i++) {
    const time = points.times[i];
    const begin = sumsBeginAt(time);
    if (begin !== period) {
      period = begin;
      sum = 0;
      const last = count === 0 ? Number.NEGATIVE_INFINITY : times[count - 1];
      const zero = Math.max(begin, starts[i], last + 1);
      if (zero < time && points.stale?.[i] !== 1) {
        times[count] = zero;
        values[count++] = 0;
      }
    }
    if (points.stale?.[i] !== 1) sum += points.values[i];
    times[count] = time;
    values[count] = sum;
    if (stale !== undefined) stale[count] = points.stale?.[i] ?? 0;
    count++;
  }
  return { times: times.subarray(0, count), values: values.subarray(0, count), stale: stale?.subarray(0, count) };
}

/** The samples from `fromMs` on. */
export function samplesFrom(samples: Samples, fromMs: number): Samples {
  let first = 0;
  while (first < samples.times.length && samples.times[first] < fromMs) first++;
  return {
    times: samples.times.subarray(first),
    values: samples.values.subarray(first),
    stale: samples.stale?.subarray(first),
  };
}
