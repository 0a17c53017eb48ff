import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ColumnBuffer } from './column-buffer.ts';

test('texts are written alike from bytes and from a view of them, wherever they stand', () => {
  const content = fc.uint8Array({ minLength: 0, maxLength: 200 });
  const places = fc.array(fc.tuple(fc.nat(200), fc.nat(200)), { minLength: 1, maxLength: 20 });
  void fc.assert(
    fc.property(content, places, fc.nat(7), (bytes, cuts, offset) => {
      // A view that begins and ends inside of its buffer: what lies around it is another's.
      const memory = new Uint8Array(bytes.length + offset * 2);
      memory.set(bytes, offset);
      const source = new DataView(memory.buffer, offset, bytes.length);
      const ofBytes = new ColumnBuffer(1);
      const ofView = new ColumnBuffer(1);
      const expected: number[] = [];
      for (const [one, other] of cuts) {
        const start = Math.min(one, other, bytes.length);
        const end = Math.min(Math.max(one, other), bytes.length);
        ofBytes.string(bytes, start, end);
        ofView.slice(source, start, end);
        const length = end - start;
        expected.push(
          ...(length < 128 ? [length] : [(length & 127) | 128, length >> 7]),
          ...bytes.subarray(start, end),
        );
      }
      expect([...ofView.written()]).toEqual(expected);
      expect([...ofBytes.written()]).toEqual(expected);
    }),
    { numRuns: 300 },
  );
});

test('the last bytes are repeated as often as asked', () => {
  const content = fc.uint8Array({ minLength: 1, maxLength: 40 });
  void fc.assert(
    fc.property(content, fc.nat(), fc.nat(70), (bytes, width, times) => {
      const count = (width % bytes.length) + 1;
      const buffer = new ColumnBuffer(1);
      buffer.raw(bytes, 0, bytes.length);
      buffer.repeatLast(count, times);
      const last = [...bytes.subarray(bytes.length - count)];
      expect([...buffer.written()]).toEqual([...bytes, ...Array.from({ length: times }, () => last).flat()]);
    }),
  );
});
