import { expect, test } from 'vitest';
import { isInRange } from './version-range.ts';

test.each([
  ['4.0.0', { from: '4' }, true],
  ['3.99.99', { from: '4' }, false],
  ['4.17.1', { from: '4.17.2' }, false],
  ['4.18.0', { from: '4.17.2' }, true],
  ['5.9.9', { below: '6' }, true],
  ['6.0.0', { below: '6' }, false],
  // A pre-release of 6 is built like 6.
  ['6.0.0-beta.1', { below: '6' }, false],
  ['6.0.0-beta.1', { from: '6' }, true],
  ['10.0.0', { from: '9', below: '11' }, true],
  ['1.2.3+build.7', {}, true],
])('%s in %o: %s', (version, range, expected) => {
  expect(isInRange(version, range)).toBe(expected);
});
