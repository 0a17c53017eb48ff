import { type ExposedSeries, writeExposition } from '@signalbox/protocols';
import type { FloatHistogram } from '../../query/promql/histogram/float-histogram.ts';
import type { RawSeries } from '../../query/promql/queryable.ts';
import { federatedFamilies } from './federated-families.ts';

/** The newest sample of each series in Prometheus's text format. Of histograms only those with custom bounds have a form there. */
export function* federationText(series: readonly RawSeries[], utf8Names: boolean): Generator<string> {
  for (const { name, type, series: own } of federatedFamilies(series, false)) {
    const family = { name, type: type === 'untyped' ? type : 'histogram', help: '', unit: '' } as const;
    const shown = own.map(({ labels, timeMs, value }) => ({ labels, timeMs, value: shownValue(value), exemplars: [] }));
    yield writeExposition([{ family, series: shown }], { openMetrics: false, utf8Names });
  }
}

function shownValue(value: number | FloatHistogram): ExposedSeries['value'] {
  if (typeof value === 'number') return { kind: 'number', value };
  const { positive, customBounds, sum, count } = value;
  const counts = customBounds.map(() => 0);
  for (const [at, index] of positive.indexes.entries()) if (index < counts.length) counts[index] = positive.counts[at];
  return { kind: 'histogram', bounds: [...customBounds], counts, sum, count };
}
