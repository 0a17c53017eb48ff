import { matchesPattern, parsePatternFilter } from '@signalbox/query-language';
import { describe, expect, test } from 'vitest';
import { StreamLabels } from '../../logql/stream-labels.ts';
import { PatternFinder } from './pattern-finder.ts';

/** What is expected is what Loki's own code found in the same lines. */

const stream = new StreamLabels(new Map([['app', 'shop']]));

function patternsOf(...lines: readonly string[]): [pattern: string, lines: number][] {
  const finder = new PatternFinder();
  for (const line of lines) finder.add({ stream, time: 0n, line, metadata: [] }, 0n);
  return finder.patterns().map(({ pattern, counts }) => [pattern, counts.get(0n) ?? 0]);
}

describe('lines of words', () => {
  test('are one pattern where they differ in some of them; punctuation is a word', () => {
    const lines = [
      'GET /cart/17 took 12ms (cache=hit)',
      'GET /cart/18 took 9ms (cache=hit)',
      'GET /cart/19 took 44ms (cache=hit)',
      'worker-3 stopped: queue empty',
      'worker-5 stopped: queue empty',
    ];
    expect(patternsOf(...lines)).toEqual([
      ['GET <_> took <_> (cache=hit)', 3],
      ['<_> stopped: queue empty', 2],
    ]);
  });

  test('are kept apart by the words that begin them, unless those have digits', () => {
    expect(patternsOf('job a1 done now', 'job b2 done now', 'job done a1 now')).toEqual([
      ['job <_> done now', 2],
      ['job done a1 now', 1],
    ]);
  });

  test('share a pattern where too many words may follow', () => {
    const words = 'alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma'.split(
      ' ',
    );
    const patterns = patternsOf(...words.map((word) => `${word} is a word of one`));
    expect(patterns).toHaveLength(15);
    expect(patterns[0]).toEqual(['<_> is a word of one', 4]);
  });

  test('of fewer than four words, and of more than eighty, have none', () => {
    expect(patternsOf('one two three', '', 'a '.repeat(81), 'x'.repeat(4_000))).toEqual([]);
  });

  test('keep their spaces, also the first ones', () => {
    expect(patternsOf('  at  line 1 of it ', '  at  line 2 of it ')).toEqual([['  at  line <_> of it ', 2]]);
  });
});

describe('the first line tells how a stream is read', () => {
  test('logfmt: keys and values', () => {
    const lines = [
      'ts=2024-05-01T10:00:01Z level=info msg="order placed" order=17',
      'ts=2024-05-01T10:00:02Z level=info msg="order placed" order=18',
      'ts=2024-05-01T10:00:03Z level=warn msg="stock is low" item="blue \\"box\\""',
      'not logfmt at all = "',
    ];
    expect(patternsOf(...lines)).toEqual([
      ['ts=<_> level=info msg="order placed" order=<_>', 2],
      ['ts=<_> level=warn msg="stock is low" item="blue \\"box\\""', 1],
    ]);
  });

  test('JSON: the message, as it is written there', () => {
    const lines = [
      '{"msg":"order 17 placed by anna","level":"info"}',
      '{"msg":"order 18 placed by ben","level":"info"}',
      '{"level":"info"}',
      '{"log":"the \\"first\\" of two 5","msg":"x"}',
    ];
    expect(patternsOf(...lines)).toEqual([
      ['<_>order <_> placed by <_>', 2],
      ['<_>the \\"first\\" of two 5<_>', 1],
    ]);
  });
});

test('each line is found by its pattern', () => {
  const lines = Array.from({ length: 200 }, (_, i) =>
    i % 2 === 0 ? `request ${i} to /items/${i % 7} (status=${200 + i}) done` : `task-${i}: "retry" in ${i}ms, gave up`,
  );
  const patterns = patternsOf(...lines).map(([pattern]) => parsePatternFilter(pattern));
  for (const line of lines) expect(patterns.some((pattern) => matchesPattern(pattern, line))).toBe(true);
});

test('levels and streams are looked at by themselves, and the same pattern of several streams is one', () => {
  const finder = new PatternFinder();
  const other = new StreamLabels(new Map([['app', 'cart']]));
  const line = (number: number) => `order ${number} placed by anna`;
  finder.add({ stream, time: 0n, line: line(1), metadata: [['detected_level', 'INFO']] }, 0n);
  finder.add({ stream, time: 1n, line: line(2), metadata: [['detected_level', 'INFO']] }, 0n);
  finder.add(
    { stream: other, time: 2n, line: line(3), metadata: [], implied: new Map([['detected_level', 'info']]) },
    10n,
  );
  finder.add({ stream: other, time: 3n, line: line(4), metadata: [['detected_level', 'info']] }, 10n);
  finder.add({ stream: other, time: 4n, line: line(5), metadata: [['detected_level', 'strange']] }, 10n);
  expect(finder.patterns()).toMatchObject([
    {
      pattern: 'order <_> placed by anna',
      level: 'info',
      counts: new Map([
        [0n, 2],
        [10n, 2],
      ]),
    },
    { pattern: 'order 5 placed by anna', level: 'unknown', counts: new Map([[10n, 1]]) },
  ]);
});

test('lines that have nothing in common end the search in their stream', () => {
  const letters = 'abcdefghijklmnopqrstuvwxyz';
  const word = (number: number) =>
    `${letters[number % 26]}${letters[Math.floor(number / 26) % 26]}${letters[Math.floor(number / 676)]}`;
  const lines = Array.from({ length: 3_000 }, (_, i) =>
    Array.from({ length: 5 + (i % 60) }, (_, at) => word(i + at * 7)).join(' '),
  );
  const patterns = patternsOf(...lines);
  expect(patterns).toHaveLength(300);
  expect(patterns.reduce((total, [, count]) => total + count, 0)).toBeLessThan(1_000);
});
