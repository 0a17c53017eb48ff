/** The quantile of numbers, interpolated; NaN counts as the smallest. Sorts `values`. NaN: there are none, or `q` is NaN. */
export function quantile(q: number, values: number[]): number {
  if (values.length === 0 || Number.isNaN(q)) return Number.NaN;
  if (q < 0) return Number.NEGATIVE_INFINITY;
  if (q > 1) return Number.POSITIVE_INFINITY;
  values.sort((a, b) => (Number.isNaN(a) ? (Number.isNaN(b) ? 0 : -1) : Number.isNaN(b) ? 1 : a - b));
  const rank = q * (values.length - 1);
  const lower = Math.max(0, Math.floor(rank));
  const upper = Math.min(values.length - 1, lower + 1);
  const weight = rank - Math.floor(rank);
  // Nothing times infinity is not nothing.
  if (weight === 0) return values[lower];
  return values[lower] * (1 - weight) + values[upper] * weight;
}
