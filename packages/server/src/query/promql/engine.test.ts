import { describe, expect, test } from 'vitest';
import { PromqlEngine } from './engine.ts';
import { Labels } from './labels.ts';
import { MemorySeries } from './memory-series.ts';
import type { Queryable } from './queryable.ts';
import { runPromqlTest, type TestStorage } from './testing/promqltest.ts';

function inMemory(): TestStorage {
  const memory = new MemorySeries();
  return {
    queryable: memory,
    add(series) {
      for (const { labels, samples } of series) memory.add(labels, samples);
    },
  };
}

// Answers worked out by hand from the documentation of Prometheus.
const scripts: Record<string, string> = {
  'a selector finds the last sample within the lookback, which is open on the left': `
load 1m
  up{job="a"} 1 2 3 _ _ _ _ _ _ 4
eval instant at 2m up
  up{job="a"} 3
eval instant at 6m59s up
  up{job="a"} 3
eval instant at 7m up
eval instant at 1m up offset -1m
  up{job="a"} 3
eval instant at 9m up @ 60
  up{job="a"} 2`,
  'a series that has ended is not there': `
load 1m
  up 1 stale _ 1
eval range from 0 to 3m step 1m up
  up 1 _ _ 1`,
  'rate adds what a reset took away and reaches to the ends of its range': `
load 1m
  requests_total 0 60 120 30 90
eval instant at 4m increase(requests_total[4m])
  {} 200
eval instant at 4m irate(requests_total[4m])
  {} 1
eval instant at 4m resets(requests_total[5m])
  {} 1`,
  'integral is the area under the samples: of trapezoids, or of rectangles as high as one of their sides': `
load 10s
  power 1 3 3 _ 5
  gap 2 NaN 4
eval instant at 40s integral(power[1m])
  {} 130
eval instant at 40s integral(power[1m], 0)
  {} 100
eval instant at 40s integral(power[1m], 1)
  {} 160
eval_warn instant at 40s integral(power[1m], 7)
  {} 130
eval instant at 40s integral(gap[1m])
  {} 30
eval instant at 0s integral(power[10s])
  {} 0

clear
load 1s
  large 1e308 1e308
eval instant at 1s integral(large[2s])
  {} 1e308`,
  'a type and a unit are no more part of what is computed than the name is': `
load 1m
  requests_total{__type__="counter",__unit__="1",job="a",pod="x"} 2
  requests_total{__type__="counter",__unit__="1",job="a",pod="y"} 3
  limit{__type__="gauge",job="a"} 10
eval instant at 0s sum without (pod) (requests_total)
  {job="a"} 5
eval instant at 0s count_values without (pod) ("value", requests_total)
  {job="a",value="2"} 1
  {job="a",value="3"} 1
eval instant at 0s absent(requests_total{__type__="counter",job="b"})
  {job="b"} 1
eval instant at 0s requests_total * ignoring(pod) group_left limit{__type__="gauge"}
  {job="a",pod="x"} 20
  {job="a",pod="y"} 30`,
  'vectors are matched by their labels': `
load 1m
  errors{job="a",code="500"} 2
  errors{job="a",code="503"} 3
  requests{job="a"} 10
  requests{job="b"} 20
eval instant at 0 sum by (job) (errors) / requests
  {job="a"} 0.5
eval instant at 0 errors / on (job) group_left () requests
  {job="a",code="500"} 0.2
  {job="a",code="503"} 0.3
eval instant at 0 requests unless on (job) errors
  requests{job="b"} 20
eval instant at 0 requests > bool 10
  {job="a"} 0
  {job="b"} 1
eval instant at 0 errors + requests
eval instant at 0 requests + on (job) errors
  expect fail regex: found duplicate series for the match group`,
  'quantiles of classic and of native histograms': `
load 1m
  latency_bucket{le="0.1"} 0
  latency_bucket{le="1"} 50
  latency_bucket{le="+Inf"} 100
  native {{schema:0 sum:5 count:4 buckets:[2 2] offset:1}}
eval instant at 0 histogram_quantile(0.25, latency_bucket)
  {} 0.55
eval instant at 0 histogram_quantile(0.5, native)
  {} 2
eval instant at 0 histogram_count(native)
  {} 4
eval instant at 0 histogram_fraction(0, 2, native)
  {} 0.5`,
  aggregations: `
load 1m
  m{a="1",b="x"} 1
  m{a="2",b="x"} 3
  m{a="3",b="y"} 5
eval instant at 0 sum by (b) (m)
  {b="x"} 4
  {b="y"} 5
eval instant at 0 topk(2, m)
  expect ordered
  m{a="3",b="y"} 5
  m{a="2",b="x"} 3
eval instant at 0 count_values without (a, b) ("v", m)
  {v="1"} 1
  {v="3"} 1
  {v="5"} 1
eval instant at 0 quantile(0.5, m)
  {} 3
eval instant at 0 avg(m) without (a)
  {b="x"} 2
  {b="y"} 5`,
  'a quantile that is one of the values is not changed by an infinite neighbour': `
load 1m
  m{a="1"} 1
  m{a="2"} 4
  m{a="3"} Inf
eval instant at 0 quantile(0.5, m)
  {} 4
eval instant at 0 quantile(1, m)
  {} +Inf`,
  'what is filled in stands on its own side of an operator, whichever side has many': `
load 1m
  node{on="a"} 50
  node{on="only node"} 70
  cpu{on="a",core="0"} 3
  cpu{on="only cpu",core="0"} 4
eval instant at 0 node - on(on) group_right fill_left(10) cpu
  {on="a",core="0"} 47
  {on="only cpu",core="0"} 6
eval instant at 0 node - on(on) group_right fill_right(20) cpu
  {on="a",core="0"} 47
  {on="only node"} 50
eval instant at 0 cpu - on(on) group_left fill_right(10) node
  {on="a",core="0"} -47
  {on="only cpu",core="0"} -6`,
  'a bound of zero ends a custom bucket, it does not cut it off': `
load_with_nhcb 1m
  h_bucket{le="0"} 3
  h_bucket{le="2"} 5
  h_bucket{le="+Inf"} 6
eval instant at 0 histogram_fraction(-Inf, 0, h)
  {} 0.5`,
  'a range that is anchored or smoothed has values at its ends': `
load 1m
  visits 1 2 4 8
eval instant at 2m30s visits[1m] anchored
  expect range vector from 1m30s to 2m30s step 30s
  visits 2 4 4
eval instant at 2m30s visits[1m] smoothed
  expect range vector from 1m30s to 2m30s step 30s
  visits 3 4 6`,
  'a counter that began anew counts from its start time on, in anchored and smoothed ranges too': `
load 1m
  jobs_total@st _ -30s -90s -30s
  jobs_total _ 10 20 50
eval instant at 3m increase(jobs_total[2m] anchored)
  {} 60
eval instant at 2m45s increase(jobs_total[1m] smoothed)
  {} 27.5`,
  'info looks where all vectors of its argument do, and at the time of the query where they differ': `
load 1m
  up{instance="a",job="x"} 1 1 1 1 1 1
  target_info{instance="a",job="x",version="1"} 1 1 1 stale
  target_info{instance="a",job="x",version="2"} _ _ _ 1 1 1
eval instant at 5m info(up offset 4m)
  up{instance="a",job="x",version="1"} 1
eval range from 4m to 5m step 1m info(up @ 60 + up)
  {instance="a",job="x",version="2"} 2 2`,
  'info finds what belongs to series that have only one of job and instance, beside such that have both': `
load 1m
  solo{instance="a"} 1
  both{instance="a",job="x"} 2
  rack_info{instance="a",rack="left"} 1
eval instant at 0 info({__name__=~"solo|both"}, {__name__="rack_info"})
  solo{instance="a",rack="left"} 1
  both{instance="a",job="x"} 2`,
  'how much a histogram was changed is told as Go rounds: to even, and with an exponent': `
load 1m
  h_bucket{le="1"} 1000
  h_bucket{le="2000000"} 999.875
  h_bucket{le="+Inf"} 2000
  g_bucket{le="1"} 1000
  g_bucket{le="2"} 875
  g_bucket{le="+Inf"} 2000
eval instant at 0 histogram_quantile(0.25, h_bucket)
  expect info regex: from buckets 2e\\+06 to 2e\\+06, with a max diff of 0.12, over
  {} 0.5
eval instant at 0 histogram_quantile(0.25, g_bucket)
  expect info regex: from buckets 2 to 2, with a max diff of 1.2e\\+02, over
  {} 0.5`,
  'the largest angles can be converted': `
eval instant at 0 rad(vector(1.5e308)) / 1e306 > 2.6 < 2.7
  {} 2.6179938779914944`,
};

