import type { RecordedTrace, SpanNode } from './recorded-trace.ts';

/**
 * A trace as indented lines of name, kind and, where it is an error, status: `GET /users/:id (server, error)`. Equal
 * subtrees that follow each other are one line with their number (`SELECT users (client) ×3`). The same for every run
 * of the same code.
 */
export function traceText(trace: RecordedTrace): string {
  return linesOf(trace.roots, 0).join('\n');
}

/** The same text without the indentation that all of its lines share, and without empty lines around it. */
export function dedent(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const indents = lines.map((line) => line.length - line.trimStart().length);
  const shared = Math.min(...indents);
  return lines.map((line) => line.slice(shared).trimEnd()).join('\n');
}

function linesOf(nodes: readonly SpanNode[], depth: number): string[] {
  const lines: string[] = [];
  let repeated: { lines: string[]; times: number } | undefined;
  const finish = () => {
    if (repeated === undefined) return;
    const [first = '', ...rest] = repeated.lines;
    lines.push(repeated.times > 1 ? `${first} ×${repeated.times}` : first, ...rest);
  };
  for (const node of nodes) {
    const own = [`${'  '.repeat(depth)}${headline(node)}`, ...linesOf(node.children, depth + 1)];
    if (repeated !== undefined && repeated.lines.join('\n') === own.join('\n')) repeated.times++;
    else {
      finish();
      repeated = { lines: own, times: 1 };
    }
  }
  finish();
  return lines;
}

function headline({ span: { name, kind, status } }: SpanNode): string {
  return `${name} (${kind}${status.code === 'error' ? ', error' : ''})`;
}
