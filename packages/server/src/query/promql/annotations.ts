import { placeOf, quoteGo, type TextRange } from '@signalbox/query-language';
import { formatGeneral } from '../../go-template/format-float.ts';
import { formatGo } from './format-go.ts';

type Level = 'warning' | 'info';

interface ForcedMonotonicity {
  readonly minTime: number;
  readonly maxTime: number;
  readonly minBucket: number;
  readonly maxBucket: number;
  readonly maxDifference: number;
  readonly count: number;
}

interface Annotation {
  readonly level: Level;
  readonly text: string;
  readonly range: TextRange;
  forced?: ForcedMonotonicity;
  /** How often it came up; shown by some. */
  occurrences?: number;
}

/** What histograms were put together by. */
export type HistogramOperation = 'addition' | 'subtraction' | 'aggregation';

/** Remarks on a query's result, each once, in Prometheus's words. */
export class Annotations {
  readonly #all = new Map<string, Annotation>();

  /** The texts of a level, with the place in the query that each is about. At most `limit` of them, and a line on the rest; 0: all. */
  list(level: Level, query: string, limit = 0): string[] {
    const texts = [...this.#all.values()]
      .filter((annotation) => annotation.level === level)
      .map((annotation) => show(annotation, query));
    if (limit === 0 || texts.length <= limit) return texts;
    const rest = texts.length - limit;
    return [...texts.slice(0, limit), `${rest} more ${level} annotations omitted`];
  }

  #add(level: Level, text: string, range: TextRange): Annotation {
    const key = `${level}:${text}`;
    let annotation = this.#all.get(key);
    if (!annotation) {
      annotation = { level, text, range };
      this.#all.set(key, annotation);
    }
    return annotation;
  }

  invalidQuantile(value: number, range: TextRange): void {
    this.#add('warning', `quantile value should be between 0 and 1, got ${formatGo(value)}`, range);
  }

  invalidIntegralStrategy(value: number, range: TextRange): void {
    this.#add('warning', `strategy should be 0, 1, or 2 (default), using 2, got ${formatGo(value)}`, range);
  }

  invalidRatio(value: number, capped: number, range: TextRange): void {
    const text = `ratio value should be between -1 and 1, got ${formatGo(value)}, capping to ${formatGo(capped)}`;
    this.#add('warning', text, range);
  }

  badBucketLabel(metric: string, label: string, range: TextRange): void {
    const text = `bucket label "le" is missing or has a malformed value of ${quoteGo(label)}${forMetric(metric)}`;
    this.#add('warning', text, range);
  }

  mixedFloatsAndHistograms(metric: string, range: TextRange): void {
    this.#add('warning', `encountered a mix of histograms and floats for metric name ${quoteGo(metric)}`, range);
  }

  mixedInAggregation(range: TextRange): void {
    this.#add('warning', 'encountered a mix of histograms and floats for aggregation', range);
  }

  mixedClassicAndNative(metric: string, range: TextRange): void {
    this.#add('warning', `vector contains a mix of classic and native histograms${forMetric(metric)}`, range);
  }

  notACounter(metric: string, range: TextRange): void {
    this.#add('warning', `this native histogram metric is not a counter: ${quoteGo(metric)}`, range);
  }

  notAGauge(metric: string, range: TextRange): void {
    this.#add('warning', `this native histogram metric is not a gauge: ${quoteGo(metric)}`, range);
  }

  mixedSchemas(metric: string, range: TextRange): void {
    const what = 'vector contains a mix of histograms with exponential and custom buckets schemas for metric name';
    this.#add('warning', `${what} ${quoteGo(metric)}`, range);
  }

  incompatibleBuckets(operator: string, range: TextRange): void {
    this.#add('warning', `incompatible bucket layout encountered for binary operator ${operator}`, range);
  }

  sortInRangeQuery(range: TextRange): void {
    this.#add('warning', 'sort is ineffective for range queries since results are always ordered by labels', range);
  }

  resetsCollide(operation: HistogramOperation, range: TextRange): void {
    this.#add('warning', `conflicting counter resets during histogram ${operation}`, range);
  }