describe('the engine', () => {
  test.each(Object.entries(scripts))('%s', async (_, script) => {
    await runPromqlTest(script.trim().replace(/\neval/g, '\n\neval'), inMemory);
  });
});

test('what has the same value at all steps is evaluated at the first, remarks are on that one', async () => {
  const buckets = new MemorySeries();
  for (const [le, value] of [
    ['1', 5],
    ['2', 3],
    ['+Inf', 6],
  ] as const) {
    const labels = Labels.from(Object.entries({ __name__: 'h_bucket', le }));
    buckets.add(
      labels,
      [0, 60_000, 120_000].map((timeMs) => ({ timeMs, value })),
    );
  }
  const engine = new PromqlEngine(buckets);
  const range = { startMs: 0, endMs: 120_000, stepMs: 60_000 };
  const ask = (query: string) => engine.range(query, range);
  const once = await ask('histogram_quantile(0.5, h_bucket @ 60) + 0 * time()');
  const [{ points = [] } = {}] = once.value.type === 'matrix' ? once.value.series : [];
  expect(points.map(({ timeMs, value }) => [timeMs, value])).toEqual([0, 60_000, 120_000].map((at) => [at, 0.6]));
  const [day, first] = ['1970-01-01T00:', '1970-01-01T00:00:00Z'];
  expect(once.infos).toEqual([expect.stringContaining(`from ${first} to ${first} `)]);
  const each = await ask('histogram_quantile(0.5, h_bucket)');
  expect(each.infos).toEqual([expect.stringContaining(`from ${first} to ${day}02:00Z`)]);
});

