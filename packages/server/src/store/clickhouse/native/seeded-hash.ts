import { randomInt } from 'node:crypto';

/** So that nobody outside knows which texts share a slot. */
const SEED = randomInt(2 ** 32) | 0;

/** A hash of the bytes from `start` to `end` that differs from process to process; not negative. */
export function seededHash(source: DataView, start: number, end: number): number {
  let value = SEED ^ (end - start);
  let at = start;
  for (; at + 4 <= end; at += 4) {
    value = Math.imul(value ^ source.getInt32(at, true), 0x9e3779b1);
    value ^= value >>> 15;
  }
  for (; at < end; at++) {
    value = Math.imul(value ^ source.getUint8(at), 0x85ebca6b);
    value ^= value >>> 13;
  }
  return value & 0x7fff_ffff;
}

/** Whether the bytes of `source` from `start` to `end` are those of `other` from `at` on, which has as many. */
export function areSame(other: DataView, at: number, source: DataView, start: number, end: number): boolean {
  let to = at;
  let from = start;
  for (; from + 4 <= end; from += 4, to += 4) {
    if (other.getInt32(to, true) !== source.getInt32(from, true)) return false;
  }
  for (; from < end; from++, to++) {
    if (other.getUint8(to) !== source.getUint8(from)) return false;
  }
  return true;
}
