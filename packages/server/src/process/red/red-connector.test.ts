import { describe, expect, it } from 'vitest';
import type { RedRow } from '../../pipeline/span-metrics-row.ts';
import { RowCollector, START_SECONDS, spanBatch } from '../testing/spans.ts';
import { RedConnector, type RedConnectorOptions } from './red-connector.ts';

function connector(options: Partial<RedConnectorOptions> = {}) {
  const collector = new RowCollector<RedRow>();
  const errors: unknown[] = [];
  return {
    collector,
    errors,
    red: new RedConnector(collector, { onError: (error) => errors.push(error), ...options }),
  };
}

describe('RedConnector', () => {
  it('counts spans by service, name, kind, entry, error and ten seconds', async () => {
    const { collector, red } = connector();
    const start = BigInt(START_SECONDS) * 1_000_000_000n;
    await red.consume(
      spanBatch(
        { duration: 1024n, start },
        { duration: 2048n, start: start + 9_999_000_000n },
        { duration: 4096n, start, error: true },
        { duration: 1024n, start: start + 10_000_000_000n },
        { duration: 1024n, start, kind: 3, parentSpanId: '00f067aa0ba902b7' },
        { duration: 1024n, start, kind: 3 },
        { duration: 1024n, start, service: 'cart' },
        { duration: 1024n, start, name: 'POST /' },
      ),
    );
    await red.flush();
    const plain = collector.rows.map(({ buckets, ...row }) => ({ ...row, buckets: Object.fromEntries(buckets) }));
    const base = { time: START_SECONDS, service: 'shop', name: 'GET /', kind: 2, entry: true, error: false };
    const one = { count: 1, durationSum: 1024, durationMax: 1024, buckets: { 80: 1 } };
    expect(plain).toHaveLength(7);
    expect(plain).toEqual(
      expect.arrayContaining([
        { ...base, count: 2, durationSum: 3072, durationMax: 2048, buckets: { 80: 1, 88: 1 } },
        { ...base, error: true, count: 1, durationSum: 4096, durationMax: 4096, buckets: { 96: 1 } },
        { ...base, ...one, time: START_SECONDS + 10 },
        { ...base, ...one, kind: 3, entry: false },
        { ...base, ...one, kind: 3, entry: true },
        { ...base, ...one, service: 'cart' },
        { ...base, ...one, name: 'POST /' },
      ]),
    );
  });

  it('weighs head-sampled spans', async () => {
    const { collector, red } = connector();
    await red.consume(spanBatch({ duration: 1000n, traceState: 'ot=th:c' }, { duration: 500n }));
    await red.flush();
    expect(collector.rows).toMatchObject([{ count: 5, durationSum: 4500, durationMax: 1000 }]);
  });

  it('takes a span that ends before it starts for one of no duration', async () => {
    const { collector, red } = connector();
    await red.consume(spanBatch({ duration: -5n }));
    await red.flush();
    expect(collector.rows).toMatchObject([{ durationSum: 0, buckets: new Map([[0, 1]]) }]);
  });

  it('folds names beyond the limit into one, until the hour is over', async () => {
    let now = 0;
    const { collector, red } = connector({ limits: { maxNamesPerService: 2 }, now: () => now });
    const names = ['a', 'b', 'c', 'd', 'a'];
    await red.consume(spanBatch(...names.map((name) => ({ name }))));
    await red.flush();
    const counts = () => Object.fromEntries(collector.rows.map((row) => [row.name, row.count]));
    expect(counts()).toEqual({ a: 2, b: 1, '(other)': 2 });
    collector.rows.length = 0;
    now = 3_600_000;
    await red.consume(spanBatch({ name: 'c' }));
    await red.flush();
    expect(counts()).toEqual({ c: 1 });
  });

  it('folds services beyond the limit into one', async () => {
    const { collector, red } = connector({ limits: { maxServices: 1 } });
    await red.consume(spanBatch({ service: 'a' }, { service: 'b' }, { service: 'c' }));
    await red.flush();
    expect(collector.rows.map((row) => [row.service, row.count])).toEqual([
      ['a', 1],
      ['(other)', 2],
    ]);
  });

  it('cuts long names between characters', async () => {
    const { collector, red } = connector();
    await red.consume(spanBatch({ name: `a${'é'.repeat(1000)}` }, { name: `a${'é'.repeat(2000)}` }));
    await red.flush();
    expect(collector.rows).toMatchObject([{ name: `a${'é'.repeat(127)}`, count: 2 }]);
  });

  it('counts the spans of many batches into one row', async () => {
    const { collector, red } = connector();
    for (let i = 0; i < 3; i++) {
      await red.consume(spanBatch({ duration: 1000n }));
    }
    await red.flush();
    await red.flush();
    expect(collector.rows).toMatchObject([{ count: 3, durationSum: 3000 }]);
  });

  it('refuses a batch when there is no room for more rows and they can not be stored', async () => {
    const { collector, red } = connector({ maxRowsAtOnce: 1 });
    collector.error = new Error('disk full');
    await expect(red.consume(spanBatch({}))).rejects.toThrow('disk full');
  });

  it('tells of rows that can not be stored', async () => {
    const { collector, red, errors } = connector();
    collector.error = new Error('disk full');
    await red.consume(spanBatch({}));
    await red.shutdown(1000);
    expect(errors).toEqual([collector.error]);
  });

  it('hands on the rows of a batch in parts, none twice', async () => {
    const { collector, red } = connector({ maxRowsAtOnce: 2 });
    const spans = Array.from({ length: 5 }, (_, i) => ({ start: BigInt(i) * 10_000_000_000n }));
    await red.consume(spanBatch(...spans));
    await red.flush();
    expect(collector.sizes).toEqual([2, 2, 1]);
    expect(collector.rows.map(({ time, count }) => [time, count])).toEqual([
      [0, 1],
      [10, 1],
      [20, 1],
      [30, 1],
      [40, 1],
    ]);
  });
});
