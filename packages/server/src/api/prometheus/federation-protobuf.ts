import { encodeFamilyHead, encodeMetrics } from '@signalbox/protocols';
import type { RawSeries } from '../../query/promql/queryable.ts';
import type { Turns } from '../../query/turns.ts';
import { batches, federatedFamilies, shownLabels } from './federated-families.ts';

/**
 * The newest sample of each series in Prometheus's protobuf format. Of one family all bytes are held: their number stands before
 * them.
 */
export async function* federationProtobuf(
  series: readonly RawSeries[],
  utf8Names: boolean,
  turns: Turns,
): AsyncGenerator<Uint8Array> {
  for await (const family of federatedFamilies(series, true, turns)) {
    const metrics: Uint8Array[] = [];
    for (const batch of batches(family.series)) {
      const shown = batch.map((one) => ({ ...one, labels: shownLabels(one.labels) }));
      metrics.push(encodeMetrics(shown, utf8Names));
      if (turns.isOver) await turns.next();
    }
    const bytes = metrics.reduce((sum, { length }) => sum + length, 0);
    yield encodeFamilyHead(family, bytes, utf8Names);
    yield* metrics;
  }
}
