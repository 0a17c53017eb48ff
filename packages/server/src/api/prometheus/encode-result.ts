import type { Point, QueryValue } from '../../query/promql/engine.ts';
import type { BucketRange, FloatHistogram } from '../../query/promql/histogram/float-histogram.ts';
import { floatText, labelsText, timeText } from './encode-json.ts';

/** A query's value as `resultType` and `result` (HTTP API, "Expression query result formats"), a series at a time. */
export function* encodeResult(value: QueryValue): Iterable<string> {
  yield `"resultType":"${value.type}","result":`;
  switch (value.type) {
    case 'scalar':
      yield `[${timeText(value.timeMs)},"${floatText(value.value)}"]`;
      return;
    case 'string':
      yield `[${timeText(value.timeMs)},${JSON.stringify(value.value)}]`;
      return;
    case 'vector':
      yield* list(value.samples, (sample) => {
        const name = typeof sample.value === 'number' ? 'value' : 'histogram';
        return `{"metric":${labelsText(sample.labels.entries())},"${name}":${pointText(sample)}}`;
      });
      return;
    case 'matrix':
      yield* list(value.series, ({ labels, points }) => {
        const floats = points.filter((point) => typeof point.value === 'number');
        const histograms =
          floats.length === points.length ? [] : points.filter((point) => typeof point.value !== 'number');
        const values = floats.length === 0 ? '' : `,"values":[${floats.map(pointText).join()}]`;
        const more = histograms.length === 0 ? '' : `,"histograms":[${histograms.map(pointText).join()}]`;
        return `{"metric":${labelsText(labels.entries())}${values}${more}}`;
      });
  }
}

function* list<Item>(items: readonly Item[], encode: (item: Item) => string): Iterable<string> {
  yield '[';
  for (const [index, item] of items.entries()) yield index === 0 ? encode(item) : `,${encode(item)}`;
  yield ']';
}

function pointText({ timeMs, value }: Point): string {
  return typeof value === 'number'
    ? `[${timeText(timeMs)},"${floatText(value)}"]`
    : `[${timeText(timeMs)},${histogramText(value)}]`;
}

/** Which ends belong to a bucket: 0 the upper, 1 the lower, 3 both. */
function boundaries({ hasCustomBuckets }: FloatHistogram, { lower, upper }: BucketRange): number {
  if (hasCustomBuckets) return lower === Number.NEGATIVE_INFINITY ? 3 : 0;
  // The zero bucket lies on both sides of 0, or is nothing else.
  if (-lower === upper) return 3;
  return lower < 0 ? 1 : 0;
}

/** Buckets that count nothing are left out. */
function histogramText(histogram: FloatHistogram): string {
  const buckets = histogram
    .ranges()
    .filter(({ count }) => count !== 0)
    .map(
      (range) =>
        `[${boundaries(histogram, range)},"${floatText(range.lower)}","${floatText(range.upper)}","${floatText(range.count)}"]`,
    );
  const shown = buckets.length === 0 ? '' : `,"buckets":[${buckets.join()}]`;
  return `{"count":"${floatText(histogram.count)}","sum":"${floatText(histogram.sum)}"${shown}}`;
}
