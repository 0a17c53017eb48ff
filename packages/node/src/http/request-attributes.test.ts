import { expect, test } from 'vitest';
import { attributesOfSeriesKey, RequestAttributes } from './request-attributes.ts';

test('keeps the last value of a name', () => {
  const attributes = new RequestAttributes();
  attributes.add({ tier: 'memory' }, true);
  attributes.add({ tier: 'dragonfly', hit: true }, true);
  expect(attributes.entries()).toEqual({ tier: 'dragonfly', hit: true });
});

test('names a series by what is measured, whatever the order', () => {
  const [one, other] = [new RequestAttributes(), new RequestAttributes()];
  one.add({ tier: 'memory', hit: false }, true);
  one.add({ path: '/x' }, false);
  other.add({ hit: false }, true);
  other.add({ tier: 'memory' }, true);
  expect(one.seriesKey()).toBe(other.seriesKey());
  expect(attributesOfSeriesKey(one.seriesKey() ?? '')).toEqual({ hit: false, tier: 'memory' });
  expect(new RequestAttributes().seriesKey()).toBeUndefined();
});

test('is bounded in number and length, and takes no lists', () => {
  const attributes = new RequestAttributes();
  const many = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`a${index}`, index]));
  expect(Object.keys(attributes.add(many, true))).toHaveLength(32);
  // Those that are there can still change.
  expect(attributes.add({ a0: 'x'.repeat(1000), late: 1 }, true)).toEqual({ a0: 'x'.repeat(256) });
  expect(new RequestAttributes().add({ list: ['a'], nothing: undefined, text: 'b' }, true)).toEqual({ text: 'b' });
});
