import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ReverseWriter } from './reverse-writer.ts';

function written(write: (writer: ReverseWriter) => void): Buffer {
  const writer = new ReverseWriter();
  write(writer);
  return Buffer.from(writer.written);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt(value);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
}

test('integers of any size', () => {
  const edges = [0, 127, 128, 16_383, 16_384, 2 ** 31 - 1, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER];
  fc.assert(
    fc.property(fc.oneof(fc.constantFrom(...edges), fc.maxSafeNat()), (value) => {
      expect(written((writer) => writer.varint(value))).toEqual(varint(value));
    }),
  );
});

test('ids, in either case', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 16 }), fc.boolean(), (bytes, isUpper) => {
      const digits = Buffer.from(bytes).toString('hex');
      const given = isUpper ? digits.toUpperCase() : digits;
      expect(written((writer) => writer.hex(given))).toEqual(Buffer.from([bytes.length, ...bytes]));
    }),
  );
});

test('times to the nanosecond, and none before 1970', () => {
  fc.assert(
    fc.property(fc.nat(4_294_967_295), fc.nat(999_999_999), (seconds, nanos) => {
      const expected = Buffer.alloc(8);
      expected.writeBigUInt64LE(BigInt(seconds) * 1_000_000_000n + BigInt(nanos));
      expect(written((writer) => writer.nanos([seconds, nanos]))).toEqual(expected);
    }),
  );
  expect(() => new ReverseWriter().nanos([-1, 0])).toThrow(/1970/);
});

test('what is dropped has not been written', () => {
  const text = written((writer) => {
    writer.text('kept');
    const before = writer.length;
    writer.text('dropped'.repeat(10_000));
    writer.drop(before);
    writer.text('also');
  });
  expect(text.toString()).toBe('\u0004also\u0004kept');
});
