import { type MetricBatch, MetricType } from '@signalbox/records';
import type { ProducedSample, SampleWriter } from './alert/rules/rule-query.ts';
import type { Consumer } from './pipeline/consumer.ts';
import { MetricBuilder } from './process/metric-builder.ts';

/** OTLP's flag of a point without a value: the series has ended. */
const NO_RECORDED_VALUE = 1;

/** Stores what rules produce as gauges, whose attributes are the labels. Native histograms can't be stored. */
export function ruleSampleWriter(metrics: Consumer<MetricBatch>): SampleWriter {
  return async (samples) => {
    const builder = new MetricBuilder();
    const { numberPoints } = builder.batch;
    const scope = builder.scope([], 'signalbox.rules');
    for (const [name, ofMetric] of byName(samples)) {
      const metric = builder.metric(scope, { name, type: MetricType.Gauge });
      for (const { labels, timeMs, value } of ofMetric) {
        if (typeof value === 'object') throw new Error('the result has native histograms, which can not be recorded');
        const attributes = [...labels].filter(([label]) => label !== '__name__');
        const row = builder.point(numberPoints, metric, attributes, 0, timeMs);
        if (value === 'stale') numberPoints.flags[row] = NO_RECORDED_VALUE;
        else numberPoints.value.setDouble(row, value);
        numberPoints.end();
      }
    }
    const { rejected, reason } = await metrics.consume(builder.batch);
    if (rejected > 0)
      throw new Error(`the store took ${samples.length - rejected} of ${samples.length} samples: ${reason}`);
  };
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
