import { OttlValueError } from '../ottl-error.ts';
import { textOfValue } from '../text-of-value.ts';
import { describe, equal, isList, isMap, type Value } from '../value.ts';
import { type CommonFunction, ofValue } from './function.ts';

/** A converter of one string. */
function ofText(convert: (text: string) => Value): CommonFunction {
  return {
    parameters: ['target'],
    compile: (args) => {
      const target = args.string('target');
      return (cursor) => convert(target(cursor));
    },
  };
}

/** Words end where a capital begins, between letters and digits, and at spaces, dots, dashes and underscores. */
function words(text: string): string[] {
  return text
    .replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .replace(/(\p{L})(\d)/gu, '$1 $2')
    .replace(/(\d)(\p{L})/gu, '$1 $2')
    .replace(/(\p{Lu}+)(\p{Lu}\p{Ll})/gu, '$1 $2')
    .split(/[\s_.-]+/)
    .filter((word) => word !== '');
}

const CASES: Readonly<Record<string, (text: string) => string>> = {
  lower: (text) => text.toLowerCase(),
  upper: (text) => text.toUpperCase(),
  snake: (text) => words(text).join('_').toLowerCase(),
  camel: (text) =>
    words(text)
      .map((word) => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`)
      .join(''),
};

const convertCase: CommonFunction = {
  parameters: ['target', 'to_case'],
  compile: (args) => {
    const target = args.string('target');
    const name = args.literal('to_case');
    const convert = Object.hasOwn(CASES, name) ? CASES[name] : undefined;
    if (convert === undefined) {
      throw args.error('to_case', `one of ${Object.keys(CASES).join(', ')}`);
    }
    return (cursor) => convert(target(cursor));
  },
};

const concat: CommonFunction = {
  parameters: ['values', 'delimiter'],
  compile: (args) => {
    const values = args.values('values');
    const delimiter = args.string('delimiter');
    return (cursor) =>
      values
        .flatMap((get) => {
          const value = get(cursor);
          // Documented: lists and maps are left out. Nil reads as Go prints it.
          return isMap(value) || isList(value) ? [] : [concatText(value)];
        })
        .join(delimiter(cursor));
  },
};

function concatText(value: Value): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : (textOfValue(value) ?? '<nil>');
}

const isMatch: CommonFunction = {
  parameters: ['target', 'pattern'],
  compile: (args) => {
    const target = args.value('target');
    const pattern = args.regex('pattern');
    return (cursor) => {
      const text = textOfValue(target(cursor));
      return text !== null && pattern(cursor).test(text);
    };
  },
};

const split: CommonFunction = {
  parameters: ['target', 'delimiter'],
  compile: (args) => {
    const target = args.string('target');
    const delimiter = args.string('delimiter');
    return (cursor) => target(cursor).split(delimiter(cursor));
  },
};

const substring: CommonFunction = {
  parameters: ['target', 'start', 'length', 'utf8_safe?'],
  compile: (args) => {
    const target = args.string('target');
    const start = args.int('start');
    const length = args.int('length');
    return (cursor) => {
      // In bytes, as upstream counts them.
      const bytes = Buffer.from(target(cursor));
      const from = start(cursor);
      const end = from + length(cursor);
      if (from < 0n || end < from || end > BigInt(bytes.length)) {
        throw new OttlValueError(`Substring: ${from} to ${end} is not within a text of ${bytes.length} bytes`);
      }
      return bytes.toString('utf8', Number(from), Number(end));
    };
  },
};

const len = ofValue((value) => {
  if (typeof value === 'string') {
    return BigInt(Buffer.byteLength(value));
  }
  if (value instanceof Uint8Array || isList(value)) {
    return BigInt(value.length);
  }
  if (isMap(value)) {
    return BigInt(value.entries.length);
  }
  throw new OttlValueError(`Len: ${describe(value)} has no length`);
});

/** A test of a text and another. */
function textTest(other: string, test: (text: string, other: string) => boolean): CommonFunction {
  return {
    parameters: ['value', other],
    compile: (args) => {
      const value = args.string('value');
      const part = args.string(other);
      return (cursor) => test(value(cursor), part(cursor));
    },
  };
}

/** A text without a part at its start or end. */
function trimPart(other: string, trim: (text: string, part: string) => string): CommonFunction {
  return {
    parameters: ['target', other],
    compile: (args) => {
      const target = args.string('target');
      const part = args.string(other);
      return (cursor) => trim(target(cursor), part(cursor));
    },
  };
}

const trim: CommonFunction = {
  parameters: ['target', 'replacement?'],
  compile: (args) => {
    const target = args.string('target');
    const cut = new Set(args.has('replacement') ? args.literal('replacement') : ' ');
    return (cursor) => {
      const characters = [...target(cursor)];
      let from = 0;
      let to = characters.length;
      while (from < to && cut.has(characters[from] as string)) from++;
      while (to > from && cut.has(characters[to - 1] as string)) to--;
      return characters.slice(from, to).join('');
    };
  },
};

const index: CommonFunction = {
  parameters: ['target', 'value'],
  compile: (args) => {
    const target = args.value('target');
    const value = args.value('value');
    return (cursor) => {
      const within = target(cursor);
      const wanted = value(cursor);
      if (typeof within === 'string' && typeof wanted === 'string') {
        const at = within.indexOf(wanted);
        return at < 0 ? -1n : BigInt(Buffer.byteLength(within.slice(0, at)));
      }
      if (isList(within)) {
        return BigInt(within.findIndex((element) => equal(element, wanted)));
      }
      throw new OttlValueError(`Index: ${describe(within)} cannot be searched for ${describe(wanted)}`);
    };
  },
};

const containsValue: CommonFunction = {
  parameters: ['target', 'item'],
  compile: (args) => {
    const target = args.value('target');
    const item = args.value('item');
    return (cursor) => {
      const within = target(cursor);
      if (!isList(within)) {
        throw new OttlValueError(`ContainsValue: target is ${describe(within)}, not a list`);
      }
      const wanted = item(cursor);
      return within.some((element) => equal(element, wanted));
    };
  },
};

const coalesce: CommonFunction = {
  parameters: ['values'],
  compile: (args) => {
    const values = args.values('values');
    return (cursor) => {
      for (const get of values) {
        const value = get(cursor);
        if (value !== null) {
          return value;
        }
      }
      return null;
    };
  },
};

export const TEXT_CONVERTERS: readonly (readonly [string, CommonFunction])[] = [
  ['Concat', concat],
  ['IsMatch', isMatch],
  ['Split', split],
  ['Substring', substring],
  ['Len', len],
  ['ConvertCase', convertCase],
  ['ToLowerCase', ofText((text) => text.toLowerCase())],
  ['ToUpperCase', ofText((text) => text.toUpperCase())],
  ['ToSnakeCase', ofText((text) => words(text).join('_').toLowerCase())],
  ['ToCamelCase', ofText((text) => CASES.camel?.(text) ?? text)],
  ['HasPrefix', textTest('prefix', (text, prefix) => text.startsWith(prefix))],
  ['HasSuffix', textTest('suffix', (text, suffix) => text.endsWith(suffix))],
  ['Trim', trim],
  ['TrimPrefix', trimPart('prefix', (text, prefix) => (text.startsWith(prefix) ? text.slice(prefix.length) : text))],
  [
    'TrimSuffix',
    trimPart('suffix', (text, suffix) => (text.endsWith(suffix) ? text.slice(0, text.length - suffix.length) : text)),
  ],
  ['Index', index],
  ['ContainsValue', containsValue],
  ['Coalesce', coalesce],
];
