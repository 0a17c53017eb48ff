import type { RedFigures, RedSeries } from '@signalbox/api-contract';
import { type Steps, stepTimes } from '../time-range.ts';
import { type DurationBuckets, durationQuantile } from './duration-buckets.ts';
import type { RedRange } from './red-range.ts';

/** The cells that `redColumns` selects: count, errors, duration sum (ns), duration max (ns), buckets. */
export type RedCells = readonly [number, number, number, string, Readonly<Record<string, number>>];

/** Sums of the rows of a group. */
export class RedTotals {
  count = 0;
  errorCount = 0;
  #durationSum = 0;
  #durationMax = 0;
  readonly #buckets: DurationBuckets = new Map();

  add([count, errors, durationSum, durationMax, buckets]: RedCells): void {
    this.count += count;
    this.errorCount += errors;
    this.#durationSum += durationSum;
    this.#durationMax = Math.max(this.#durationMax, Number(durationMax));
    for (const [index, weight] of Object.entries(buckets)) {
      this.#buckets.set(Number(index), (this.#buckets.get(Number(index)) ?? 0) + weight);
    }
  }

  /** Milliseconds; null without requests. */
  quantile(q: number): number | null {
    const nanos = durationQuantile(this.#buckets, q, this.#durationMax);
    return nanos === null ? null : nanos / 1e6;
  }

  get errorRatio(): number {
    return this.count === 0 ? 0 : this.errorCount / this.count;
  }

  figures(seconds: number): RedFigures {
    const [p50, p95, p99] = [this.quantile(0.5), this.quantile(0.95), this.quantile(0.99)];
    return {
      count: this.count,
      errorCount: this.errorCount,
      rate: this.count / seconds,
      errorRatio: this.errorRatio,
      durationMs:
        p50 === null || p95 === null || p99 === null
          ? null
          : { p50, p95, p99, mean: this.#durationSum / this.count / 1e6, max: this.#durationMax / 1e6 },
    };
  }
}

/** One group's figures over the range and per step. */
export class RedGroup {
  readonly total = new RedTotals();
  readonly #steps = new Map<number, RedTotals>();

  /** @param stepMs start of the step, ms since 1970. */
  add(stepMs: number, cells: RedCells): void {
    this.total.add(cells);
    const step = this.#steps.get(stepMs) ?? new RedTotals();
    step.add(cells);
    this.#steps.set(stepMs, step);
  }

  figures(range: RedRange): RedFigures {
    return this.total.figures(range.seconds);
  }

  /** The first and the last step may be cut by the range: their rate is over what the range covers of them. */
  series(range: RedRange, steps: Steps): RedSeries {
    const times = stepTimes(steps);
    const totals = times.map((time) => this.#steps.get(time) ?? new RedTotals());
    return {
      times,
      stepMs: steps.stepMs,
      rate: totals.map((total, index) => total.count / coveredSeconds(range, times[index] as number, steps.stepMs)),
      errorRatio: totals.map((total) => total.errorRatio),
      p50: totals.map((total) => total.quantile(0.5)),
      p95: totals.map((total) => total.quantile(0.95)),
      p99: totals.map((total) => total.quantile(0.99)),
    };
  }
}

function coveredSeconds(range: RedRange, stepStartMs: number, stepMs: number): number {
  const covered = Math.min(stepStartMs + stepMs, range.toMs) - Math.max(stepStartMs, range.fromMs);
  return Math.max(covered, 1_000) / 1000;
}
