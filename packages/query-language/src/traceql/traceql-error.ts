import type { TextRange } from '../promql/ast.ts';

/** `syntax`: no TraceQL; `type`: its parts don't fit together; `unsupported`: known to the grammar, and refused by Tempo too. */
export type TraceqlErrorKind = 'syntax' | 'type' | 'unsupported';

/** What is wrong with a text as TraceQL, and where. The message begins with line and column (in characters), as Tempo's does. */
export class TraceqlError extends Error {
  override readonly name = 'TraceqlError';
  readonly kind: TraceqlErrorKind;
  readonly range: TextRange;
  /** The message without its place. */
  readonly reason: string;

  constructor(kind: TraceqlErrorKind, query: string, range: TextRange, reason: string) {
    super(kind === 'syntax' ? `parse error at ${placeOf(query, range.start)}: ${reason}` : reason);
    this.kind = kind;
    this.range = range;
    this.reason = reason;
  }
}

function placeOf(query: string, index: number): string {
  const before = query.slice(0, index);
  const lineStart = before.lastIndexOf('\n') + 1;
  return `line ${before.split('\n').length}, col ${[...before.slice(lineStart)].length + 1}`;
}
