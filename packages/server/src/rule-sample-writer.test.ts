import { parsePromql, type VectorSelector } from '@signalbox/query-language';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SampleWriter } from './alert/rules/rule-query.ts';
import { PromqlEngine } from './query/promql/engine.ts';
import { FloatHistogram } from './query/promql/histogram/float-histogram.ts';
import type { RawSeries } from './query/promql/queryable.ts';
import { parseSeriesDescription } from './query/promql/series-description.ts';
import { SeriesCatalog } from './query/promql-store/series-catalog.ts';
import { StoreQueryable } from './query/promql-store/store-queryable.ts';
import { OtlpStore } from './query/promql-store/testing/otlp-store.ts';
import { DEFAULT_TRANSLATION } from './query/promql-store/translation.ts';
import { ruleSampleWriter } from './rule-sample-writer.ts';

const t0 = 1_760_054_400_000;

let otlp: OtlpStore;
let write: SampleWriter;
beforeAll(async () => {
  otlp = await OtlpStore.open();
  write = ruleSampleWriter(otlp.store.metrics);
});
afterAll(() => otlp?.close());

function queryable(): StoreQueryable {
  const catalog = new SeriesCatalog(DEFAULT_TRANSLATION, { maxCached: 1_000, maxSeries: 1_000 });
  return new StoreQueryable(otlp.context(), catalog, { maxSamples: 100_000 });
}

async function read(selector: string): Promise<readonly RawSeries[]> {
  const { matchers } = parsePromql(selector) as VectorSelector;
  const hints = { stepMs: 0, rangeMs: 0, function: '', histogramStats: false };
  return queryable().select({ matchers, startMs: t0, endMs: t0 + 600_000, hints });
}

function histogram(description: string): FloatHistogram {
  const [value] = parseSeriesDescription(`x ${description}`).values;
  if (value?.kind !== 'histogram') throw new Error(`${description} is no histogram`);
  return value.value;
}

/** Writes a series of samples 15 s apart. */
async function record(name: string, values: readonly (number | FloatHistogram | 'stale')[]): Promise<void> {
  const labels = new Map([
    ['__name__', name],
    ['zone', 'a'],
  ]);
  for (const [place, value] of values.entries()) await write([{ labels, timeMs: t0 + place * 15_000, value }]);
}

describe('native histograms that rules give', () => {
  it.each([
    ['counts that are not whole', '{{schema:3 sum:0.7 count:1.1 z_bucket:0.1 z_bucket_w:0.001 buckets:[0.25 0 0.75]}}'],
    ['both sides, below zero too', '{{schema:-2 sum:-4 count:7 offset:-3 buckets:[1 2] n_offset:5 n_buckets:[4]}}'],
    ['no zero bucket', '{{schema:0 sum:3 count:2 buckets:[2]}}'],
    ['a gauge', '{{schema:1 sum:1 count:1 counter_reset_hint:gauge buckets:[1]}}'],
    ['counts below zero', '{{schema:0 sum:-1 count:-2.5 buckets:[-2.5] counter_reset_hint:gauge}}'],
    ['bounds of its own', '{{schema:-53 sum:9 count:3.5 custom_values:[0.1 2.5 10] offset:1 buckets:[1.5 0 2]}}'],
    ['nothing', '{{}}'],
  ])('come back as they were: %s', async (name, description) => {
    const metric = `recorded_${name.replaceAll(/\W+/g, '_')}`;
    const given = histogram(description);
    await record(metric, [given]);
    const [found] = await read(metric);
    const [stored] = found?.histograms ?? [];
    expect(stored).toMatchObject({
      schema: given.schema,
      count: given.count,
      sum: given.sum,
      zeroCount: given.zeroCount,
      zeroThreshold: given.zeroThreshold,
      customBounds: given.customBounds,
      resetHint: given.resetHint,
    });
    expect(stored?.toString()).toBe(given.toString());
  });

  it('is made coarser when its buckets are too far apart to keep the gap', async () => {
    const wide = new FloatHistogram();
    Object.assign(wide, { schema: 8, count: 3, sum: 1, positive: { indexes: [-150_000, 150_000], counts: [1, 2] } });
    await record('recorded_wide', [wide]);
    const [stored] = (await read('recorded_wide'))[0]?.histograms ?? [];
    expect(stored).toMatchObject({ schema: 5, count: 3 });
    expect(stored?.positive.counts).toEqual([1, 2]);
  });

  it('are one series with the numbers of the same labels, and with its end', async () => {
    await record('recorded_both', [1, histogram('{{sum:3 count:0.5 buckets:[0.5]}}'), 'stale', 2]);
    const found = await read('recorded_both');
    expect(found).toHaveLength(1);
    expect(found[0]?.labels.entries()).toEqual([
      ['__name__', 'recorded_both'],
      ['zone', 'a'],
    ]);
    expect(Array.from(found[0]?.values ?? [])).toEqual([1, 0, 0, 2]);
    expect(found[0]?.histograms?.map((value) => value?.count)).toEqual([undefined, 0.5, undefined, undefined]);
    expect(Array.from(found[0]?.stale ?? [])).toEqual([0, 0, 1, 0]);
  });

  it('answer as the expression that was recorded', async () => {
    const point = (second: number, counts: string[]): object => ({
      timeUnixNano: String(BigInt(t0 + second * 1000) * 1_000_000n),
      scale: 1,
      sum: Number(counts[0]) * 1.5,
      count: String(counts.reduce((sum, count) => sum + Number(count), 0)),
      positive: { offset: 2, bucketCounts: counts },
    });
    const dataPoints = [point(0, ['1', '0', '2']), point(30, ['2', '4', '9']), point(60, ['7', '5', '9'])];
    await otlp.insert({ 'service.name': 'web' }, [
      { name: 'latency', exponentialHistogram: { dataPoints, aggregationTemporality: 2 } },
    ]);
    const engine = new PromqlEngine(queryable());
    const instant = async (expression: string) => (await engine.instant(expression, t0 + 60_000)).value;
    const result = await instant('sum(rate(latency[1m]))');
    if (result.type !== 'vector') throw new Error('not a vector');
    await write(
      result.samples.map(({ value }) => ({
        labels: new Map([['__name__', 'job:latency:rate1m']]),
        timeMs: t0 + 60_000,
        value,
      })),
    );
    for (const [recorded, direct] of [
      ['histogram_quantile(0.9, job:latency:rate1m)', 'histogram_quantile(0.9, sum(rate(latency[1m])))'],
      ['histogram_count(job:latency:rate1m)', 'histogram_count(sum(rate(latency[1m])))'],
      ['histogram_avg(job:latency:rate1m)', 'histogram_avg(sum(rate(latency[1m])))'],
    ] as const) {
      const wanted = await instant(direct);
      expect(wanted).toMatchObject({ samples: [{ value: expect.any(Number) }] });
      expect(await instant(recorded)).toEqual(wanted);
    }
  });
});
