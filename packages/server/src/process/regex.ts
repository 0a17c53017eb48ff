import { RE2JS, RE2JSSyntaxException } from 're2js';

/** Longest pattern, in characters. */
const MAX_PATTERN = 8 * 1024;

/** A pattern that is not one of RE2. */
export class RegexError extends Error {
  override readonly name = 'RegexError';
}

/**
 * A regular expression in the syntax that Collector configurations are written in (RE2, as Go has it). It takes time linear
 * in the text, whatever the pattern: the text is a stranger's, and JavaScript's own expressions may take forever.
 */
export class Regex {
  readonly pattern: string;
  readonly #compiled: RE2JS;

  /** Throws RegexError. */
  constructor(pattern: string) {
    this.pattern = pattern;
    if (pattern.length > MAX_PATTERN) {
      throw new RegexError(`a pattern of more than ${MAX_PATTERN} characters`);
    }
    try {
      this.#compiled = RE2JS.compile(pattern);
    } catch (error) {
      if (error instanceof RE2JSSyntaxException) {
        throw new RegexError(error.message.replace('error parsing regexp: ', ''), { cause: error });
      }
      throw error;
    }
  }

  /** Whether some part of the text matches. */
  test(text: string): boolean {
    return this.#compiled.test(text);
  }

  /** Replaces every match by what `replacement` makes of it. */
  replace(text: string, replacement: (match: RegExpMatchArray) => string): string {
    if (!this.#compiled.test(text)) {
      return text;
    }
    let replaced = '';
    let from = 0;
    for (const match of this.#compiled.matchAll(text)) {
      const at = match.index ?? 0;
      replaced += text.slice(from, at) + replacement(match);
      from = at + match[0].length;
    }
    return replaced + text.slice(from);
  }

  /** The named groups of the first match; null: no match. A group that took no part is left out. */
  groups(text: string): Map<string, string> | null {
    const match = this.#compiled.exec(text) as RegExpExecArray | null;
    if (match === null) {
      return null;
    }
    const groups = Object.entries(match.groups ?? {}) as [string, string | undefined][];
    return new Map(groups.flatMap(([name, group]) => (group == null ? [] : [[name, group] as const])));
  }

  get groupNames(): readonly string[] {
    return Object.keys(this.#compiled.matcher('').namedGroups);
  }
}

/**
 * A replacement text with references to groups, as Go's `Regexp.Expand` reads it: `$1`, `${1}`, `$name`, `${name}`, `$$` for
 * a dollar. A bare name is as long as letters, digits and underscores go: `$1x` is the group "1x". Unknown groups are empty.
 */
export function expandReplacement(replacement: string, match: RegExpMatchArray): string {
  return replacement.replace(/\$(?:\$|(\w+)|\{(\w+)\})/g, (whole, bare: string | undefined, braced?: string) => {
    const name = bare ?? braced;
    if (name === undefined) {
      return whole === '$$' ? '$' : whole;
    }
    return (/^\d+$/.test(name) ? match[Number(name)] : match.groups?.[name]) ?? '';
  });
}

/** The regular expression of a glob: `*` any text, `?` one character, `[ab]` or `[!ab]`, `{one,other}`; a backslash takes the next as it is. */
export function globRegex(glob: string): Regex {
  let pattern = '';
  let braces = 0;
  for (let i = 0; i < glob.length; i++) {
    const char = glob[i] as string;
    const set = char === '[' ? /^\[(!?)([^\]]+)\]/.exec(glob.slice(i)) : null;
    if (set !== null) {
      pattern += `[${set[1] === '!' ? '^' : ''}${(set[2] as string).replace(/[\\^]/g, '\\$&')}]`;
      i += set[0].length - 1;
    } else if (char === '*') {
      pattern += '.*';
    } else if (char === '?') {
      pattern += '.';
    } else if (char === '{') {
      braces++;
      pattern += '(?:';
    } else if (char === '}' && braces > 0) {
      braces--;
      pattern += ')';
    } else if (char === ',' && braces > 0) {
      pattern += '|';
    } else {
      const literal = char === '\\' && i + 1 < glob.length ? (glob[++i] as string) : char;
      pattern += literal.replace(/[\\^$.*+?()[\]{}|]/, '\\$&');
    }
  }
  return new Regex(`(?s)^${pattern}$`);
}
