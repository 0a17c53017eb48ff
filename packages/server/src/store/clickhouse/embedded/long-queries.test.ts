import { expect, test } from 'vitest';
import { LongQueries } from './long-queries.ts';

function setUp() {
  let now = 1_000;
  const queries = new LongQueries(() => now);
  const begin = () => {
    let end!: (rows: string) => void;
    let fail!: (reason: Error) => void;
    const query = new Promise<string>((resolve, reject) => {
      end = resolve;
      fail = reject;
    });
    return { end, fail, watched: queries.watch(query) };
  };
  const pass = (ms: number) => {
    now += ms;
  };
  return { queries, begin, pass };
}

test('queries of a moment, however many, are not long', async () => {
  const { queries, begin, pass } = setUp();
  for (let i = 0; i < 20; i++) {
    const query = begin();
    pass(1_900);
    expect(queries.any).toBe(false);
    query.end('rows');
    expect(await query.watched).toBe('rows');
  }
  expect(queries.any).toBe(false);
});

test('a query is long as soon as it has run for two seconds, and for ten after its end', async () => {
  const { queries, begin, pass } = setUp();
  const query = begin();
  pass(1_999);
  expect(queries.any).toBe(false);
  pass(1);
  expect(queries.any).toBe(true);
  query.end('rows');
  await query.watched;
  pass(9_999);
  expect(queries.any).toBe(true);
  pass(1);
  expect(queries.any).toBe(false);
});

test('one that fails counts as well, and others that run do not hide it', async () => {
  const { queries, begin, pass } = setUp();
  const long = begin();
  pass(1_500);
  const later = begin();
  pass(1_000);
  expect(queries.any).toBe(true);
  long.fail(new Error('cancelled'));
  await expect(long.watched).rejects.toThrow('cancelled');
  later.end('rows');
  await later.watched;
  expect(queries.any).toBe(true);
  pass(10_000);
  expect(queries.any).toBe(false);
});
