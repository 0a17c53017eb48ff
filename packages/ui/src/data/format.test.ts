import { describe, expect, test } from 'vitest';
import {
  formatAgo,
  formatBytes,
  formatCompact,
  formatDuration,
  formatRate,
  formatRatio,
  formatUnixNano,
  unixNanoToMs,
} from './format.ts';
import { axisTitle, functionFormatter, unitFormatter } from './format-unit.ts';

/** Narrow spaces are for the eye; here they are in the way. */
const plain = (text: string) => text.replace(/\u202f/g, ' ');

describe('formatDuration', () => {
  test.each([
    [0, '0 ms'],
    [0.000001, '1 ns'],
    [0.83, '830 µs'],
    [0.9999, '1.00 ms'],
    [4.1, '4.10 ms'],
    [312, '312 ms'],
    [999.7, '1.00 s'],
    [1240, '1.24 s'],
    [59_999, '1 m 00 s'],
    [125_000, '2 m 05 s'],
    [3_599_999, '1 h 00 m'],
    [11_520_000, '3 h 12 m'],
    [90_000_000, '1 d 01 h'],
    [-5, '−5.00 ms'],
  ])('%d ms', (milliseconds, text) => expect(plain(formatDuration(milliseconds))).toBe(text));

  test('nothing', () => expect([formatDuration(null), formatDuration(Number.NaN)]).toEqual(['–', '–']));
});

test('counts, rates, ratios and bytes', () => {
  expect([0, 7, 1204, 9999, 12_400, 3_100_000, 0.0042, 1e12].map(formatCompact)).toEqual([
    '0',
    '7',
    '1,204',
    '9,999',
    '12.4k',
    '3.10M',
    '0.00420',
    '1.00T',
  ]);
  expect([0, 118, 3.1, 0.05, 0.0005].map(formatRate)).toEqual(['0/s', '118/s', '3.10/s', '3.0/min', '1.8/h']);
  expect([0, 0.00001, 0.0004, 0.021, 0.9999, 1].map((ratio) => plain(formatRatio(ratio)))).toEqual([
    '0 %',
    '<0.01 %',
    '0.040 %',
    '2.1 %',
    '100 %',
    '100 %',
  ]);
  expect([0, 512, 18_432, 1_048_576, 61e6].map((bytes) => plain(formatBytes(bytes)))).toEqual([
    '0 B',
    '512 B',
    '18.0 KiB',
    '1.00 MiB',
    '58.2 MiB',
  ]);
});

test('instants keep every digit', () => {
  expect(formatUnixNano('1764000000123456789')).toMatch(/\d\d:\d\d:\d\d\.123456789$/);
  expect(unixNanoToMs('1764000000123456789')).toBe(1_764_000_000_123);
  expect(unixNanoToMs('0')).toBe(0);
  expect(plain(formatAgo(1000, 63_000))).toBe('1 min ago');
});

describe('units', () => {
  test.each([
    ['ms', 250, '250 ms'],
    ['s', 0.25, '250 ms'],
    ['By', 2048, '2.00 KiB'],
    ['MBy', 1, '977 KiB'],
    ['1', 0.4, '0.400'],
    ['%', 12, '12 %'],
    ['{request}', 4200, '4,200'],
    ['By/s', 1024, '1.00 KiB/s'],
    ['Cel', 21.5, '21.5 Cel'],
  ])('%s', (unit, value, text) => expect(plain(unitFormatter(unit)(value))).toBe(text));

  test('a rate of a unit', () => {
    expect(functionFormatter('{request}', 'sum', 'rate')(12)).toBe('12/s');
    expect(plain(functionFormatter('By', 'sum', 'rate')(2048))).toBe('2.00 KiB/s');
    expect(functionFormatter('ms', 'histogram', 'rate')(12)).toBe('12/s');
    expect(plain(functionFormatter('ms', 'histogram', 'p95')(12))).toBe('12.0 ms');
    expect(axisTitle('{request}', 'sum', 'rate')).toBe('request per second');
    expect(axisTitle('s', 'histogram', 'rate')).toBe('observations per second');
    expect(unitFormatter('ms')(null)).toBe('–');
  });
});
