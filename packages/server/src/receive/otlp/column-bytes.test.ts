import { decodeMetrics } from '@signalbox/otlp';
import { LogBatch, SpanBatch } from '@signalbox/records';
import { expect, test } from 'vitest';
import { columnBytes } from './column-bytes.ts';

test('nothing but the body is in an empty batch', () => {
  const body = new Uint8Array(1_000);
  // Offsets of no rows: a word a table.
  expect(columnBytes(new LogBatch(body), body)).toBeLessThan(100);
});

test('columns of rows and of what they hold count', () => {
  const body = new Uint8Array(0);
  const batch = new SpanBatch(body);
  for (let i = 0; i < 1_024; i++) {
    batch.begin(0, 0);
    batch.end();
  }
  const spans = columnBytes(batch, body);
  // Three ids, two times and eight words at least.
  expect(spans).toBeGreaterThan(1_024 * (32 + 16 + 32));
  for (let i = 0; i < 1_024; i++) {
    batch.attributes.add(0, 0);
  }
  expect(columnBytes(batch, body) - spans).toBeGreaterThanOrEqual(1_024 * (8 + 8 + 8 + 1));
});

test('buckets count, which are longer in columns than on the wire', () => {
  const buckets = 100_000;
  const bucketCounts = `[${'1,'.repeat(buckets - 1)}1]`;
  const point = `{"positive":{"bucketCounts":${bucketCounts}},"negative":{"bucketCounts":${bucketCounts}}}`;
  const metric = `{"name":"m","exponentialHistogram":{"dataPoints":[${point}]}}`;
  const body = Uint8Array.from(Buffer.from(`{"resourceMetrics":[{"scopeMetrics":[{"metrics":[${metric}]}]}]}`));
  const { batch } = decodeMetrics(body, 'json');
  expect(batch.exponentialHistogramPoints.positiveCounts.count).toBe(buckets);
  expect(columnBytes(batch, body)).toBeGreaterThanOrEqual(2 * buckets * 8);
});
