import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ColumnBuffer } from './column-buffer.ts';
import { dataView } from './copy-columns.ts';
import { DictionaryColumn } from './dictionary-column.ts';

/** Reads what ClickHouse's `SerializationLowCardinality` would, after the version. */
function read(column: DictionaryColumn): { texts: string[]; values: string[] } {
  column.finish();
  const bytes = Buffer.concat(column.buffers.map((buffer: ColumnBuffer) => buffer.written()));
  if (bytes.length === 0) {
    return { texts: [], values: [] };
  }
  // Places are UInt32 (2); the texts come with the block (1 << 9) and make a new dictionary (1 << 10).
  expect(bytes.readBigUInt64LE(0)).toBe(2n + 512n + 1024n);
  let at = 16;
  const texts = Array.from({ length: Number(bytes.readBigUInt64LE(8)) }, () => {
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes.readUInt8(at++);
      length += (byte & 127) << shift;
      if (byte < 128) break;
    }
    at += length;
    return bytes.toString('latin1', at - length, at);
  });
  const count = Number(bytes.readBigUInt64LE(at));
  const values = Array.from({ length: count }, (_, i) => texts[bytes.readUInt32LE(at + 8 + i * 4)] as string);
  expect(bytes.length).toBe(at + 8 + count * 4);
  return { texts, values };
}

function add(column: DictionaryColumn, text: string): void {
  const bytes = Buffer.from(`<${text}>`, 'latin1');
  column.add(dataView(bytes), 1, 1 + text.length);
}

describe('DictionaryColumn', () => {
  it('writes nothing without values', () => {
    expect(read(new DictionaryColumn())).toEqual({ texts: [], values: [] });
  });

  it('gives back what was added, each text once, also when it is used again', () => {
    const text = fc.oneof(
      fc.constantFrom('', 'a', 'b', 'http.route', 'http.method', 'http.methods'),
      fc.string({ maxLength: 200 }).map((any) => Buffer.from(any).toString('latin1')),
    );
    const column = new DictionaryColumn();
    void fc.assert(
      fc.property(fc.array(text, { maxLength: 300 }), (values) => {
        column.reset();
        for (const value of values) add(column, value);
        expect(read(column)).toEqual({ texts: [...new Set(values)], values });
      }),
      { numRuns: 200 },
    );
  });

  it('repeats the last value', () => {
    const column = new DictionaryColumn();
    add(column, 'one');
    add(column, 'two');
    column.addLast(1);
    expect(read(column)).toEqual({ texts: ['one', 'two'], values: ['one', 'two', 'two'] });
  });

  it('keeps many texts apart, before and after', () => {
    const column = new DictionaryColumn();
    for (let round = 0; round < 2; round++) {
      column.reset();
      const values = Array.from({ length: 20_000 }, (_, i) => `key ${i % 10_000}`);
      for (const value of values) add(column, value);
      const found = read(column);
      expect(found.values).toEqual(values);
      // Texts that share a slot with too many others may stand there twice.
      expect(found.texts.length).toBeLessThan(10_100);
    }
  });
});