describe('limits', () => {
  const many = new MemorySeries();
  many.add(
    Labels.from([['__name__', 'many']]),
    Array.from({ length: 1_000 }, (_, index) => ({ timeMs: index * 1_000, value: index })),
  );

  test('of the samples that a query may hold', async () => {
    const engine = new PromqlEngine(many, { maxSamples: 500 });
    await expect(engine.instant('sum_over_time(many[1h])', 1_000_000)).rejects.toMatchObject({
      kind: 'execution',
      message: 'query processing would load too many samples into memory in query execution',
    });
  });

  test('of the steps of a range', async () => {
    const engine = new PromqlEngine(many);
    const range = { startMs: 0, endMs: 11_001_000, stepMs: 1_000 };
    await expect(engine.range('many', range)).rejects.toMatchObject({ kind: 'bad_data' });
    expect((await engine.range('many', { ...range, endMs: 11_000_999 })).value.type).toBe('matrix');
  });

  const never: Queryable = {
    select: (_, signal) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason));
      }),
  };

  test('of time', async () => {
    await expect(new PromqlEngine(never, { timeoutMs: 20 }).instant('many', 0)).rejects.toMatchObject({
      kind: 'timeout',
    });
  });

  test('of patience: nobody waits any more', async () => {
    const abort = new AbortController();
    const answer = new PromqlEngine(never).instant('many', 0, { signal: abort.signal });
    abort.abort();
    await expect(answer).rejects.toMatchObject({ kind: 'canceled' });
  });

  test('a query that can not be parsed is bad data', async () => {
    await expect(new PromqlEngine(many).instant('sum(', 0)).rejects.toMatchObject({
      kind: 'bad_data',
      message: '1:5: parse error: unclosed left parenthesis',
    });
    await expect(new PromqlEngine(many).range('many[5m]', { startMs: 0, endMs: 1, stepMs: 1 })).rejects.toMatchObject({
      message: 'invalid expression type "range vector" for range query, must be Scalar or instant Vector',
    });
  });
});

test('sorting is remarked on where it does nothing: over a range, unless all steps have one value', async () => {
  const remarks = async (query: string) =>
    (await new PromqlEngine(new MemorySeries()).range(query, { startMs: 0, endMs: 60_000, stepMs: 30_000 })).warnings;
  const warning =
    'PromQL warning: sort is ineffective for range queries since results are always ordered by labels (1:1)';
  expect(await remarks('sort(a)')).toEqual([warning]);
  expect(await remarks('sort(a @ end() + time())')).toEqual([warning]);
  expect(await remarks('sort(a @ end() + rate(b[1m] @ 0))')).toEqual([]);
});
