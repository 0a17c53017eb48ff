import { type ExposedSeries, writeExposition } from '@signalbox/protocols';
import type { FloatHistogram } from '../../query/promql/histogram/float-histogram.ts';
import type { RawSeries } from '../../query/promql/queryable.ts';
import type { Turns } from '../../query/turns.ts';
import { batches, federatedFamilies, shownLabels } from './federated-families.ts';

/** The newest sample of each series in Prometheus's text format. Of histograms only those with custom bounds have a form there. */
export async function* federationText(
  series: readonly RawSeries[],
  utf8Names: boolean,
  turns: Turns,
): AsyncGenerator<Uint8Array> {
  for await (const { name, type, series: own } of federatedFamilies(series, false, turns)) {
    const family = { name, type: type === 'untyped' ? type : 'histogram', help: '', unit: '' } as const;
    let goesOn = false;
    for (const batch of batches(own)) {
      const shown = batch.map(({ labels, timeMs, value }) => {
        return { labels: shownLabels(labels), timeMs, value: shownValue(value), exemplars: [] };
      });
      yield Buffer.from(writeExposition([{ family, series: shown, goesOn }], { openMetrics: false, utf8Names }));
      goesOn = true;
      if (turns.isOver) await turns.next();
    }
  }
}

function shownValue(value: number | FloatHistogram): ExposedSeries['value'] {
  if (typeof value === 'number') return { kind: 'number', value };
  const { positive, customBounds, sum, count } = value;
  const counts = customBounds.map(() => 0);
  for (const [at, index] of positive.indexes.entries()) if (index < counts.length) counts[index] = positive.counts[at];
  return { kind: 'histogram', bounds: [...customBounds], counts, sum, count };
}
