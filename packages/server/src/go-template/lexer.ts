import { TemplateError } from './template-error.ts';

export type Token =
  | { readonly kind: 'text'; readonly text: string; readonly line: number }
  /** `at`: where it begins in the template. */
  | { readonly kind: ActionTokenKind; readonly text: string; readonly line: number; readonly at: number };

/** `space` stands for any run of white space: it separates arguments, so it matters. */
type ActionTokenKind =
  | 'open'
  | 'close'
  | 'space'
  | 'word'
  | 'field'
  | 'variable'
  | 'dot'
  | 'string'
  | 'character'
  | 'number'
  | 'pipe'
  | 'leftParenthesis'
  | 'rightParenthesis'
  | 'declare'
  | 'assign'
  | 'comma';

// One alternative for each kind of token inside of an action, in the order of the names below.
const ACTION_TOKEN =
  /([ \t\r\n]+)|(\.[\p{L}_][\p{L}\p{Nd}_]*)|(\$[\p{L}\p{Nd}_]*)|("(?:[^"\\\n]|\\.)*"|`[^`]*`)|('(?:[^'\\\n]|\\.)+')|([+-]?(?:\.?\d)[\w.]*(?:(?<=[eEpP])[+-]\w*)?)|([\p{L}_][\p{L}\p{Nd}_]*)|(\.)|(\|)|(\()|(\))|(:=)|(=)|(,)/uy;

const ACTION_TOKEN_KINDS: readonly ActionTokenKind[] = [
  'space',
  'field',
  'variable',
  'string',
  'character',
  'number',
  'word',
  'dot',
  'pipe',
  'leftParenthesis',
  'rightParenthesis',
  'declare',
  'assign',
  'comma',
];

/**
 * Splits a template into text and the tokens of its actions (`{{ … }}`), with white space trimmed where `{{- ` and ` -}}` ask
 * for it and comments left out. Throws TemplateError for what can't be part of an action.
 */
export function lex(name: string, source: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let line = 1;
  let trimNext = false;
  const fail = (message: string): never => {
    throw new TemplateError(`template: ${name}:${line}: ${message}`);
  };
  const advance = (to: number) => {
    for (let i = at; i < to; i++) if (source.charCodeAt(i) === 10) line++;
    at = to;
  };
  while (at < source.length) {
    const open = source.indexOf('{{', at);
    const textEnd = open < 0 ? source.length : open;
    const trimsBefore = open >= 0 && /^-[ \t\r\n]/.test(source.slice(open + 2, open + 4));
    let text = source.slice(at, textEnd);
    if (trimNext) text = text.trimStart();
    if (trimsBefore) text = text.trimEnd();
    if (text !== '') tokens.push({ kind: 'text', text, line });
    advance(textEnd);
    if (open < 0) break;
    advance(open + (trimsBefore ? 3 : 2));
    const comment = /^[ \t\r\n]*\/\*/.exec(source.slice(at, at + 64));
    if (comment) {
      const end = source.indexOf('*/', at + comment[0].length);
      if (end < 0) fail('unclosed comment');
      const close = /^([ \t\r\n]+-)?[ \t\r\n]*\}\}/.exec(source.slice(end + 2));
      if (!close) return fail('comment ends before closing delimiter');
      trimNext = close[1] !== undefined;
      advance(end + 2 + close[0].length);
      continue;
    }
    tokens.push({ kind: 'open', text: '{{', line, at });
    trimNext = false;
    for (;;) {
      const close = /^(?:[ \t\r\n]+-)?\}\}/.exec(source.slice(at, at + 64));
      if (close) {
        trimNext = close[0].length > 2;
        tokens.push({ kind: 'close', text: '}}', line, at });
        advance(at + close[0].length);
        break;
      }
      ACTION_TOKEN.lastIndex = at;
      const match = ACTION_TOKEN.exec(source);
      if (!match) {
        const rest = source.slice(at, at + 1);
        if (rest === '') fail('unclosed action');
        fail(/["'`]/.test(rest) ? 'unterminated quoted string' : `unexpected ${JSON.stringify(rest)} in action`);
      } else {
        const kind = ACTION_TOKEN_KINDS[match.slice(1).findIndex((group) => group !== undefined)] as ActionTokenKind;
        tokens.push({ kind, text: match[0], line, at });
        advance(at + match[0].length);
      }
    }
  }
  return tokens;
}
