import { describe, expect, it } from 'vitest';
import { expandReplacement, globRegex, Regex, RegexError } from './regex.ts';

describe('patterns', () => {
  it('are those of RE2', () => {
    expect(new Regex('(?i)^GET').test('get /')).toBe(true);
    expect(new Regex('[[:alpha:]]+\\z').test('abc')).toBe(true);
    expect([...(new Regex('(?P<a>x)(?P<b>y)?').groups('x') ?? [])]).toEqual([['a', 'x']]);
    expect(() => new Regex('a(?=b)')).toThrow(RegexError);
    expect(() => new Regex(`(${'a'.repeat(10_000)})`)).toThrow('more than 8192 characters');
  });

  it('take no time that grows with the power of the text', () => {
    // JavaScript's own engine would need 2^60 steps.
    expect(new Regex('^(a+)+$').test(`${'a'.repeat(60)}b`)).toBe(false);
    expect(new Regex('(x+x+)+y').replace('x'.repeat(2_000), () => '')).toHaveLength(2_000);
  });
});

describe('replacements', () => {
  const expand = (pattern: string, text: string, replacement: string) =>
    new Regex(pattern).replace(text, (match) => expandReplacement(replacement, match));

  // The rules of Go's Regexp.Expand.
  it.each([
    ['a(x*)b', '-ab-axxb-', 'T', '-T-T-'],
    ['a(x*)b', '-ab-axxb-', '$1', '--xx-'],
    ['a(x*)b', '-ab-axxb-', '$1W', '---'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what Go's syntax looks like.
    ['a(x*)b', '-ab-axxb-', '${1}W', '-W-xxW-'],
    ['a(?P<mid>x*)b', '-axxb-', '<$mid>', '-<xx>-'],
    ['b', 'abc', '$$', 'a$c'],
    ['b', 'abc', '$', 'a$c'],
    ['', 'ab', '.', '.a.b.'],
  ])('%s in %s by %s', (pattern, text, replacement, expected) => {
    expect(expand(pattern, text, replacement)).toBe(expected);
  });
});

it('globs match whole texts', () => {
  expect(globRegex('/user/*/list/*').test('/user/1/list/2')).toBe(true);
  expect(globRegex('/user/*').test('x/user/1')).toBe(false);
  expect(globRegex('a?c').test('abc')).toBe(true);
  expect(globRegex('[!a]b').test('ab')).toBe(false);
  expect(globRegex('{get,post} *').test('post x')).toBe(true);
  expect(globRegex('a.c').test('abc')).toBe(false);
  expect(globRegex('\\*').test('*')).toBe(true);
  expect(globRegex('a*b').test('a\nb')).toBe(true);
});
