import { type MetricBatch, MetricBuilder, MetricType, Temporality } from '@signalbox/records';
import type { ProducedSample, SampleWriter } from './alert/rules/rule-query.ts';
import type { Consumer } from './pipeline/consumer.ts';
import { setRecordedHistogram } from './recorded-histogram.ts';

/** OTLP's flag of a point without a value: the series has ended. */
const NO_RECORDED_VALUE = 1;

/**
 * Stores what rules produce, whose attributes are the labels: numbers as gauges, native histograms as exponential histograms. What has
 * ended is told as a gauge without a value: PromQL sees one series, whatever its samples were.
 */
export function ruleSampleWriter(metrics: Consumer<MetricBatch>): SampleWriter {
  return async (samples) => {
    const builder = new MetricBuilder();
    const { numberPoints, exponentialHistogramPoints } = builder.batch;
    const scope = builder.scope([], 'signalbox.rules');
    for (const [name, ofMetric] of byName(samples)) {
      const numbers = ofMetric.filter(({ value }) => typeof value !== 'object');
      const gauge = numbers.length > 0 ? builder.metric(scope, { name, type: MetricType.Gauge }) : -1;
      for (const { labels, timeMs, value } of numbers) {
        const row = builder.point(numberPoints, gauge, attributesOf(labels), 0, timeMs);
        if (value === 'stale') numberPoints.flags[row] = NO_RECORDED_VALUE;
        else numberPoints.value.setDouble(row, value as number);
        numberPoints.end();
      }
      if (numbers.length === ofMetric.length) continue;
      const histogram = builder.metric(scope, {
        name,
        type: MetricType.ExponentialHistogram,
        temporality: Temporality.Cumulative,
      });
      for (const { labels, timeMs, value } of ofMetric) {
        if (typeof value !== 'object') continue;
        const row = builder.point(exponentialHistogramPoints, histogram, attributesOf(labels), 0, timeMs);
        setRecordedHistogram(exponentialHistogramPoints, row, value);
        exponentialHistogramPoints.end();
      }
    }
    const { rejected, reason } = await metrics.consume(builder.batch);
    if (rejected > 0)
      throw new Error(`the store took ${samples.length - rejected} of ${samples.length} samples: ${reason}`);
  };
}

function attributesOf(labels: ProducedSample['labels']): [string, string][] {
  return [...labels].filter(([label]) => label !== '__name__');
}

/** The points of a metric stand together. */
function byName(samples: readonly ProducedSample[]): Map<string, ProducedSample[]> {
  const found = new Map<string, ProducedSample[]>();
  for (const sample of samples) {
    const name = sample.labels.get('__name__') ?? '';
    const known = found.get(name);
    if (known) known.push(sample);
    else found.set(name, [sample]);
  }
  return found;
}
