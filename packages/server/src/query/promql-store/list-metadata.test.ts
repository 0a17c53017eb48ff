import { afterAll, beforeAll, expect, test } from 'vitest';
import { listMetadata } from './list-metadata.ts';
import { SeriesCatalog } from './series-catalog.ts';
import { OtlpStore } from './testing/otlp-store.ts';
import { DEFAULT_TRANSLATION } from './translation.ts';

let otlp: OtlpStore;
beforeAll(async () => {
  otlp = await OtlpStore.open();
});
afterAll(() => otlp.close());

const dataPoints = [{ timeUnixNano: `${Date.now()}000000`, asDouble: 1 }];
const gauge = (name: string, description: string) => ({ name, description, gauge: { dataPoints } });

test('metadata of scraped histograms and summaries is their family’s, as Prometheus has it', async () => {
  const sum = { aggregationTemporality: 2, isMonotonic: true, dataPoints };
  await otlp.insert({ 'service.name': 'web' }, [
    gauge('latency_seconds_bucket', 'How long.'),
    gauge('latency_seconds_sum', 'How long.'),
    gauge('latency_seconds_count', 'How long.'),
    gauge('pause_seconds', 'Pauses.'),
    gauge('pause_seconds_sum', 'Pauses.'),
    gauge('pause_seconds_count', 'Pauses.'),
    gauge('rows_count', 'Rows.'),
    gauge('rows_sum', 'Of something else.'),
    { name: 'requests_total', description: 'Requests.', sum },
  ]);
  const catalog = new SeriesCatalog(DEFAULT_TRANSLATION, { maxSeries: 100, maxCached: 100 });
  expect(Object.fromEntries(await listMetadata(otlp.context(), catalog))).toEqual({
    latency_seconds: [{ type: 'histogram', help: 'How long.', unit: '' }],
    pause_seconds: [{ type: 'summary', help: 'Pauses.', unit: '' }],
    requests_total: [{ type: 'counter', help: 'Requests.', unit: '' }],
    rows_count: [{ type: 'gauge', help: 'Rows.', unit: '' }],
    rows_sum: [{ type: 'gauge', help: 'Of something else.', unit: '' }],
  });
});
