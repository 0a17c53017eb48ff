import { expandReplacement, globRegex, type Regex } from '../../regex.ts';
import { OttlValueError } from '../ottl-error.ts';
import { describe, type Value } from '../value.ts';
import type { Arguments } from './arguments.ts';
import { editMap, KeyCache } from './editable-map.ts';
import type { CommonFunction } from './function.ts';

/** What is to stand in place of a match, from the arguments replacement, function and replacement_format. */
function replacementOf<Cursor>(args: Arguments<Cursor>): (cursor: Cursor, match: RegExpMatchArray | null) => string {
  const replacement = args.string('replacement');
  const convert = args.has('function') ? args.converter('function') : null;
  const format = args.has('replacement_format') ? args.literal('replacement_format') : null;
  if (format !== null && format.split('%s').length !== 2) {
    throw args.error('replacement_format', 'a text with exactly one %s');
  }
  return (cursor, match) => {
    const text = replacement(cursor);
    const expanded = match === null ? text : expandReplacement(text, match);
    const converted: Value = convert === null ? expanded : convert(cursor, expanded);
    if (typeof converted !== 'string') {
      throw new OttlValueError(`the converter of a replacement gave ${describe(converted)}, not a string`);
    }
    // As a function: a text's `$` is no reference here.
    return format === null ? converted : format.replace('%s', () => converted);
  };
}

const OPTIONS = ['function?', 'replacement_format?'];

const replacePattern: CommonFunction = {
  parameters: ['target', 'regex', 'replacement', ...OPTIONS],
  compile: (args) => {
    const target = args.target('target');
    const regex = args.regex('regex');
    const replacement = replacementOf(args);
    return (cursor) => {
      const text = target.get(cursor);
      if (typeof text === 'string') {
        const replaced = regex(cursor).replace(text, (match) => replacement(cursor, match));
        if (replaced !== text) {
          target.set(cursor, replaced);
        }
      }
      return undefined;
    };
  },
};

const replaceMatch: CommonFunction = {
  parameters: ['target', 'pattern', 'replacement', ...OPTIONS],
  compile: (args) => {
    const target = args.target('target');
    const glob = globOf(args);
    const replacement = replacementOf(args);
    return (cursor) => {
      const text = target.get(cursor);
      if (typeof text === 'string' && glob.test(text)) {
        target.set(cursor, replacement(cursor, null));
      }
      return undefined;
    };
  },
};

const replaceAllMatches: CommonFunction = {
  parameters: ['target', 'pattern', 'replacement', ...OPTIONS],
  compile: (args) => {
    const target = args.target('target');
    const glob = globOf(args);
    const replacement = replacementOf(args);
    const keys = new KeyCache();
    return (cursor) => {
      editMap(target, cursor, (map) => {
        for (const [key, value] of map.entries()) {
          if (typeof value === 'string' && glob.test(value)) {
            map.set(keys.key(key), replacement(cursor, null));
          }
        }
      });
      return undefined;
    };
  },
};

const replaceAllPatterns: CommonFunction = {
  parameters: ['target', 'mode', 'regex', 'replacement', ...OPTIONS],
  compile: (args) => {
    const target = args.target('target');
    const mode = args.literal('mode');
    if (mode !== 'key' && mode !== 'value') {
      throw args.error('mode', '"key" or "value"');
    }
    const regex = args.regex('regex');
    const replacement = replacementOf(args);
    const keys = new KeyCache();
    return (cursor) => {
      const pattern = regex(cursor);
      editMap(target, cursor, (map) => {
        for (const [key, value] of map.entries()) {
          const text = mode === 'key' ? key : value;
          const replaced =
            typeof text === 'string' ? pattern.replace(text, (match) => replacement(cursor, match)) : text;
          if (replaced === text) {
            continue;
          }
          if (mode === 'key') {
            map.delete(keys.key(key));
            map.set(keys.key(replaced as string), value);
          } else {
            map.set(keys.key(key), replaced);
          }
        }
      });
      return undefined;
    };
  },
};

function globOf<Cursor>(args: Arguments<Cursor>): Regex {
  return args.check('pattern', () => globRegex(args.literal('pattern')));
}

export const REPLACE_EDITORS: readonly (readonly [string, CommonFunction])[] = [
  ['replace_pattern', replacePattern],
  ['replace_match', replaceMatch],
  ['replace_all_patterns', replaceAllPatterns],
  ['replace_all_matches', replaceAllMatches],
];
