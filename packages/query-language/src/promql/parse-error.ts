import type { TextRange } from './ast.ts';

/** What is wrong with a text as PromQL, and where. The message begins with line and column (in bytes), as Prometheus's does. */
export class ParseError extends Error {
  override readonly name = 'ParseError';
  readonly range: TextRange;
  /** The message without its place. */
  readonly reason: string;

  constructor(query: string, range: TextRange, reason: string) {
    super(`${placeOf(query, range.start)}: parse error: ${reason}`);
    this.range = range;
    this.reason = reason;
  }
}

/** `line:column` of a place in a query; the column counts bytes from 1. `unknown position` in no text, `invalid position` beyond the end. */
export function placeOf(query: string, index: number): string {
  if (query === '') return 'unknown position';
  if (index > query.length) return 'invalid position';
  const before = query.slice(0, index);
  const lineStart = before.lastIndexOf('\n') + 1;
  const line = before.split('\n').length;
  return `${line}:${new TextEncoder().encode(before.slice(lineStart)).length + 1}`;
}
