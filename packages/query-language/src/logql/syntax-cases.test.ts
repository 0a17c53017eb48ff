import { describe, expect, test } from 'vitest';
import { readConformanceJson } from '../testing/conformance-file.ts';
import { LogqlParseError } from './parse-error.ts';
import { parseLogql, parseLogqlMatchers } from './parser.ts';
import { prettyPrintLogql } from './pretty-print.ts';
import { printLogql } from './print.ts';

interface SyntaxCase {
  query: string;
  kind: 'expr' | 'matchers';
  valid: boolean;
  canonical?: string;
  pretty?: string;
  error?: { msg?: string; msg_contains?: string; line?: number; col?: number };
}

const file = readConformanceJson('logql/syntax_cases.json') as { cases: SyntaxCase[] } | undefined;
const cases = file?.cases ?? [];

/** Upstream's own tests format with short lines. */
const MAX_LINE = 20;

describe.skipIf(file === undefined)("Loki's own cases of the parser", () => {
  test('are there', () => {
    expect(cases.length).toBeGreaterThan(200);
  });

  test.each(cases.filter(({ kind, valid }) => kind === 'expr' && valid))('accepts $query', (one) => {
    const expr = parseLogql(one.query);
    const printed = printLogql(expr);
    expect(printLogql(parseLogql(printed))).toBe(printed);
    expect(printLogql(parseLogql(prettyPrintLogql(expr)))).toBe(printed);
    if (one.canonical !== undefined) expect(printed).toBe(one.canonical);
    if (one.pretty !== undefined) expect(prettyPrintLogql(expr, MAX_LINE)).toBe(one.pretty);
  });

  test.each(cases.filter(({ kind, valid }) => kind === 'expr' && !valid))('refuses $query', ({ query, error }) => {
    let thrown: unknown;
    try {
      parseLogql(query);
    } catch (caught) {
      thrown = caught;
    }
    expect(thrown).toBeInstanceOf(LogqlParseError);
    const { reason, line, column } = thrown as LogqlParseError;
    if (error?.msg !== undefined) {
      expect({ reason, line, column }).toEqual({ reason: error.msg, line: error.line, column: error.col });
    }
    if (error?.msg_contains !== undefined) expect(reason).toContain(error.msg_contains);
  });

  test.each(cases.filter(({ kind }) => kind === 'matchers'))('reads the matchers $query: $valid', (one) => {
    if (one.valid) expect(parseLogqlMatchers(one.query).length).toBeGreaterThan(0);
    else expect(() => parseLogqlMatchers(one.query)).toThrow(LogqlParseError);
  });
});
