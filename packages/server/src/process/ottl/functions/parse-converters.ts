import type { AttributeEntry, AttributeValue } from '@signalbox/records';
import { OttlValueError } from '../ottl-error.ts';
import { describe, isMap } from '../value.ts';
import { type CommonFunction, ofValue } from './function.ts';

/** Deepest nesting of JSON that is read, and most values. */
const MAX_DEPTH = 32;
const MAX_VALUES = 100_000;

const parseJson: CommonFunction = {
  parameters: ['target'],
  compile: (args) => {
    const target = args.string('target');
    return (cursor) => {
      let parsed: unknown;
      try {
        parsed = JSON.parse(target(cursor));
      } catch (error) {
        if (error instanceof SyntaxError) {
          // Its own message quotes the text, which may hold secrets.
          throw new OttlValueError('ParseJSON: not JSON');
        }
        throw error;
      }
      return attributeOf(parsed, { values: 0 }, 0);
    };
  },
};

/** JSON numbers are doubles, as upstream has them. */
function attributeOf(json: unknown, count: { values: number }, depth: number): AttributeValue {
  if (depth > MAX_DEPTH || ++count.values > MAX_VALUES) {
    throw new OttlValueError(`ParseJSON: nested more than ${MAX_DEPTH} deep, or more than ${MAX_VALUES} values`);
  }
  if (json === null || typeof json === 'string' || typeof json === 'number' || typeof json === 'boolean') {
    return json;
  }
  if (Array.isArray(json)) {
    return json.map((element) => attributeOf(element, count, depth + 1));
  }
  const entries = Object.entries(json as object).map(
    ([key, value]): AttributeEntry => [key, attributeOf(value, count, depth + 1)],
  );
  return { entries };
}

const parseKeyValue: CommonFunction = {
  parameters: ['target', 'delimiter?', 'pair_delimiter?'],
  compile: (args) => {
    const target = args.string('target');
    const delimiter = args.has('delimiter') ? args.literal('delimiter') : '=';
    const pairDelimiter = args.has('pair_delimiter') ? args.literal('pair_delimiter') : ' ';
    if (delimiter === '' || pairDelimiter === '' || delimiter === pairDelimiter) {
      throw args.error('target', 'two different delimiters');
    }
    return (cursor) => {
      const entries = new Map<string, string>();
      for (const pair of pairsOf(target(cursor), pairDelimiter)) {
        const at = pair.indexOf(delimiter);
        if (at < 0) {
          throw new OttlValueError('ParseKeyValue: a part without its delimiter');
        }
        entries.set(unquoted(pair.slice(0, at)), unquoted(pair.slice(at + delimiter.length)));
      }
      return { entries: [...entries] };
    };
  },
};

/** The parts between delimiters that do not stand within quotes. */
function pairsOf(text: string, delimiter: string): string[] {
  const pairs: string[] = [];
  let quote = '';
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text[i] as string;
    if (quote !== '') {
      quote = char === quote ? '' : quote;
    } else if (char === '"' || char === "'") {
      quote = char;
    } else if (text.startsWith(delimiter, i)) {
      pairs.push(text.slice(from, i));
      from = i + delimiter.length;
      i = from - 1;
    }
  }
  pairs.push(text.slice(from));
  return pairs.map((pair) => pair.trim()).filter((pair) => pair !== '');
}

function unquoted(text: string): string {
  const trimmed = text.trim();
  return /^".*"$|^'.*'$/s.test(trimmed) ? trimmed.slice(1, -1) : trimmed;
}

const parseInteger: CommonFunction = {
  parameters: ['target', 'base'],
  compile: (args) => {
    const target = args.string('target');
    const base = args.literalCount('base');
    if (base < 2 || base > 36) {
      throw args.error('base', 'a number from 2 to 36');
    }
    const digits = '0123456789abcdefghijklmnopqrstuvwxyz'.slice(0, base);
    return (cursor) => {
      const text = target(cursor).toLowerCase();
      const negative = text.startsWith('-');
      let value = 0n;
      const number = text.replace(/^[-+]/, '');
      if (number === '' || number.length > 64 || [...number].some((digit) => !digits.includes(digit))) {
        throw new OttlValueError(`ParseInt: not a number of base ${base}`);
      }
      for (const digit of number) {
        value = value * BigInt(base) + BigInt(digits.indexOf(digit));
      }
      const signed = negative ? -value : value;
      if (BigInt.asIntN(64, signed) !== signed) {
        throw new OttlValueError('ParseInt: more than 64 bits');
      }
      return signed;
    };
  },
};

const extractPatterns: CommonFunction = {
  parameters: ['target', 'pattern'],
  compile: (args) => {
    const target = args.string('target');
    const regex = args.regex('pattern');
    return (cursor) => {
      const pattern = regex(cursor);
      if (pattern.groupNames.length === 0) {
        throw new OttlValueError('ExtractPatterns: the pattern names no groups, as (?P<name>…) does');
      }
      return { entries: [...(pattern.groups(target(cursor)) ?? [])] };
    };
  },
};

const part = (choose: (entry: AttributeEntry) => AttributeValue, name: string) =>
  ofValue((value) => {
    if (!isMap(value)) {
      throw new OttlValueError(`${name}: ${describe(value)} is not a map`);
    }
    return value.entries.map(choose);
  });

export const PARSE_CONVERTERS: readonly (readonly [string, CommonFunction])[] = [
  ['ParseJSON', parseJson],
  ['ParseKeyValue', parseKeyValue],
  ['ParseInt', parseInteger],
  ['ExtractPatterns', extractPatterns],
  ['Keys', part(([key]) => key, 'Keys')],
  ['Values', part(([, value]) => value, 'Values')],
];
