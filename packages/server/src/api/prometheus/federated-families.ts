import type { FloatHistogram } from '../../query/promql/histogram/float-histogram.ts';
import type { Labels } from '../../query/promql/labels.ts';
import type { RawSeries } from '../../query/promql/queryable.ts';

/** Series of one name whose newest samples are of one kind. */
export interface FederatedFamily {
  readonly name: string;
  readonly type: 'untyped' | 'histogram' | 'gaugeHistogram';
  readonly series: FederatedSeries[];
}

export interface FederatedSeries {
  /** Without the name. */
  readonly labels: [name: string, value: string][];
  readonly timeMs: number;
  readonly value: number | FloatHistogram;
}

interface Newest {
  readonly labels: Labels;
  readonly timeMs: number;
  readonly value: number | FloatHistogram;
}

/**
 * The newest sample of each series, by names. Series of one name are one family, unless some are histograms.
 *
 * @param takesExponential whether there is a place for histograms with exponential buckets; otherwise they are left out
 */
export function* federatedFamilies(
  series: readonly RawSeries[],
  takesExponential: boolean,
): Generator<FederatedFamily> {
  let family: FederatedFamily | undefined;
  for (const { labels, timeMs, value } of series.flatMap((one) => newestOf(one, takesExponential) ?? []).sort(byName)) {
    const name = labels.metricName;
    const type = typeOf(value);
    if (family?.name !== name || family.type !== type) {
      if (family !== undefined) yield family;
      family = { name, type, series: [] };
    }
    const own = [...labels.entries()].filter(([label]) => label !== '__name__').map(([label, text]) => [label, text]);
    // That the label is empty keeps the scraper from putting its own there.
    if (labels.get('instance') === '') own.push(['instance', '']);
    family.series.push({ labels: own as [string, string][], timeMs, value });
  }
  if (family !== undefined) yield family;
}

function typeOf(value: number | FloatHistogram): FederatedFamily['type'] {
  if (typeof value === 'number') return 'untyped';
  return value.resetHint === 'gauge' ? 'gaugeHistogram' : 'histogram';
}

/** Undefined: the series has ended, or can't be shown. */
function newestOf(
  { labels, times, values, stale, histograms }: RawSeries,
  takesExponential: boolean,
): Newest | undefined {
  const last = times.length - 1;
  if (last < 0 || stale?.[last] === 1 || labels.metricName === '') return undefined;
  const histogram = histograms?.[last];
  if (histogram !== undefined && !histogram.hasCustomBuckets && !takesExponential) return undefined;
  return { labels, timeMs: times[last], value: histogram ?? values[last] };
}

function byName(a: Newest, b: Newest): number {
  const [one, other] = [a.labels.metricName, b.labels.metricName];
  return one === other ? a.labels.compare(b.labels) : one < other ? -1 : 1;
}
