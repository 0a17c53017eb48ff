import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { boundedText, MAX_NAME_BYTES } from './bounded-text.ts';
import { KnownTexts } from './known-texts.ts';

test('gives what decoding gives, seen before or not', () => {
  const texts = new KnownTexts();
  const few = fc.array(fc.constantFrom(0x61, 0x62, 0xc3, 0xa4), { maxLength: 6 });
  const long = fc.array(fc.constantFrom(0x61, 0xc3, 0xa4), {
    minLength: MAX_NAME_BYTES - 2,
    maxLength: MAX_NAME_BYTES + 3,
  });
  void fc.assert(
    fc.property(fc.oneof(few, long), fc.nat(3), (content, start) => {
      const bytes = Uint8Array.from([...Array<number>(start).fill(0x7a), ...content, 0x7a]);
      const end = start + content.length;
      expect(texts.find(bytes, start, end)).toBe(boundedText(bytes, start, end));
    }),
    { numRuns: 2_000 },
  );
});

test('keeps nothing of the bytes that it was given, which belong to another', () => {
  const texts = new KnownTexts();
  const bytes = Uint8Array.from(Buffer.from('orders'));
  expect(texts.find(bytes, 0, 6)).toBe('orders');
  bytes.set(Buffer.from('brders'));
  expect(texts.find(bytes, 0, 6)).toBe('brders');
  expect(texts.find(Uint8Array.from(Buffer.from('orders')), 0, 6)).toBe('orders');
});

test('tells more texts apart than it keeps', () => {
  const texts = new KnownTexts();
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 10_000; i++) {
      const bytes = Buffer.from(`name ${i}`);
      expect(texts.find(bytes, 0, bytes.length)).toBe(`name ${i}`);
    }
  }
});
