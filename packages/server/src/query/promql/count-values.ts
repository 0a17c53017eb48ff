import type { Aggregation } from '@signalbox/query-language';
import { formatSample } from './format-go.ts';
import { type Labels, METADATA } from './labels.ts';
import { Kind, StepSeries, type StepVector } from './step-vector.ts';

/** Counts, in each group, how often each value is there: `label` gets the value. */
export function countValues(
  { grouping, isWithout }: Aggregation,
  label: string,
  vector: StepVector,
  steps: number,
): StepVector {
  const names = new Set(isWithout ? [...grouping, ...METADATA] : [...grouping, label]);
  const result = new Map<string, StepSeries>();
  for (let step = 0; step < steps; step++) {
    for (const series of vector) {
      if (series.kinds[step] === Kind.None) continue;
      const value = series.at(step);
      const text = typeof value === 'number' ? formatSample(value) : String(value);
      const withValue: Labels = series.labels.with(label, text);
      const group = isWithout ? withValue.without(names) : withValue.only(names);
      let counted = result.get(group.key);
      if (!counted) {
        counted = new StepSeries(group, steps);
        result.set(group.key, counted);
      }
      counted.setFloat(step, (counted.kinds[step] === Kind.Float ? counted.values[step] : 0) + 1);
    }
  }
  return [...result.values()];
}
