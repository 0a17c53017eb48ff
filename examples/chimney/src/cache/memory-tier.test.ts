import { describe, expect, test } from 'vitest';
import { cacheKey, isKeyBelow } from './cache-key.ts';
import { type CachedResponse, decodeCachedResponse, encodeCachedResponse } from './cached-response.ts';
import { MemoryTier } from './memory-tier.ts';

const entry = (bytes = 10, keptUntil = 1000): CachedResponse => ({
  body: Buffer.alloc(bytes, 1),
  contentType: 'application/json',
  etag: 'W/"x"',
  link: null,
  freshUntil: 500,
  keptUntil,
});

describe('MemoryTier', () => {
  test('drops the entry that was not used for longest', () => {
    const tier = new MemoryTier(2, 1000);
    tier.set('a', entry());
    tier.set('b', entry());
    tier.get('a', 0);
    tier.set('c', entry());
    expect(['a', 'b', 'c'].filter((key) => tier.get(key, 0))).toEqual(['a', 'c']);
  });

  test('counts bytes, also of what is replaced', () => {
    const tier = new MemoryTier(100, 100);
    tier.set('a', entry(60));
    tier.set('a', entry(30));
    tier.set('b', entry(70));
    expect(tier.size).toBe(2);
    tier.set('c', entry(1));
    expect([...['a', 'b', 'c'].filter((key) => tier.get(key, 0))]).toEqual(['b', 'c']);
  });

  test('does not keep what is larger than all of it, and does not throw others out for it', () => {
    const tier = new MemoryTier(100, 100);
    tier.set('a', entry(60));
    tier.set('b', entry(101));
    expect(tier.size).toBe(1);
  });

  test('forgets what is past its time', () => {
    const tier = new MemoryTier(100, 100);
    tier.set('a', entry(10, 1000));
    expect(tier.get('a', 999)).not.toBeNull();
    expect(tier.get('a', 1000)).toBeNull();
    expect(tier.size).toBe(0);
  });
});

test('a key is below its path, with any query, and below no path that merely begins alike', () => {
  const key = cacheKey('/repos/o/n/pulls', new URLSearchParams('state=all&page=2'));
  expect(key).toBe('/repos/o/n/pulls?page=2&state=all');
  expect(isKeyBelow(key, '/repos/o/n/pulls')).toBe(true);
  expect(isKeyBelow(key, null)).toBe(true);
  expect(isKeyBelow(key, '/repos/o/n')).toBe(true);
  expect(isKeyBelow('/repos/o/n/pullsx', '/repos/o/n/pulls')).toBe(false);
});

describe('what is stored in Dragonfly', () => {
  test('comes back as it was', () => {
    const original = { ...entry(), body: Buffer.from('{"line":"1"}\n\n\x00ž') };
    expect(decodeCachedResponse(encodeCachedResponse(original))).toEqual(original);
  });

  test.each(['', 'x', '\n', 'null\n', '{}\nbody', '{"contentType":1}\n'])(
    'is a miss when it is none of ours: %j',
    (text) => {
      expect(decodeCachedResponse(Buffer.from(text))).toBeNull();
    },
  );
});
