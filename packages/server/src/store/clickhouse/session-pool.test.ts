import { describe, expect, it } from 'vitest';
import { SessionPool } from './session-pool.ts';

/** Work that ends when it is told to, and what was begun so far. */
function works(pool: SessionPool<{ close(): void }>) {
  const begun: string[] = [];
  const enders = new Map<string, () => void>();
  const start = (name: string): Promise<void> =>
    pool.use(
      () =>
        new Promise((resolve) => {
          begun.push(name);
          enders.set(name, () => resolve());
        }),
    );
  return { begun, start, end: (name: string) => enders.get(name)?.() };
}

const sessions = (count: number) => Array.from({ length: count }, () => ({ close() {} }));
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('SessionPool', () => {
  it('runs as many at once as it has sessions, the others in their order', async () => {
    const { begun, start, end } = works(new SessionPool('things', sessions(2), 10));
    const all = ['a', 'b', 'c', 'd'].map(start);
    await settled();
    expect(begun).toEqual(['a', 'b']);
    end('b');
    await settled();
    expect(begun).toEqual(['a', 'b', 'c']);
    for (const name of ['a', 'c']) end(name);
    await settled();
    end('d');
    await Promise.all(all);
  });

  it('runs fewer while its limit is lower, and as many again when it has risen', async () => {
    const limit = { now: 1 };
    const { begun, start, end } = works(new SessionPool('things', sessions(3), 10, () => limit.now));
    const all = ['a', 'b', 'c', 'd'].map(start);
    await settled();
    expect(begun).toEqual(['a']);
    end('a');
    await settled();
    expect(begun).toEqual(['a', 'b']);
    limit.now = 3;
    // One that comes now lets those that wait begin before it.
    all.push(start('e'));
    await settled();
    expect(begun).toEqual(['a', 'b', 'c', 'd']);
    limit.now = 1;
    for (const name of ['b', 'c']) end(name);
    await settled();
    expect(begun).toEqual(['a', 'b', 'c', 'd']);
    end('d');
    await settled();
    expect(begun).toEqual(['a', 'b', 'c', 'd', 'e']);
    end('e');
    await Promise.all(all);
  });
});
