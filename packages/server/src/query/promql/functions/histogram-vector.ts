import type { TextRange } from '@signalbox/query-language';
import type { Annotations } from '../annotations.ts';
import { type ClassicBucket, classicFraction, classicQuantile } from '../histogram/classic-histogram.ts';
import type { FloatHistogram } from '../histogram/float-histogram.ts';
import { histogramFraction, histogramQuantile } from '../histogram/histogram-functions.ts';
import type { Labels } from '../labels.ts';
import { joinSameLabels, StepSeries, type StepVector } from '../step-vector.ts';
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
  classic(buckets: ClassicBucket[], metricName: string, step: number): number;
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
    const name = delaysNameRemoval ? labels : labels.withoutMetadata();
    let result = results.get(labels.key);
    if (!result) {
      result = new StepSeries(name, steps.count, true);
      results.set(labels.key, result);
    }
    return result;
  };
  const bounds = vector.map(({ labels }) => parseBound(labels.get('le')));
  const grouped = vector.map(({ labels }) => labels.without(BUCKET_LABEL));
  for (let step = 0; step < steps.count; step++) {
    const classic = new Map<string, { labels: Labels; buckets: ClassicBucket[] }>();
    const native: { labels: Labels; histogram: FloatHistogram }[] = [];
    for (let i = 0; i < vector.length; i++) {
      const value = vector[i].at(step);
      if (value === undefined) continue;
      if (typeof value !== 'number') {
        native.push({ labels: vector[i].labels, histogram: value });
        continue;
      }
      const upperBound = bounds[i];
      if (upperBound === undefined) {
        annotations.badBucketLabel(nameOf(vector[i].labels), vector[i].labels.get('le'), place);
        continue;
      }
      const group = classic.get(grouped[i].key);
      if (group) group.buckets.push({ upperBound, count: value });
      else classic.set(grouped[i].key, { labels: grouped[i], buckets: [{ upperBound, count: value }] });
    }
    for (const { labels, histogram } of native) {
      if (classic.delete(labels.key)) annotations.mixedClassicAndNative(nameOf(labels), place);
      else resultOf(labels).setFloat(step, apply.native(histogram, nameOf(labels), step));
    }
    for (const { labels, buckets } of classic.values()) {
      resultOf(labels).setFloat(step, apply.classic(buckets, nameOf(labels), step));
    }
  }
  return delaysNameRemoval ? [...results.values()] : joinSameLabels([...results.values()]);
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
