import type { TextRange } from '@signalbox/query-language';
import type { Annotations } from '../annotations.ts';
import { type ClassicBucket, classicFraction, classicQuantile } from '../histogram/classic-histogram.ts';
import type { FloatHistogram } from '../histogram/float-histogram.ts';
import { histogramFraction, histogramQuantile } from '../histogram/histogram-functions.ts';
import type { Labels } from '../labels.ts';
import { joinSameLabels, Kind, StepSeries, type StepVector } from '../step-vector.ts';
import { type Steps, timeOf } from '../steps.ts';

interface HistogramVectorContext {
  readonly annotations: Annotations;
  /** Where the vector's expression stands. */
  readonly place: TextRange;
  readonly steps: Steps;
  readonly delaysNameRemoval: boolean;
}

const BUCKET_LABEL = new Set(['le']);

/** What a function makes of a histogram, native or classic, at a step. */
interface OfHistogram {
  native(histogram: FloatHistogram, metricName: string, step: number): number;
  /** @param buckets sorted by bound, none twice; it may change them */
  classic(buckets: ClassicBucket[], metricName: string, step: number): number;
}

/** The series that make up a classic histogram, by their bounds. */
interface ClassicSeries {
  readonly labels: Labels;
  readonly buckets: { readonly upperBound: number; readonly series: StepSeries }[];
}

/**
 * Applies a function to the histograms of a vector: native ones as they are, classic ones put together of their buckets by the
 * label `le`. Where both are there under the same labels, neither is evaluated.
 */
function ofHistograms(vector: StepVector, apply: OfHistogram, context: HistogramVectorContext): StepVector {
  const { annotations, place, steps, delaysNameRemoval } = context;
  const nameOf = (labels: Labels) => (delaysNameRemoval ? labels.metricName : '');
  const results = new Map<string, StepSeries>();
  const resultOf = (labels: Labels): StepSeries => {
    let result = results.get(labels.key);
    if (!result) {
      result = new StepSeries(delaysNameRemoval ? labels : labels.withoutMetadata(), steps.count, true);
      results.set(labels.key, result);
    }
    return result;
  };
  const classic = classicSeries(vector, ({ labels }) =>
    annotations.badBucketLabel(nameOf(labels), labels.get('le'), place),
  );
  /** By the labels of a classic histogram: 1 at the steps at which it is not evaluated. */
  const mixed = new Map<string, Uint8Array>();
  for (const { labels, kinds, histograms } of vector) {
    if (!histograms) continue;
    const own = classic.get(labels.key);
    for (let step = 0; step < steps.count; step++) {
      if (kinds[step] !== Kind.Histogram) continue;
      if (own?.buckets.some(({ series }) => series.kinds[step] === Kind.Float)) {
        annotations.mixedClassicAndNative(nameOf(labels), place);
        const at = mixed.get(labels.key) ?? new Uint8Array(steps.count);
        at[step] = 1;
        mixed.set(labels.key, at);
      } else {
        resultOf(labels).setFloat(step, apply.native(histograms[step] as FloatHistogram, nameOf(labels), step));
      }
    }
  }
  for (const [key, { labels, buckets }] of classic) {
    const name = nameOf(labels);
    const skipped = mixed.get(key);
    // Filled anew at every step.
    const spare = buckets.map(({ upperBound }): ClassicBucket => ({ upperBound, count: 0 }));
    const given: ClassicBucket[] = [];
    let result: StepSeries | undefined;
    for (let step = 0; step < steps.count; step++) {
      if (skipped?.[step] === 1) continue;
      given.length = 0;
      for (let i = 0; i < buckets.length; i++) {
        const { upperBound, series } = buckets[i];
        if (series.kinds[step] !== Kind.Float) continue;
        const last = given[given.length - 1];
        if (last?.upperBound === upperBound) last.count += series.values[step];
        else {
          spare[i].count = series.values[step];
          given.push(spare[i]);
        }
      }
      if (given.length === 0) continue;
      result ??= resultOf(labels);
      result.setFloat(step, apply.classic(given, name, step));
    }
  }
  return delaysNameRemoval ? [...results.values()] : joinSameLabels([...results.values()]);
}

/** Classic histograms by the key of their labels. `tellBad` hears of series that have numbers, but no bound. */
function classicSeries(vector: StepVector, tellBad: (series: StepSeries) => void): Map<string, ClassicSeries> {
  const found = new Map<string, ClassicSeries>();
  for (const series of vector) {
    if (!series.kinds.includes(Kind.Float)) continue;
    const upperBound = parseBound(series.labels.get('le'));
    if (upperBound === undefined) {
      tellBad(series);
      continue;
    }
    const labels = series.labels.without(BUCKET_LABEL);
    const known = found.get(labels.key);
    if (known) known.buckets.push({ upperBound, series });
    else found.set(labels.key, { labels, buckets: [{ upperBound, series }] });
  }
  for (const { buckets } of found.values()) {
    buckets.sort((a, b) => (a.upperBound < b.upperBound ? -1 : a.upperBound > b.upperBound ? 1 : 0));
  }
  return found;
}

export function histogramQuantiles(vector: StepVector, q: Float64Array, context: HistogramVectorContext): StepVector {
  const { annotations, place, steps } = context;
  return ofHistograms(
    vector,
    {
      native: (histogram, metricName, step) =>
        histogramQuantile(q[step], histogram, { annotations, place, metricName }),
      classic: (buckets, metricName, step) => {
        const { value, forced } = classicQuantile(q[step], buckets);
        if (forced) annotations.forcedMonotonicity(metricName, place, { ...forced, time: timeOf(steps, step) });
        return value;
      },
    },
    context,
  );
}

export function histogramFractions(
  vector: StepVector,
  lower: Float64Array,
  upper: Float64Array,
  context: HistogramVectorContext,
): StepVector {
  const { annotations, place } = context;
  return ofHistograms(
    vector,
    {
      native: (histogram, metricName, step) =>
        histogramFraction(lower[step], upper[step], histogram, { annotations, place, metricName }),
      classic: (buckets, _, step) => classicFraction(lower[step], upper[step], buckets),
    },
    context,
  );
}

function parseBound(text: string): number | undefined {
  if (/^[+]?inf(inity)?$/i.test(text)) return Number.POSITIVE_INFINITY;
  if (/^-inf(inity)?$/i.test(text)) return Number.NEGATIVE_INFINITY;
  return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : undefined;
}
