import { describe, expect, test } from 'vitest';
import { readConformanceJson } from '../testing/conformance-file.ts';
import { ParseError } from './parse-error.ts';
import { parsePromql } from './parser.ts';
import { prettyPrintPromql } from './pretty-print.ts';
import { printPromql } from './print.ts';

interface ParseCase {
  query: string | { base64: string };
  valid: boolean;
  errors?: { start: number; end: number; msg: string }[];
}

const file = readConformanceJson('promql/parse_cases.json') as { cases: ParseCase[] } | undefined;
const all = {
  experimentalFunctions: true,
  durationExpressions: true,
  extendedRangeSelectors: true,
  fillModifiers: true,
};

/** A byte that is no UTF-8 becomes half of a surrogate pair: as little a text as the byte. */
const cases = (file?.cases ?? []).map(({ query, ...rest }) => ({
  query:
    typeof query === 'string'
      ? query
      : Buffer.from(query.base64, 'base64')
          .toString('latin1')
          .replace(/[\x80-\xff]/g, '\udcff'),
  ...rest,
}));

describe.skipIf(file === undefined)("Prometheus's own cases of the parser", () => {
  test('are there', () => {
    expect(cases.length).toBeGreaterThan(100);
  });

  test.each(cases.filter(({ valid }) => valid))('accepts $query', ({ query }) => {
    const expr = parsePromql(query, all);
    const printed = printPromql(expr);
    expect(printPromql(parsePromql(printed, all))).toBe(printed);
    expect(printPromql(parsePromql(prettyPrintPromql(expr), all))).toBe(printed);
  });

  test.each(cases.filter(({ valid }) => !valid))('refuses $query', ({ query, errors = [] }) => {
    let error: unknown;
    try {
      parsePromql(query, all);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(ParseError);
    const [first] = errors;
    if (!first) return; // any will do
    const { reason, range } = error as ParseError;
    expect({ msg: reason, start: range.start }).toEqual({ msg: first.msg, start: first.start });
  });
});
