import { expect, test } from 'vitest';
import { createTargetFilter } from './propagation-targets.ts';

test.each([
  [['api.example'], 'https://api.example/x', true],
  [['API.example'], 'https://api.EXAMPLE:8443/x', true],
  [['api.example'], 'https://evil-api.example/', false],
  [['api.example'], 'https://api.example.evil.test/', false],
  [['api.example:8443'], 'https://api.example:8443/', true],
  [['api.example:8443'], 'https://api.example/', false],
  [['api.example:443'], 'https://api.example/', true],
  [['*.example'], 'http://a.b.example/', true],
  [['*.example'], 'http://example/', false],
  [['*.example'], 'http://badexample/', false],
  [['*.example:8080'], 'http://a.example:8080/', true],
  [['[::1]'], 'http://[::1]:3000/', true],
  [[/^https:\/\/.*\.example$/g], 'https://a.example/', true],
  [[/^https:/], 'http://a.example/', false],
  // The user's part of a URL is not its host.
  [['api.example'], 'https://api.example@evil.test/', false],
  [[], 'https://api.example/', false],
])('%s and %s: %s', (targets, url, expected) => {
  const filter = createTargetFilter(targets);
  expect([filter(new URL(url)), filter(new URL(url))]).toEqual([expected, expected]);
});

test('without a list all are targets', () => {
  expect(createTargetFilter(undefined)(new URL('https://anything.test'))).toBe(true);
});
