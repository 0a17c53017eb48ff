import { expect, test } from 'vitest';
import { RequestBodies } from './request-bodies.ts';

const part = (size: number, byte: number): Uint8Array => new Uint8Array(size).fill(byte);

test('a body is its parts, wherever it lies', () => {
  const bodies = new RequestBodies();
  for (const size of [1, 1_000, 40_000, 39_000, 600_000, 3]) {
    const parts = [part(3, 1), part(0, 2), part(size, 3)];
    const body = bodies.concat(parts);
    expect(body.equals(Buffer.concat(parts))).toBe(true);
    bodies.giveBack(body);
  }
});

test('memory is used again once it has been given back, and not before', () => {
  const bodies = new RequestBodies();
  const first = bodies.concat([part(40_000, 1)]);
  const second = bodies.concat([part(40_000, 2)]);
  expect(second.buffer).not.toBe(first.buffer);
  bodies.giveBack(first);
  const third = bodies.concat([part(41_000, 3)]);
  expect(third.buffer).toBe(first.buffer);
  expect(bodies.concat([part(40_000, 4)]).buffer).not.toBe(first.buffer);
  expect([...second]).toEqual([...part(40_000, 2)]);
  expect([...third]).toEqual([...part(41_000, 3)]);
});

test('little memory is held on to', () => {
  const bodies = new RequestBodies();
  const large = bodies.concat([part(1_000_000, 1)]);
  bodies.giveBack(large);
  expect(bodies.concat([part(40_000, 1)]).buffer).not.toBe(large.buffer);
  const many = Array.from({ length: 10 }, () => bodies.concat([part(40_000, 1)]));
  for (const body of many) bodies.giveBack(body);
  const before = new Set(many.map(({ buffer }) => buffer));
  const again = Array.from({ length: 10 }, () => bodies.concat([part(40_000, 1)]));
  expect(again.filter(({ buffer }) => before.has(buffer)).length).toBe(2);
});

test('a small body takes no more than it is long: many may wait while nobody takes them', () => {
  const bodies = new RequestBodies();
  bodies.giveBack(bodies.concat([part(40_000, 1)]));
  const small = bodies.concat([part(400, 1), part(20, 2)]);
  expect(small.buffer.byteLength).toBe(420);
  bodies.giveBack(small);
  // Memory that others share is not taken.
  const shared = Buffer.from('abc');
  bodies.giveBack(shared);
  expect([2, 3, 40_000].map((size) => bodies.concat([part(size, 1)]).buffer)).not.toContain(shared.buffer);
});
