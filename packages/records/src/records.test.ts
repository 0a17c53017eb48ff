import { describe, expect, it } from 'vitest';
import {
  AttributeType,
  anyValueJson,
  attributesJson,
  attributesOf,
  BatchTooLargeError,
  MAX_TABLE_ROWS,
  SpanBatch,
  textOf,
} from './index.ts';

/** A batch of spans that are named by their number; `text` gives a slice. */
function batchOf(spans: number) {
  const batch = new SpanBatch(new Uint8Array());
  const text = (value: string): [number, number] => {
    const bytes = Buffer.from(value);
    const start = batch.appendBytes(bytes);
    return [start, start + bytes.length];
  };
  batch.resources.add();
  batch.resources.end(batch.bytes);
  batch.scopes.add(0);
  batch.scopes.end();
  for (let i = 0; i < spans; i++) {
    const row = batch.begin(0, 0);
    batch.traceId.fill(i, row * 16, row * 16 + 16);
    batch.name.set(row, ...text(`span ${i}`));
    batch.startTime.setWords(row, i, 1);
    for (let n = 0; n < i % 3; n++) {
      const entry = batch.attributes.add(...text(`key ${n}`));
      batch.attributes.values.setInt(entry, n, 0);
    }
    batch.end();
  }
  return { batch, text };
}

describe('a batch', () => {
  it('keeps its rows while columns and bytes grow', () => {
    const { batch } = batchOf(1_000);
    for (const row of [0, 1, 17, 500, 999]) {
      expect(textOf(batch.bytes, batch.name, row)).toBe(`span ${row}`);
      expect(batch.startTime.values[row]).toBe(2n ** 32n + BigInt(row));
      expect(batch.traceId[row * 16 + 15]).toBe(row & 255);
      const keys = attributesOf(batch.bytes, batch.attributes, row).map(([key]) => key);
      expect(keys).toEqual(['key 0', 'key 1'].slice(0, row % 3));
    }
  });

  it('forgets the row under construction, with all that belongs to it', () => {
    const { batch, text } = batchOf(2);
    const begin = () => {
      const row = batch.begin(0, 0);
      batch.attributes.values.setBool(batch.attributes.add(...text('gone')), true);
      const event = batch.events.begin();
      batch.events.name.set(event, ...text('gone'));
      batch.events.attributes.values.setEmpty(batch.events.attributes.add(...text('gone')));
      batch.events.end();
      batch.name.set(row, ...text('gone'));
    };
    begin();
    batch.rollback();
    const row = batch.begin(0, 0);
    batch.end();
    expect(batch.rowCount).toBe(3);
    expect(textOf(batch.bytes, batch.name, row)).toBe('');
    expect(attributesOf(batch.bytes, batch.attributes, row)).toEqual([]);
    expect(batch.events.offsets[row + 1]).toBe(batch.events.offsets[row]);
    expect(batch.events.attributes.count).toBe(0);
  });

  it('finds the service name of a resource, but only a string', () => {
    for (const [asString, expected] of [
      [true, 'shop'],
      [false, ''],
    ] as const) {
      const { batch, text } = batchOf(0);
      const resource = batch.resources.add();
      const { attributes } = batch.resources;
      attributes.values.setInt(attributes.add(...text('service.names')), 1, 0);
      const entry = attributes.add(...text('service.name'));
      if (asString) {
        attributes.values.setSlice(entry, AttributeType.String, ...text('shop'));
      } else {
        attributes.values.setInt(entry, 1, 0);
      }
      batch.resources.end(batch.bytes);
      expect(textOf(batch.bytes, batch.resources.serviceName, resource)).toBe(expected);
    }
  });

  it('refuses to grow without end', () => {
    const { batch } = batchOf(0);
    const { attributes } = batch;
    expect(() => {
      for (let i = 0; i <= MAX_TABLE_ROWS; i++) {
        attributes.add(0, 0);
      }
    }).toThrow(BatchTooLargeError);
  });
});

// The JSON mapping of OTLP: 64-bit integers are strings, bytes base64, not-finite doubles words.
describe('OTLP/JSON text of values', () => {
  const { batch, text } = batchOf(0);
  const { attributes } = batch;
  const row = batch.begin(0, 0);
  const add = (key: string) => attributes.add(...text(key));
  attributes.values.setSlice(add('s"'), AttributeType.String, ...text('é"\n'));
  attributes.values.setBool(add('b'), true);
  attributes.values.setInt(add('i'), 0xffff_ffff, 0xffff_ffff);
  attributes.values.setDouble(add('d'), 0.1);
  attributes.values.setDouble(add('n'), Number.NaN);
  attributes.values.setDouble(add('f'), Number.NEGATIVE_INFINITY);
  attributes.values.setSlice(add('y'), AttributeType.Bytes, ...text('hi'));
  attributes.values.setEmpty(add('e'));
  // common.proto by hand: { array_value { values { string_value: "a" } values { int_value: -1 } values {} } }
  const array = Buffer.from('2a130a030a01610a0b18ffffffffffffffffff010a00', 'hex');
  array[1] = array.length - 2;
  const at = batch.appendBytes(array);
  attributes.values.setSlice(add('a'), AttributeType.Array, at, at + array.length);
  // { kvlist_value { values { key: "k" value { double_value: 1.5 } } } }
  const list = Buffer.from('32100a0e0a016b120921000000000000f83f', 'hex');
  const listAt = batch.appendBytes(list);
  attributes.values.setSlice(add('l'), AttributeType.KeyValueList, listAt, listAt + list.length);
  batch.end();

  it('is of each type as the mapping says', () => {
    expect(JSON.parse(attributesJson(batch.bytes, attributes, row))).toEqual([
      { key: 's"', value: { stringValue: 'é"\n' } },
      { key: 'b', value: { boolValue: true } },
      { key: 'i', value: { intValue: '-1' } },
      { key: 'd', value: { doubleValue: 0.1 } },
      { key: 'n', value: { doubleValue: 'NaN' } },
      { key: 'f', value: { doubleValue: '-Infinity' } },
      { key: 'y', value: { bytesValue: 'aGk=' } },
      { key: 'e', value: {} },
      { key: 'a', value: { arrayValue: { values: [{ stringValue: 'a' }, { intValue: '-1' }, {}] } } },
      { key: 'l', value: { kvlistValue: { values: [{ key: 'k', value: { doubleValue: 1.5 } }] } } },
    ]);
  });

  it('is compact, and empty for a row without attributes', () => {
    expect(anyValueJson(batch.bytes, attributes.values, 1)).toBe('{"boolValue":true}');
    batch.begin(0, 0);
    batch.end();
    expect(attributesJson(batch.bytes, attributes, row + 1)).toBe('');
  });
});
