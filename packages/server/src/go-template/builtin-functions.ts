import type { TemplateFunction } from './execute.ts';
import { goPrintf } from './go-printf.ts';
import { GoMap, type GoValue, goTypeName, isTrue, printGo } from './go-values.ts';
import { TemplateError } from './template-error.ts';

/** The functions that every Go template has (https://pkg.go.dev/text/template#hdr-Functions). */
export const builtinFunctions: Readonly<Record<string, TemplateFunction>> = {
  // `and` and `or` stop at the argument that decides: where they come to be called, none but the last one did.
  and: (...values) => values.find((value) => !isTrue(value)) ?? values.at(-1),
  or: (...values) => values.find(isTrue) ?? values.at(-1),
  not: (value) => !isTrue(value),
  len: (value) => {
    if (typeof value === 'string') return BigInt(Buffer.byteLength(value));
    if (Array.isArray(value)) return BigInt(value.length);
    if (value instanceof GoMap) return BigInt(value.entries.size);
    throw new TemplateError(`len of type ${goTypeName(value)}`);
  },
  index: (value, ...keys) => keys.reduce(indexOne, value),
  slice: (value, ...bounds) => sliceOf(value, bounds),
  print: (...values) => printAll(values),
  println: (...values) => `${values.map(printGo).join(' ')}\n`,
  printf: (format, ...values) => goPrintf(textOf(format), values),
  html: (...values) => escapeHtml(printAll(values)),
  js: (...values) =>
    JSON.stringify(printAll(values))
      .slice(1, -1)
      .replace(/[<>&'=]/g, unicodeEscape),
  urlquery: (...values) => queryEscape(printAll(values)),
  eq: (first, ...others) => {
    if (others.length === 0) throw new TemplateError('missing argument for comparison');
    return others.some((other) => areEqual(first, other));
  },
  ne: (a, b) => !areEqual(a, b),
  lt: (a, b) => isLess(a, b),
  le: (a, b) => isLess(a, b) || areEqual(a, b),
  gt: (a, b) => !isLess(a, b) && !areEqual(a, b) && !isUnordered(a, b),
  ge: (a, b) => !isLess(a, b) && !isUnordered(a, b),
};

/** Go's `url.QueryEscape`. */
export function queryEscape(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');
}

function textOf(value: GoValue): string {
  if (typeof value === 'string') return value;
  throw new TemplateError(`expected string; found ${goTypeName(value)}`);
}

/** Go's `fmt.Sprint`: a space between two values when neither is a string. */
function printAll(values: readonly GoValue[]): string {
  let text = '';
  for (const [index, value] of values.entries()) {
    if (index > 0 && typeof value !== 'string' && typeof values[index - 1] !== 'string') text += ' ';
    text += printGo(value);
  }
  return text;
}

function indexOne(value: GoValue, key: GoValue): GoValue {
  if (value instanceof GoMap) return value.get(textOf(key));
  if (Array.isArray(value) || typeof value === 'string') {
    if (typeof key !== 'bigint') throw new TemplateError(`cannot index slice/array with type ${goTypeName(key)}`);
    const sequence = typeof value === 'string' ? Buffer.from(value) : value;
    if (key < 0n || key >= BigInt(sequence.length)) throw new TemplateError(`index out of range: ${key}`);
    const element: GoValue = sequence[Number(key)];
    return typeof value === 'string' ? BigInt(element as number) : element;
  }
  throw new TemplateError(`can't index item of type ${goTypeName(value)}`);
}

function sliceOf(value: GoValue, bounds: readonly GoValue[]): GoValue {
  if (typeof value !== 'string' && !Array.isArray(value))
    throw new TemplateError(`can't slice item of type ${goTypeName(value)}`);
  const sequence = typeof value === 'string' ? Buffer.from(value) : value;
  const [from = 0n, to = BigInt(sequence.length)] = bounds;
  if (typeof from !== 'bigint' || typeof to !== 'bigint' || from < 0n || from > to || to > BigInt(sequence.length)) {
    throw new TemplateError(`index out of range: ${bounds.map(printGo).join(':')}`);
  }
  const part = sequence.slice(Number(from), Number(to));
  return typeof value === 'string' ? part.toString() : part;
}

const kinds: Readonly<Record<string, string>> = { string: 'string', boolean: 'bool', number: 'float', bigint: 'int' };

function basicKind(value: GoValue): string {
  const kind = kinds[typeof value];
  if (kind === undefined) throw new TemplateError('invalid type for comparison');
  return kind;
}

function areEqual(a: GoValue, b: GoValue): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (basicKind(a) !== basicKind(b)) throw new TemplateError('incompatible types for comparison');
  return a === b;
}

function isLess(a: GoValue, b: GoValue): boolean {
  if (basicKind(a) !== basicKind(b)) throw new TemplateError('incompatible types for comparison');
  if (typeof a === 'boolean') throw new TemplateError('invalid type for comparison');
  return (a as number) < (b as number);
}

/** Nothing is greater than NaN, nor NaN than anything. */
function isUnordered(a: GoValue, b: GoValue): boolean {
  return Number.isNaN(a) || Number.isNaN(b);
}

const htmlEscapes: Readonly<Record<string, string>> = {
  '<': '&lt;',
  '>': '&gt;',
  '&': '&amp;',
  '"': '&#34;',
  "'": '&#39;',
  '\0': '\ufffd',
};

function escapeHtml(text: string): string {
  return text.replace(/[<>&"'\0]/g, (character) => htmlEscapes[character] as string);
}

function unicodeEscape(character: string): string {
  return character === "'" ? "\\'" : `\\u00${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
