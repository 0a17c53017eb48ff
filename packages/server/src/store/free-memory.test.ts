import { expect, it } from 'vitest';
import { freeMemory } from './free-memory.ts';

it('frees an array that has a buffer of its own, and no other', () => {
  const own = new Uint8Array(1_000_000);
  const part = new Uint8Array(new ArrayBuffer(1_000_000), 0, 999_999);
  const before = process.memoryUsage().arrayBuffers;
  freeMemory(own);
  freeMemory(part);
  expect(own.buffer.byteLength).toBe(0);
  expect(process.memoryUsage().arrayBuffers).toBeLessThanOrEqual(before - 1_000_000);
  expect(part.byteLength).toBe(999_999);
});

it('leaves small arrays, which may share a buffer', () => {
  const small = Buffer.from('text');
  freeMemory(small);
  expect(small.toString()).toBe('text');
});
