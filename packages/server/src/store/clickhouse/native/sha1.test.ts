import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Sha1 } from './sha1.ts';

const first8 = (bytes: Uint8Array): bigint => createHash('sha1').update(bytes).digest().readBigUInt64LE(0);

test('is what Node computes, of every length up to four blocks', () => {
  const sha1 = new Sha1();
  const bytes = Uint8Array.from({ length: 300 }, (_, at) => (at * 197 + 13) & 255);
  for (let length = 0; length <= 256; length++) {
    expect(sha1.first8(bytes, length)).toBe(first8(bytes.subarray(0, length)));
  }
});

test('is what Node computes, of any bytes', () => {
  const sha1 = new Sha1();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => {
      expect(sha1.first8(bytes, bytes.length)).toBe(first8(bytes));
    }),
  );
});

test('is the same where what sequences begin with is hashed once', () => {
  const sha1 = new Sha1();
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 4 }),
      (start, ends) => {
        sha1.keep(start, start.length);
        for (const end of ends) {
          const whole = Uint8Array.from([...start, ...end]);
          expect(sha1.first8(whole, whole.length)).toBe(first8(whole));
        }
        sha1.keep(start, 0);
        for (const end of ends) expect(sha1.first8(end, end.length)).toBe(first8(end));
      },
    ),
  );
});
