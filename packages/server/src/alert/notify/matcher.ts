import { RE2JS } from 're2js';

/** A condition on one label, as Alertmanager writes it: `severity="page"`, `team=~"a|b"`. A missing label is an empty one. */
export interface Matcher {
  readonly name: string;
  readonly value: string;
  readonly isEqual: boolean;
  readonly isRegex: boolean;
  matches(labels: Readonly<Record<string, string>>): boolean;
}

/** Throws when `value` is no regular expression but should be one. Expressions are anchored, in the syntax of RE2. */
export function createMatcher(name: string, value: string, isEqual: boolean, isRegex: boolean): Matcher {
  const expression = isRegex ? RE2JS.compile(`^(?:${value})$`) : undefined;
  return {
    name,
    value,
    isEqual,
    isRegex,
    matches(labels) {
      const label = Object.hasOwn(labels, name) ? (labels[name] as string) : '';
      return (expression ? expression.matcher(label).find() : label === value) === isEqual;
    },
  };
}

const MATCHER = /^\s*(?:"((?:[^"\\]|\\.)*)"|([^\s"=!~{},]+))\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^"{},]*?))\s*$/s;

/** Reads `name="value"`, with `=`, `!=`, `=~` or `!~`; the value may stand without quotes. Throws when it can't. */
export function parseMatcher(text: string): Matcher {
  const [, quotedName, plainName, operator = '', quotedValue, plainValue] = MATCHER.exec(text) ?? [];
  const name = quotedName === undefined ? plainName : unescapeText(quotedName);
  if (name === undefined) throw new Error(`expected a matcher such as severity="page": ${text}`);
  const value = quotedValue === undefined ? (plainValue ?? '') : unescapeText(quotedValue);
  try {
    return createMatcher(name, value, operator === '=' || operator === '=~', operator.endsWith('~'));
  } catch (error) {
    throw new Error(`${text}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

function unescapeText(text: string): string {
  return text.replace(/\\(.)/gs, (_, character: string) => (character === 'n' ? '\n' : character));
}
