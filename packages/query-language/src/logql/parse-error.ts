import type { TextRange } from '../promql/ast.ts';

/** What is wrong with a text as LogQL, and where. The message is Loki's. */
export class LogqlParseError extends Error {
  override readonly name = 'LogqlParseError';
  readonly range: TextRange;
  /** The message without its place. */
  readonly reason: string;
  /** From 1; 0 where Loki names none. Columns count characters. */
  readonly line: number;
  readonly column: number;

  constructor(reason: string, range: TextRange, line = 0, column = 0) {
    super(
      line === 0 && column === 0 ? `parse error : ${reason}` : `parse error at line ${line}, col ${column}: ${reason}`,
    );
    this.reason = reason;
    this.range = range;
    this.line = line;
    this.column = column;
  }
}
