import { compileMatcher } from '@signalbox/query-language';
import { detectReset } from './histogram/counter-reset.ts';
import type { FloatHistogram } from './histogram/float-histogram.ts';
import type { Labels } from './labels.ts';
import type { Queryable, RawSeries, Selection } from './queryable.ts';

/** A sample to keep. `stale`: the series ended. `startMs`: when its counter began; 0: unknown. */
export interface MemorySample {
  readonly timeMs: number;
  readonly value: number | FloatHistogram | 'stale';
  readonly startMs?: number;
}

/** Samples in memory: what the unit tests of rules run on. */
export class MemorySeries implements Queryable {
  readonly #series = new Map<string, { labels: Labels; samples: Map<number, MemorySample> }>();

  /** A sample replaces another of the same series and time. */
  add(labels: Labels, samples: readonly MemorySample[]): void {
    let series = this.#series.get(labels.key);
    if (!series) {
      series = { labels, samples: new Map() };
      this.#series.set(labels.key, series);
    }
    for (const sample of samples) series.samples.set(sample.timeMs, sample);
  }

  async select({ matchers, startMs, endMs }: Selection): Promise<readonly RawSeries[]> {
    const tests = matchers.map((matcher) => ({ name: matcher.name, test: compileMatcher(matcher) }));
    const found: RawSeries[] = [];
    for (const { labels, samples } of this.#series.values()) {
      if (!tests.every(({ name, test }) => test(labels.get(name)))) continue;
      // What a histogram knows of resets depends on the one before, also on one before the time that is asked for.
      const all = withResetHints([...samples.values()].sort((a, b) => a.timeMs - b.timeMs));
      const inside = all.filter(({ timeMs }) => timeMs >= startMs && timeMs <= endMs);
      if (inside.length > 0) found.push(toRawSeries(labels, inside));
    }
    return found.sort((a, b) => a.labels.compare(b.labels));
  }
}

function toRawSeries(labels: Labels, samples: readonly MemorySample[]): RawSeries {
  const hasHistograms = samples.some(({ value }) => typeof value === 'object');
  const hasStale = samples.some(({ value }) => value === 'stale');
  const hasStarts = samples.some(({ startMs }) => startMs !== undefined);
  return {
    labels,
    times: Float64Array.from(samples, ({ timeMs }) => timeMs),
    values: Float64Array.from(samples, ({ value }) => (typeof value === 'number' ? value : 0)),
    ...(hasHistograms
      ? { histograms: samples.map(({ value }) => (typeof value === 'object' ? value : undefined)) }
      : {}),
    ...(hasStale ? { stale: Uint8Array.from(samples, ({ value }) => (value === 'stale' ? 1 : 0)) } : {}),
    ...(hasStarts ? { startTimes: Float64Array.from(samples, ({ startMs = 0 }) => startMs) } : {}),
  };
}

/** The samples, in which histograms know of resets what a store can know that has them all in order. */
function withResetHints(samples: readonly MemorySample[]): MemorySample[] {
  let previous: FloatHistogram | undefined;
  return samples.map((sample) => {
    const { value } = sample;
    if (typeof value !== 'object') {
      previous = undefined;
      return sample;
    }
    let hinted = value;
    // That there was a reset is left for whoever compares the samples to find: so Prometheus's storage has it.
    if (value.resetHint === 'unknown' && previous && previous.resetHint !== 'gauge' && !detectReset(value, previous)) {
      hinted = value.copy();
      hinted.resetHint = 'not_reset';
    }
    previous = value;
    return { ...sample, value: hinted };
  });
}
