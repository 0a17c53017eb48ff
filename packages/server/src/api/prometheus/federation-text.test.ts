import { expect, test } from 'vitest';
import { MemorySeries } from '../../query/promql/memory-series.ts';
import { parseSeriesDescription } from '../../query/promql/series-description.ts';
import { Turns } from '../../query/turns.ts';
import { federationText } from './federation-text.ts';

async function textOf(descriptions: readonly string[], utf8Names = true): Promise<string[]> {
  const memory = new MemorySeries();
  for (const description of descriptions) {
    const { labels, values } = parseSeriesDescription(description);
    memory.add(
      labels,
      values.flatMap((value, index) =>
        value.kind === 'gap'
          ? []
          : [{ timeMs: index * 60_000, value: value.kind === 'stale' ? ('stale' as const) : value.value }],
      ),
    );
  }
  const hints = { stepMs: 0, rangeMs: 0, function: '', histogramStats: false };
  const matchers = [{ name: '__name__', operator: '=~' as const, value: '.+' }];
  const series = await memory.select({ matchers, startMs: 0, endMs: 1e9, hints });
  const pieces: Uint8Array[] = [];
  for await (const piece of federationText(series, utf8Names, new Turns())) pieces.push(piece);
  return Buffer.concat(pieces).toString().split('\n');
}

// What Prometheus 3.16 answers to /federate of the same samples.
test('gives the newest sample of each series that has not ended', async () => {
  expect(
    await textOf([
      'b{x="2"} 1 2 _',
      'b{x="1",instance="i"} 1e7 -1',
      'a{x="y\\"z"} 0.25',
      'gone 1 stale',
      'back 1 stale 3',
    ]),
  ).toEqual([
    '# TYPE a untyped',
    'a{x="y\\"z",instance=""} 0.25 0',
    '# TYPE b untyped',
    'b{instance="i",x="1"} -1 60000',
    'b{x="2",instance=""} 2 60000',
    '# TYPE back untyped',
    'back{instance=""} 3 120000',
    '',
  ]);
});

test('writes histograms with custom bounds as classic ones, and leaves out others', async () => {
  expect(
    await textOf([
      'h{i="1"} {{schema:-53 sum:7.5 count:6 custom_values:[5 10] buckets:[1 2 3]}}',
      'n{} {{schema:1 count:6 sum:5 buckets:[1 2 3]}}',
    ]),
  ).toEqual([
    '# TYPE h histogram',
    'h_bucket{i="1",instance="",le="5"} 1 0',
    'h_bucket{i="1",instance="",le="10"} 3 0',
    'h_bucket{i="1",instance="",le="+Inf"} 6 0',
    'h_sum{i="1",instance=""} 7.5 0',
    'h_count{i="1",instance=""} 6 0',
    '',
  ]);
});

test('names of any characters are as they are for those who take them, else escaped', async () => {
  const described = ['{"a.b","c.d"="e"} 1'];
  expect(await textOf(described)).toEqual(['# TYPE "a.b" untyped', '{"a.b","c.d"="e",instance=""} 1 0', '']);
  expect(await textOf(described, false)).toEqual(['# TYPE a_b untyped', 'a_b{c_d="e",instance=""} 1 0', '']);
});

test('a family of many series has one header', async () => {
  const many = Array.from({ length: 1_000 }, (_, i) => `m{i="${String(i).padStart(4, '0')}",instance="a"} ${i}`);
  expect(await textOf(many.toReversed())).toEqual(['# TYPE m untyped', ...many.map((line) => `${line} 0`), '']);
});
