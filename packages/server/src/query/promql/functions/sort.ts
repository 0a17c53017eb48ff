import { compareBytes } from '../labels.ts';
import type { StepSeries, StepVector } from '../step-vector.ts';

/** By value at the only step; NaN last. Histograms are left out. */
export function sortByValue(vector: StepVector, isDescending: boolean): StepVector {
  const sign = isDescending ? -1 : 1;
  return vector
    .filter((series) => typeof series.at(0) === 'number')
    .sort((a, b) => {
      const [x, y] = [a.values[0], b.values[0]];
      if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
      return sign * (x - y || 0);
    });
}

/** By the values of labels in natural order (`a2` before `a10`), then by all labels. */
export function sortByLabels(vector: StepVector, labels: readonly string[], isDescending: boolean): StepVector {
  const sign = isDescending ? -1 : 1;
  const compare = (a: StepSeries, b: StepSeries): number => {
    for (const label of labels) {
      const order = compareNaturally(a.labels.get(label), b.labels.get(label));
      if (order !== 0) return order;
    }
    return a.labels.compare(b.labels);
  };
  return vector.sort((a, b) => sign * compare(a, b));
}

function compareNaturally(a: string, b: string): number {
  const split = (text: string) => text.match(/\d+|\D+/g) ?? [];
  const [partsA, partsB] = [split(a), split(b)];
  for (let i = 0; i < Math.min(partsA.length, partsB.length); i++) {
    const [x, y] = [partsA[i], partsB[i]];
    if (x === y) continue;
    if (/^\d/.test(x) && /^\d/.test(y)) {
      const difference = BigInt(x) - BigInt(y);
      if (difference !== 0n) return difference < 0n ? -1 : 1;
      if (x.length !== y.length) return x.length - y.length;
    }
    return compareBytes(x, y);
  }
  return partsA.length - partsB.length;
}
