import type { AttributeEntry, AttributeValue, LogObject } from '@signalbox/records';
import { labelValue, plainValue } from '../prometheus/label-value.ts';

export const LINE_FORMATS = ['json', 'logfmt', 'raw'] as const;
export type LineFormat = (typeof LINE_FORMATS)[number];

/** The line of a record; `attributes` and `resource` are those that did not become labels. */
export function lineOf(
  format: LineFormat,
  record: LogObject,
  attributes: readonly AttributeEntry[],
  resource: readonly AttributeEntry[],
): string {
  if (format === 'raw') return labelValue(record.body);
  return format === 'json' ? jsonLine(record, attributes, resource) : logfmtLine(record, attributes, resource);
}

const NO_ID = /^0*$/;

function jsonLine(
  record: LogObject,
  attributes: readonly AttributeEntry[],
  resource: readonly AttributeEntry[],
): string {
  const { scope } = record;
  const scopeObject = {
    name: scope.name,
    ...(scope.version === '' ? {} : { version: scope.version }),
    ...(scope.attributes.length === 0 ? {} : { attributes: objectOf(scope.attributes) }),
  };
  const entry = {
    ...(record.body === null ? {} : { body: sortedKeys(plainValue(record.body)) }),
    ...(NO_ID.test(record.traceId) ? {} : { traceid: record.traceId }),
    ...(NO_ID.test(record.spanId) ? {} : { spanid: record.spanId }),
    ...(record.severityText === '' ? {} : { severity: record.severityText }),
    ...(record.flags === 0 ? {} : { flags: record.flags }),
    ...(attributes.length === 0 ? {} : { attributes: objectOf(attributes) }),
    ...(resource.length === 0 ? {} : { resources: objectOf(resource) }),
    ...(scope.name === '' ? {} : { instrumentation_scope: scopeObject }),
  };
  return goEscaped(JSON.stringify(entry));
}

function objectOf(entries: readonly AttributeEntry[]): unknown {
  return sortedKeys(Object.fromEntries(entries.map(([key, value]) => [key, plainValue(value)])));
}

/** Go writes the keys of maps in their order. */
function sortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedKeys);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sortedKeys(inner)]));
}

/** Go escapes what could end a script element. */
function goEscaped(json: string): string {
  return json.replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function logfmtLine(
  record: LogObject,
  attributes: readonly AttributeEntry[],
  resource: readonly AttributeEntry[],
): string {
  const pairs = new LogfmtPairs();
  if (typeof record.body === 'string') pairs.body(record.body);
  else if (record.body !== null)
    pairs.add(isMap(record.body) ? '' : Array.isArray(record.body) ? 'body' : 'msg', record.body);
  if (!NO_ID.test(record.traceId)) pairs.set('traceID', record.traceId);
  if (!NO_ID.test(record.spanId)) pairs.set('spanID', record.spanId);
  if (record.severityText !== '') pairs.set('severity', record.severityText);
  if (record.flags !== 0) pairs.set('flags', String(record.flags));
  for (const [key, value] of attributes) pairs.add(`attribute_${key}`, value);
  for (const [key, value] of resource) pairs.add(`resource_${key}`, value);
  if (record.scope.name !== '') {
    pairs.add('instrumentation_scope_name', record.scope.name);
    if (record.scope.version !== '') pairs.add('instrumentation_scope_version', record.scope.version);
  }
  return pairs.text();
}

function isMap(value: AttributeValue): value is { readonly entries: readonly AttributeEntry[] } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'entries' in value &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array)
  );
}

/** Stands for a line that is logfmt from one end to the other. */
const LOGFMT_LINE = /^\s*(?:[^\s="]+(?:=(?:"(?:[^"\\]|\\.)*"|[^\s"=]*))?(?:\s+|$))+$/;
const LOGFMT_PART = /([^\s="]+)(?:=(?:"((?:[^"\\]|\\.)*)"|([^\s"=]*)))?/g;
/** Longer bodies are taken for words. */
const MAX_PARSED_BODY = 16 * 1024;

class LogfmtPairs {
  readonly #pairs: [key: string, value: string][] = [];

  /** A body that is logfmt already adds its own pairs; any other is a message. */
  body(text: string): void {
    if (text.length > MAX_PARSED_BODY || !text.includes('=') || !LOGFMT_LINE.test(text)) {
      this.#pairs.push(['msg', text]);
      return;
    }
    for (const [, key = '', quoted, bare = ''] of text.matchAll(LOGFMT_PART)) {
      this.#pairs.push([key, quoted === undefined ? bare : unquoted(quoted)]);
    }
  }

  add(key: string, value: AttributeValue): void {
    if (value === null) return;
    const prefix = key === '' ? '' : `${key}_`;
    if (isMap(value)) for (const [name, inner] of value.entries) this.add(prefix + name, inner);
    else if (Array.isArray(value)) {
      for (const [index, inner] of (value as readonly AttributeValue[]).entries()) this.add(`${prefix}${index}`, inner);
    } else this.#pairs.push([key, labelValue(value)]);
  }

  set(key: string, value: string): void {
    const known = this.#pairs.find(([name]) => name === key);
    if (known === undefined) this.#pairs.push([key, value]);
    else known[1] = value;
  }

  text(): string {
    return this.#pairs
      .map(
        ([key, value]) =>
          `${key.replace(/[\s="]/g, '_')}=${/^[^\s="\\\p{Cc}]*$/u.test(value) ? value : JSON.stringify(value)}`,
      )
      .join(' ');
  }
}

function unquoted(text: string): string {
  return text.replace(/\\(.)/g, (_, letter: string) => ({ n: '\n', t: '\t', r: '\r' })[letter] ?? letter);
}
