import { type ExponentialHistogramPointTable, HistogramPresence, RecordedHistogram } from '@signalbox/records';
import type { Buckets, FloatHistogram } from './query/promql/histogram/float-histogram.ts';

/** Buckets stand without gaps in a point, and gaps cost memory: beyond this many they are made wider. */
const MAX_BUCKETS = 1 << 16;

/** Sets a point under construction to a native histogram, nothing of which is rounded (see RecordedHistogram for its form). */
export function setRecordedHistogram(points: ExponentialHistogramPointTable, row: number, given: FloatHistogram): void {
  const histogram = narrowed(given);
  const { FloatCounts, Gauge, CustomBounds } = RecordedHistogram;
  points.presence[row] =
    HistogramPresence.Sum |
    FloatCounts |
    (histogram.resetHint === 'gauge' ? Gauge : 0) |
    (histogram.hasCustomBuckets ? CustomBounds : 0);
  points.sum[row] = histogram.sum;
  points.scale[row] = histogram.schema;
  points.valueCount.setWords(row, ...words(histogram.count));
  points.zeroCount.setWords(row, ...words(histogram.zeroCount));
  points.zeroThreshold[row] = histogram.zeroThreshold;
  points.positiveOffset[row] = pushBuckets(points.positiveCounts, histogram.positive);
  if (histogram.hasCustomBuckets) {
    for (const bound of histogram.customBounds) points.negativeCounts.pushWords(...words(bound));
  } else points.negativeOffset[row] = pushBuckets(points.negativeCounts, histogram.negative);
}

function narrowed(histogram: FloatHistogram): FloatHistogram {
  const width = ({ indexes }: Buckets): number => (indexes.at(-1) ?? 0) - (indexes[0] ?? 0);
  if (histogram.hasCustomBuckets) return histogram;
  let fitting = histogram;
  while (Math.max(width(fitting.positive), width(fitting.negative)) >= MAX_BUCKETS) {
    fitting = fitting.copy();
    fitting.reduceResolution(fitting.schema - 1);
  }
  return fitting;
}

/** Returns OTLP's offset: a bucket is named after its lower bound there, after its upper one in Prometheus. */
function pushBuckets(list: ExponentialHistogramPointTable['positiveCounts'], { indexes, counts }: Buckets): number {
  const [first] = indexes;
  if (first === undefined) return 0;
  let next = first;
  for (const [at, index] of indexes.entries()) {
    for (; next < index; next++) list.pushWords(0, 0);
    list.pushWords(...words(counts[at]));
    next++;
  }
  return first - 1;
}

const double = new Float64Array(1);
const halves = new Uint32Array(double.buffer);

/** The bits of a double as a 64-bit integer's low and high word. */
function words(value: number): [low: number, high: number] {
  double[0] = value;
  return [halves[0], halves[1]];
}
