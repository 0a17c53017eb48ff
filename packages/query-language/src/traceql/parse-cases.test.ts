import { describe, expect, test } from 'vitest';
import { readConformanceJson } from '../testing/conformance-file.ts';
import { parseTraceql, parseTraceqlSyntax } from './parser.ts';
import { printTraceql } from './print.ts';
import { TraceqlError } from './traceql-error.ts';

interface SyntaxCase {
  query: string;
  status: 'valid' | 'parses' | 'parse_fails' | 'validate_fails' | 'unsupported';
}

const file = readConformanceJson('traceql/syntax_cases.json') as { cases: SyntaxCase[] } | undefined;

const kinds = { parse_fails: 'syntax', validate_fails: 'type', unsupported: 'unsupported' } as const;

function of(...statuses: SyntaxCase['status'][]): SyntaxCase[] {
  return file?.cases.filter(({ status }) => statuses.includes(status)) ?? [];
}

function errorOf(parse: () => unknown): TraceqlError | undefined {
  try {
    parse();
    return undefined;
  } catch (error) {
    if (error instanceof TraceqlError) return error;
    throw error;
  }
}

describe.skipIf(file === undefined)("Tempo's own cases of the syntax", () => {
  test('are there', () => {
    expect(file?.cases.length).toBeGreaterThan(200);
  });

  test.each(of('valid'))('valid: $query', ({ query }) => {
    parseTraceql(query);
  });

  test.each(of('valid', 'parses', 'unsupported', 'validate_fails'))('parses and prints: $query', ({ query }) => {
    const printed = printTraceql(parseTraceqlSyntax(query));
    expect(printTraceql(parseTraceqlSyntax(printed))).toBe(printed);
  });

  test.each(of('parse_fails', 'validate_fails', 'unsupported'))('$status: $query', ({ query, status }) => {
    const error = errorOf(() => parseTraceql(query));
    expect(error?.kind).toBe(kinds[status as keyof typeof kinds]);
    expect(error?.range.start).toBeLessThanOrEqual(query.length);
  });
});
