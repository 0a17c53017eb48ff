/** Steps from a JSON value into it: names of fields, indexes of arrays. */
export type JsonPath = readonly (string | number)[];

interface PathToken {
  readonly kind: 'FIELD' | 'STRING' | 'INDEX' | 'LSB' | 'RSB' | 'DOT' | '$end';
  readonly text: string;
}

/**
 * Parses the expression of a field: `a.b[0]["x y"]`. Throws an Error in Loki's words.
 */
export function parseJsonPath(expression: string): JsonPath {
  const tokens = lex(expression);
  let at = 0;
  const token = () => tokens[at] as PathToken;
  const unexpected = (expected: string): never => {
    const instead = expected === '' ? '' : `, expecting ${expected}`;
    throw new Error(`syntax error: unexpected ${token().kind}${instead}`);
  };
  const path: (string | number)[] = [];
  for (;;) {
    if (token().kind === 'LSB') {
      at++;
      const { kind, text } = token();
      if (kind !== 'STRING' && kind !== 'INDEX') unexpected('STRING or INDEX');
      path.push(kind === 'INDEX' ? Number(text) : text);
      at++;
      if (token().kind !== 'RSB') unexpected('RSB');
      at++;
    } else if (token().kind === (path.length === 0 ? 'FIELD' : 'DOT')) {
      if (path.length > 0) at++;
      if (token().kind !== 'FIELD') unexpected('FIELD');
      path.push(token().text);
      at++;
    } else if (path.length > 0 && token().kind === '$end') return path;
    else unexpected(path.length === 0 ? 'LSB or FIELD' : '');
  }
}

function lex(expression: string): PathToken[] {
  const tokens: PathToken[] = [];
  const pattern = /[ \t\n]+|(\d+)|([A-Za-z_][A-Za-z0-9_]*)|"([^"\]]*)["\]]?|([[\].])/y;
  while (pattern.lastIndex < expression.length) {
    const { lastIndex } = pattern;
    const match = pattern.exec(expression);
    if (!match) throw new Error(`unexpected char ${String.fromCodePoint(expression.codePointAt(lastIndex) ?? 0)}`);
    const [, index, field, text, punctuation] = match;
    if (index !== undefined) {
      const next = expression[pattern.lastIndex] ?? '\0';
      if (next === '.') throw new Error('cannot use float as array index');
      if (!/[\s\]]/.test(next)) throw new Error(`non-integer value: ${next}`);
      tokens.push({ kind: 'INDEX', text: index });
    } else if (field !== undefined) tokens.push({ kind: 'FIELD', text: field });
    else if (text !== undefined) tokens.push({ kind: 'STRING', text });
    else if (punctuation !== undefined) {
      tokens.push({ kind: punctuation === '[' ? 'LSB' : punctuation === ']' ? 'RSB' : 'DOT', text: punctuation });
    }
  }
  return [...tokens, { kind: '$end', text: '' }];
}
