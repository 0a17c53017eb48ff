import { afterAll, beforeAll, expect, test } from 'vitest';
import { listBlocks } from './list-blocks.ts';
import { OtlpStore } from './testing/otlp-store.ts';

let otlp: OtlpStore;
beforeAll(async () => {
  otlp = await OtlpStore.open();
});
afterAll(() => otlp.close());

const hour = 3_600_000;
const noon = Math.floor(Date.now() / (24 * hour)) * 24 * hour - 12 * hour;
const at = (timeMs: number) => ({ timeUnixNano: `${timeMs}000000` });

test('the store’s partitions of six hours, with what is in them', async () => {
  expect(await listBlocks(otlp.context())).toEqual([]);
  const exponentialHistogram = {
    aggregationTemporality: 2,
    dataPoints: [{ ...at(noon + hour), count: '1', sum: 1, scale: 0, zeroCount: '1' }],
  };
  const before = noon - 1;
  for (const timeMs of [noon, noon + 6 * hour - 1, before]) {
    await otlp.insert({}, [{ name: 'a', gauge: { dataPoints: [{ ...at(timeMs), asDouble: 1 }] } }]);
  }
  await otlp.insert({}, [{ name: 'b', exponentialHistogram }]);
  const merges = expect.any(Number) as number;
  expect(await listBlocks(otlp.context())).toEqual([
    { startMs: noon - 6 * hour, endMs: noon, points: 1, exponentialHistograms: 0, series: 1, merges },
    { startMs: noon, endMs: noon + 6 * hour, points: 3, exponentialHistograms: 1, series: 2, merges },
  ]);
});
