import type { FloatHistogram } from './histogram/float-histogram.ts';
import type { Labels } from './labels.ts';
import { executionError } from './promql-error.ts';

/** What a series has at a step. */
export const Kind = { None: 0, Float: 1, Histogram: 2 } as const;

/** A series over the steps of an evaluation: an element of a vector at each of them. Owned by whoever evaluates it. */
export class StepSeries {
  labels: Labels;
  readonly values: Float64Array;
  /** One of Kind for each step. */
  readonly kinds: Uint8Array;
  /** undefined as long as there is no histogram. Those in it may be shared: copy before changing one. */
  histograms: (FloatHistogram | undefined)[] | undefined;
  /** The labels that name the metric do not belong to the result: it is another metric. */
  dropsName: boolean;

  constructor(labels: Labels, steps: number, dropsName = false) {
    this.labels = labels;
    this.values = new Float64Array(steps);
    this.kinds = new Uint8Array(steps);
    this.dropsName = dropsName;
  }

  setFloat(step: number, value: number): void {
    this.values[step] = value;
    this.kinds[step] = Kind.Float;
  }

  setHistogram(step: number, histogram: FloatHistogram): void {
    this.histograms ??= new Array<FloatHistogram | undefined>(this.kinds.length).fill(undefined);
    this.histograms[step] = histogram;
    this.kinds[step] = Kind.Histogram;
  }

  set(step: number, value: number | FloatHistogram): void {
    if (typeof value === 'number') this.setFloat(step, value);
    else this.setHistogram(step, value);
  }

  /** The value at a step; undefined: none. */
  at(step: number): number | FloatHistogram | undefined {
    switch (this.kinds[step]) {
      case Kind.Float:
        return this.values[step];
      case Kind.Histogram:
        return this.histograms?.[step];
      default:
        return undefined;
    }
  }

  get isEmpty(): boolean {
    const { kinds } = this;
    for (let step = 0; step < kinds.length; step++) if (kinds[step] !== Kind.None) return false;
    return true;
  }

  /** Steps at which there is a value. */
  get valueCount(): number {
    const { kinds } = this;
    let count = 0;
    for (let step = 0; step < kinds.length; step++) if (kinds[step] !== Kind.None) count++;
    return count;
  }
}

export type StepVector = StepSeries[];

/**
 * Joins series that have come to have the same labels, where only one has a value at a time. Throws where two have, as
 * Prometheus does.
 */
export function joinSameLabels(vector: StepVector): StepVector {
  const byLabels = new Map<string, StepSeries>();
  for (const series of vector) {
    const known = byLabels.get(series.labels.key);
    if (!known) {
      byLabels.set(series.labels.key, series);
      continue;
    }
    for (let step = 0; step < series.kinds.length; step++) {
      const value = series.at(step);
      if (value === undefined) continue;
      if (known.kinds[step] !== Kind.None) throw executionError('vector cannot contain metrics with the same labelset');
      known.set(step, value);
    }
  }
  return byLabels.size === vector.length ? vector : [...byLabels.values()];
}
