import { expect, test } from 'vitest';
import { newSpanId, newTraceId } from './span-ids.ts';

test('ids are the same in text and bytes, all different, and never zero', () => {
  const seen = new Set<string>();
  // So many that a first byte of 0 is among them.
  for (let count = 0; count < 5_000; count += 1)
    for (const [{ text, first, second, third, fourth }, size] of [
      [newTraceId(), 16] as const,
      [newSpanId(), 8] as const,
    ]) {
      const bytes = Buffer.alloc(16);
      for (const [index, word] of [first, second, third, fourth].entries()) bytes.writeInt32LE(word, 4 * index);
      expect(text).toBe(bytes.subarray(0, size).toString('hex'));
      expect(text).toHaveLength(2 * size);
      expect(text.startsWith('00')).toBe(false);
      seen.add(text);
    }
  expect(seen.size).toBe(10_000);
});
