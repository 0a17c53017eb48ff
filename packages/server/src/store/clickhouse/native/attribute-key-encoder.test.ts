import { decodeLogs } from '@signalbox/otlp';
import { describe, expect, it } from 'vitest';
import { AttributeKeyEncoder } from './attribute-key-encoder.ts';
import { KnownKeys } from './known-keys.ts';

function batchOf(rows: readonly (readonly string[])[]) {
  const logRecords = rows.map((keys) => ({
    timeUnixNano: '1700000000000000000',
    attributes: keys.map((key) => ({ key, value: { stringValue: 'x' } })),
  }));
  return decodeLogs(Buffer.from(JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] })), 'json').batch;
}

function keysOf(encoder: AttributeKeyEncoder, rows: readonly (readonly string[])[], ...partitions: number[]): number {
  const { bytes, attributes } = batchOf(rows);
  const before = encoder.rows;
  encoder.start();
  for (const partition of partitions) encoder.refer(partition);
  encoder.append(bytes, attributes);
  return encoder.rows - before;
}

describe('AttributeKeyEncoder', () => {
  it('notes each key once for each partition, and again only where it was not committed', () => {
    const known = new KnownKeys<string>(1_000);
    const encoder = new AttributeKeyEncoder(known);
    expect(keysOf(encoder, [['a', 'b'], ['b', 'é'], []], 0)).toBe(3);
    expect(keysOf(encoder, [['a']], 0, 21_600)).toBe(1);
    encoder.reset();
    // The insert failed: nothing is known.
    expect(keysOf(encoder, [['a']], 0)).toBe(1);
    encoder.committed();
    encoder.reset();
    expect(keysOf(encoder, [['a', 'c']], 0)).toBe(1);
    expect(known.has(0, 'a')).toBe(true);
    expect(known.has(0, 'b')).toBe(false);
  });

  it('tells many keys apart', () => {
    const encoder = new AttributeKeyEncoder(new KnownKeys<string>(10_000));
    const keys = Array.from({ length: 3_000 }, (_, index) => `key${index}`);
    expect(
      keysOf(
        encoder,
        [...keys, ...keys].map((key) => [key]),
        0,
      ),
    ).toBe(3_000);
  });
});
