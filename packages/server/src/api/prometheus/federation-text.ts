import { type ExposedFamily, type ExposedSeries, writeExposition } from '@signalbox/protocols';
import type { FloatHistogram } from '../../query/promql/histogram/float-histogram.ts';
import type { Labels } from '../../query/promql/labels.ts';
import type { RawSeries } from '../../query/promql/queryable.ts';

/** The newest sample of a series. */
interface Newest {
  readonly labels: Labels;
  readonly timeMs: number;
  readonly value: number;
  readonly histogram: FloatHistogram | undefined;
}

/**
 * The newest sample of each series in Prometheus's text format, by names. Series of one name are one family, unless some are histograms. Of
 * histograms only those with custom bounds have a form there.
 */
export function* federationText(series: readonly RawSeries[], utf8Names: boolean): Generator<string> {
  const all = series.flatMap((one) => newestOf(one) ?? []).sort(byName);
  let family: { readonly family: ExposedFamily['family']; readonly series: ExposedSeries[] } | undefined;
  for (const { labels, timeMs, value, histogram } of all) {
    const name = labels.metricName;
    const type = histogram === undefined ? 'untyped' : 'histogram';
    if (family?.family.name !== name || family.family.type !== type) {
      if (family !== undefined) yield writeExposition([family], { openMetrics: false, utf8Names });
      family = { family: { name, type, help: '', unit: '' }, series: [] };
    }
    const own = [...labels.entries()].filter(([label]) => label !== '__name__');
    // That the label is empty keeps the scraper from putting its own there.
    if (labels.get('instance') === '') own.push(['instance', '']);
    const shown = histogram === undefined ? ({ kind: 'number', value } as const) : classic(histogram);
    family.series.push({ labels: own, value: shown, exemplars: [], timeMs });
  }
  if (family !== undefined) yield writeExposition([family], { openMetrics: false, utf8Names });
}

/** Undefined: the series has ended, or can't be shown. */
function newestOf({ labels, times, values, stale, histograms }: RawSeries): Newest | undefined {
  const last = times.length - 1;
  if (last < 0 || stale?.[last] === 1 || labels.metricName === '') return undefined;
  const histogram = histograms?.[last];
  if (histogram !== undefined && !histogram.hasCustomBuckets) return undefined;
  return { labels, timeMs: times[last], value: values[last], histogram };
}

function byName(a: Newest, b: Newest): number {
  const [one, other] = [a.labels.metricName, b.labels.metricName];
  return one === other ? a.labels.compare(b.labels) : one < other ? -1 : 1;
}

function classic(histogram: FloatHistogram): ExposedSeries['value'] {
  const { positive, customBounds, sum, count } = histogram;
  const counts = customBounds.map(() => 0);
  for (const [at, index] of positive.indexes.entries()) if (index < counts.length) counts[index] = positive.counts[at];
  return { kind: 'histogram', bounds: [...customBounds], counts, sum, count };
}
