import { expect, test } from 'vitest';
import { newSpanId, newTraceId } from './span-ids.ts';

test('ids are the same in text and bytes, all different, and never zero', () => {
  const seen = new Set<string>();
  // So many that a first byte of 0 is among them.
  for (let count = 0; count < 5_000; count += 1)
    for (const [{ text, bytes, at }, size] of [[newTraceId(), 16] as const, [newSpanId(), 8] as const]) {
      expect(text).toBe(Buffer.from(bytes.subarray(at, at + size)).toString('hex'));
      expect(text).toHaveLength(2 * size);
      expect(text.startsWith('00')).toBe(false);
      seen.add(text);
    }
  expect(seen.size).toBe(10_000);
});