  startTimeOverlap(metric: string, range: TextRange): void {
    const text = `sample has start time that overlaps with previous sample timestamp for metric ${quoteGo(metric)}`;
    const annotation = this.#add('warning', text, range);
    annotation.occurrences = (annotation.occurrences ?? 0) + 1;
  }

  possibleNonCounter(metric: string, range: TextRange): void {
    const why = 'name does not end in _total/_sum/_count/_bucket';
    this.#add('info', `metric might not be a counter, ${why}: ${quoteGo(metric)}`, range);
  }

  possibleNonCounterType(metric: string, type: string, range: TextRange): void {
    const why = '__type__ label is not set to "counter" or "histogram"';
    this.#add('info', `metric might not be a counter, ${why}, got ${quoteGo(type)}: ${quoteGo(metric)}`, range);
  }

  incompatibleTypes(left: string, operator: string, right: string, range: TextRange): void {
    const what = 'incompatible sample types encountered for binary operator';
    this.#add('info', `${what} ${quoteGo(operator)}: ${left} ${operator} ${right}`, range);
  }

  histogramIgnoredInAggregation(aggregation: string, range: TextRange): void {
    this.#add('info', `ignored histogram in ${aggregation} aggregation`, range);
  }

  histogramIgnoredInRange(metric: string, range: TextRange): void {
    const what = 'ignored histograms in a range containing both floats and histograms for metric name';
    this.#add('info', `${what} ${quoteGo(metric)}`, range);
  }

  boundsReconciled(operation: HistogramOperation, range: TextRange): void {
    this.#add('info', `mismatched custom buckets were reconciled during ${operation}`, range);
  }

  quantileIsNaN(metric: string, range: TextRange): void {
    this.#add('info', `input to histogram_quantile has NaN observations, result is NaN${forMetric(metric)}`, range);
  }

  quantileIsSkewed(metric: string, range: TextRange): void {
    const what = 'input to histogram_quantile has NaN observations, result is skewed higher';
    this.#add('info', `${what}${forMetric(metric)}`, range);
  }

  fractionExcludesNaN(metric: string, range: TextRange): void {
    const what = 'input to histogram_fraction has NaN observations, which are excluded from all fractions';
    this.#add('info', `${what}${forMetric(metric)}`, range);
  }

  /** Buckets of a classic histogram decreased. @param time ms since 1970 */
  forcedMonotonicity(
    metric: string,
    range: TextRange,
    forced: { time: number; minBucket: number; maxBucket: number; maxDifference: number },
  ): void {
    const link = 'https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile';
    const what = `input to histogram_quantile needed to be fixed for monotonicity (see ${link})`;
    const annotation = this.#add('info', `${what}${forMetric(metric)}`, range);
    const before = annotation.forced;
    annotation.forced = {
      minTime: Math.min(before?.minTime ?? forced.time, forced.time),
      maxTime: Math.max(before?.maxTime ?? forced.time, forced.time),
      minBucket: Math.min(before?.minBucket ?? forced.minBucket, forced.minBucket),
      maxBucket: Math.max(before?.maxBucket ?? forced.maxBucket, forced.maxBucket),
      maxDifference: Math.max(before?.maxDifference ?? forced.maxDifference, forced.maxDifference),
      count: (before?.count ?? 0) + 1,
    };
  }
}

function forMetric(metric: string): string {
  return metric === '' ? '' : ` for metric name ${quoteGo(metric)}`;
}

function show({ level, text, range, forced, occurrences = 1 }: Annotation, query: string): string {
  let details = '';
  if (forced) {
    const { minTime, maxTime, minBucket, maxBucket, maxDifference, count } = forced;
    const buckets = `from buckets ${formatGo(minBucket)} to ${formatGo(maxBucket)}`;
    const samples = `over ${count} samples from ${secondsIso(minTime)} to ${secondsIso(maxTime)}`;
    details = `, ${buckets}, with a max diff of ${formatGeneral(maxDifference, 2)}, ${samples}`;
  } else if (occurrences > 1) details = ` (${occurrences} occurrences)`;
  return `PromQL ${level}: ${text}${details} (${placeOf(query, range.start)})`;
}

function secondsIso(timeMs: number): string {
  return `${new Date(Math.trunc(timeMs / 1000) * 1000).toISOString().slice(0, 19)}Z`;
}
