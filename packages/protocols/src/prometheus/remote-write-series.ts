import { formatFloat } from './format-float.ts';
import type { Labels, NativeBuckets, PrometheusExemplar, PrometheusPoint } from './translate-metrics.ts';

/** A native histogram of Prometheus: buckets of an exponential schema, whose spans may be far apart. */
export interface RemoteHistogram {
  readonly timeMs: number;
  readonly stale: boolean;
  readonly count: number;
  /** 0 when it is not known. */
  readonly sum: number;
  /** -4 to 8. */
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly positive: NativeBuckets;
  readonly negative: NativeBuckets;
}

export interface RemoteSeries {
  /** Sorted by name, `__name__` among them. */
  readonly labels: Labels;
  readonly samples: { readonly timeMs: number; readonly value: number | 'stale' }[];
  readonly histograms: RemoteHistogram[];
  readonly exemplars: PrometheusExemplar[];
}

const MAX_SCHEMA = 8;
const MIN_SCHEMA = -4;
/** Prometheus's own zero bucket, where OTLP says nothing. */
const DEFAULT_ZERO_THRESHOLD = 1e-128;

/**
 * The series that a remote write sends for points: of classic histograms and summaries several each. Deltas are left out and
 * counted (a remote write has totals only), as are native histograms that are coarser than Prometheus has.
 */
export function remoteSeries(points: readonly PrometheusPoint[]): { series: RemoteSeries[]; skipped: number } {
  const series = new Map<string, RemoteSeries>();
  let skipped = 0;
  const of = (name: string, labels: Labels, more: Labels = []): RemoteSeries => {
    const all = [...labels, ...more, ['__name__', name] as const].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    const key = JSON.stringify(all);
    const known = series.get(key);
    if (known) return known;
    const made: RemoteSeries = { labels: all, samples: [], histograms: [], exemplars: [] };
    series.set(key, made);
    return made;
  };
  for (const point of points) {
    if (point.delta || (point.value.kind === 'native' && point.value.scale < MIN_SCHEMA)) skipped++;
    else addPoint(of, point);
  }
  const byTime = (a: { timeMs: number }, b: { timeMs: number }) => a.timeMs - b.timeMs;
  for (const one of series.values()) {
    one.samples.sort(byTime);
    one.histograms.sort(byTime);
    one.exemplars.sort(byTime);
  }
  return { series: [...series.values()], skipped };
}

type SeriesOf = (name: string, labels: Labels, more?: Labels) => RemoteSeries;

function addPoint(of: SeriesOf, { family: { name }, labels, timeMs, stale, value, exemplars }: PrometheusPoint): void {
  const add = (to: RemoteSeries, number: number) => to.samples.push({ timeMs, value: stale ? 'stale' : number });
  const bucket = (bound: number) => of(`${name}_bucket`, labels, [['le', formatFloat(bound)]]);
  switch (value.kind) {
    case 'number': {
      const to = of(name, labels);
      add(to, value.value);
      to.exemplars.push(...exemplars);
      return;
    }
    case 'histogram': {
      let cumulative = 0;
      let below = Number.NEGATIVE_INFINITY;
      for (const [index, bound] of [...value.bounds, Number.POSITIVE_INFINITY].entries()) {
        cumulative += value.counts[index] ?? 0;
        const to = bucket(bound);
        add(to, bound === Number.POSITIVE_INFINITY ? value.count : cumulative);
        const from = below;
        to.exemplars.push(...exemplars.filter((one) => one.value > from && one.value <= bound));
        below = bound;
      }
      break;
    }
    case 'summary':
      for (const [quantile, at] of value.quantiles) add(of(name, labels, [['quantile', formatFloat(quantile)]]), at);
      break;
    case 'native': {
      const to = of(name, labels);
      const shift = Math.max(value.scale - MAX_SCHEMA, 0);
      to.histograms.push({
        timeMs,
        stale,
        count: value.count,
        sum: value.sum ?? 0,
        schema: value.scale - shift,
        zeroThreshold: value.zeroThreshold || DEFAULT_ZERO_THRESHOLD,
        zeroCount: value.zeroCount,
        positive: coarser(value.positive, shift),
        negative: coarser(value.negative, shift),
      });
      to.exemplars.push(...exemplars);
      return;
    }
  }
  if (value.sum !== null) add(of(`${name}_sum`, labels), value.sum);
  add(of(`${name}_count`, labels), value.count);
}

/** The buckets at a scale that is `shift` lower: 2^shift of them become one. */
function coarser({ offset, counts }: NativeBuckets, shift: number): NativeBuckets {
  if (shift === 0 || counts.length === 0) return { offset, counts };
  const first = Math.floor(offset / 2 ** shift);
  const merged: number[] = [];
  for (const [index, count] of counts.entries()) {
    const at = Math.floor((offset + index) / 2 ** shift) - first;
    merged[at] = (merged[at] ?? 0) + count;
  }
  return { offset: first, counts: merged };
}
