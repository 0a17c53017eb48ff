import type { RawSeries } from '../promql/queryable.ts';

/**
 * Joins series with the same labels, which come from metrics of different kinds or temporality that have one name in
 * Prometheus. Of samples at the same time the first is kept.
 *
 * @param groups in each of which labels are different
 */
export function mergeSeries(groups: readonly (readonly RawSeries[])[]): readonly RawSeries[] {
  const all = groups.flat();
  if (groups.filter(({ length }) => length > 0).length < 2) return all;
  const byLabels = new Map<string, RawSeries[]>();
  for (const series of all) {
    const known = byLabels.get(series.labels.key);
    if (known === undefined) byLabels.set(series.labels.key, [series]);
    else known.push(series);
  }
  return Array.from(byLabels.values(), (same) => (same.length === 1 ? (same[0] as RawSeries) : joined(same)));
}

function joined(same: readonly RawSeries[]): RawSeries {
  const places = same.flatMap((series) => Array.from(series.times, (time, index) => ({ series, time, index })));
  places.sort((a, b) => a.time - b.time);
  const kept = places.filter(({ time }, at) => at === 0 || places[at - 1]?.time !== time);
  const merged = {
    labels: (same[0] as RawSeries).labels,
    times: Float64Array.from(kept, ({ time }) => time),
    values: Float64Array.from(kept, ({ series, index }) => series.values[index]),
  };
  return {
    ...merged,
    ...(same.some(({ stale }) => stale) && {
      stale: Uint8Array.from(kept, ({ series, index }) => series.stale?.[index] ?? 0),
    }),
    ...(same.some(({ startTimes }) => startTimes) && {
      startTimes: Float64Array.from(kept, ({ series, index }) => series.startTimes?.[index] ?? 0),
    }),
    ...(same.some(({ histograms }) => histograms) && {
      histograms: kept.map(({ series, index }) => series.histograms?.[index]),
    }),
  };
}
