import { createHash } from 'node:crypto';
import {
  type AttributeEditor,
  type AttributeEntry,
  AttributeKey,
  AttributeType,
  type AttributeValue,
} from '@signalbox/records';
import { textOfValue } from '../ottl/text-of-value.ts';
import { isList, isMap } from '../ottl/value.ts';
import type { Regex } from '../regex.ts';

export const HASH_FUNCTIONS = ['sha1', 'sha256', 'sha3', 'md5'] as const;
export type HashFunction = (typeof HASH_FUNCTIONS)[number];

export interface RedactionSettings {
  /** Otherwise attributes whose keys are not allowed are removed. */
  readonly allowAllKeys: boolean;
  readonly allowedKeys: ReadonlySet<string>;
  /** Their attributes are left alone. */
  readonly ignoredKeys: ReadonlySet<string>;
  readonly ignoredKeyPatterns: readonly Regex[];
  /** Values of their attributes are masked whole. */
  readonly blockedKeyPatterns: readonly Regex[];
  /** What they match within values is masked. */
  readonly blockedValues: readonly Regex[];
  /** Values that they match are left alone. */
  readonly allowedValues: readonly Regex[];
  /** Whether values that are no texts are looked at as texts. */
  readonly redactAllTypes: boolean;
  /** Null: four asterisks instead. */
  readonly hashFunction: HashFunction | null;
  readonly summary: 'debug' | 'info' | 'silent';
}

const MASK = '****';
const LONGEST_REMEMBERED = 64;
const MOST_REMEMBERED = 10_000;
const NAMES_OF_HASHES = { sha1: 'sha1', sha256: 'sha256', sha3: 'sha3-256', md5: 'md5' } as const;

/** What was done to one set of attributes: keys by what became of them. */
class Summary {
  readonly redacted: string[] = [];
  readonly masked: string[] = [];
  readonly allowed: string[] = [];
  ignored = 0;
}

/** Removes and masks what must not be kept in attributes and bodies, also within lists and maps. */
export class Redactor {
  readonly #settings: RedactionSettings;
  readonly #remembered = new Map<string, string>();

  /** Whether what becomes of a value depends on more than the value. */
  readonly #looksAtKeys: boolean;

  constructor(settings: RedactionSettings) {
    this.#settings = settings;
    const { allowAllKeys, ignoredKeys, ignoredKeyPatterns, blockedKeyPatterns, allowedValues } = settings;
    this.#looksAtKeys =
      !allowAllKeys ||
      ignoredKeys.size + ignoredKeyPatterns.length + blockedKeyPatterns.length + allowedValues.length > 0;
  }

  /** Redacts the attributes of a row, and leaves a summary there if one is wanted. */
  redactRow(editor: AttributeEditor, row: number): void {
    const summary = new Summary();
    for (let entry = editor.first(row); entry >= 0; entry = editor.next(entry, row)) {
      if (!this.#looksAtKeys && !this.#looksAt(editor.type(entry))) {
        continue;
      }
      const value = editor.value(entry);
      if (!this.#looksAtKeys && typeof value === 'string' && this.#redactText(value) === value) {
        continue;
      }
      const redacted = this.#redactEntry(editor.key(entry), value, summary);
      if (redacted === undefined) {
        editor.remove(entry);
      } else if (redacted !== value) {
        editor.setValue(entry, redacted);
      }
    }
    this.#summarise(editor, row, summary);
  }

  /** A log record's body: keys of a map are treated as those of attributes. The same value when nothing was redacted. */
  redactBody(body: AttributeValue): AttributeValue {
    const summary = new Summary();
    if (!isMap(body)) {
      return this.#redactValue(body);
    }
    const entries = body.entries.flatMap(([key, value]): AttributeEntry[] => {
      const redacted = this.#redactEntry(key, value, summary);
      return redacted === undefined ? [] : [[key, redacted]];
    });
    return summary.redacted.length + summary.masked.length === 0 ? body : { entries };
  }

  /** Undefined: the entry goes. */
  #redactEntry(key: string, value: AttributeValue, summary: Summary): AttributeValue | undefined {
    const settings = this.#settings;
    if (settings.ignoredKeys.has(key) || settings.ignoredKeyPatterns.some((pattern) => pattern.test(key))) {
      summary.ignored++;
      return value;
    }
    if (!settings.allowAllKeys && !settings.allowedKeys.has(key)) {
      summary.redacted.push(key);
      return undefined;
    }
    const text = this.#textOf(value);
    if (text !== null && settings.allowedValues.some((pattern) => pattern.test(text))) {
      summary.allowed.push(key);
      return value;
    }
    const isBlockedKey = settings.blockedKeyPatterns.some((pattern) => pattern.test(key));
    const redacted = isBlockedKey ? this.#mask(textOfValue(value) ?? '') : this.#redactValue(value);
    if (redacted !== value) {
      summary.masked.push(key);
    }
    return redacted;
  }

  /** The same value when nothing in it is blocked. */
  #redactValue(value: AttributeValue): AttributeValue {
    if (isList(value)) {
      const elements = value.map((element) => this.#redactValue(element));
      return elements.some((element, i) => element !== value[i]) ? elements : value;
    }
    if (isMap(value)) {
      const { blockedKeyPatterns } = this.#settings;
      const entries = value.entries.map(([key, entry]): AttributeEntry => {
        const isBlockedKey = blockedKeyPatterns.some((pattern) => pattern.test(key));
        return [key, isBlockedKey ? this.#mask(textOfValue(entry) ?? '') : this.#redactValue(entry)];
      });
      return entries.some(([, entry], i) => entry !== value.entries[i]?.[1]) ? { entries } : value;
    }
    const text = this.#textOf(value);
    if (text === null) {
      return value;
    }
    const redacted = this.#redactText(text);
    return redacted === text ? value : redacted;
  }

  /** Methods, hosts and routes come again and again: short texts are remembered with what became of them. */
  #redactText(text: string): string {
    const known = text.length <= LONGEST_REMEMBERED ? this.#remembered.get(text) : undefined;
    if (known !== undefined) {
      return known;
    }
    let redacted = text;
    for (const pattern of this.#settings.blockedValues) {
      redacted = pattern.replace(redacted, ([match]) => (match === '' ? '' : this.#mask(match)));
    }
    if (text.length <= LONGEST_REMEMBERED) {
      if (this.#remembered.size === MOST_REMEMBERED) {
        this.#remembered.clear();
      }
      this.#remembered.set(text, redacted);
    }
    return redacted;
  }

  /** Whether values of an AttributeType may hold something to redact. */
  #looksAt(type: number): boolean {
    return (
      this.#settings.redactAllTypes ||
      type === AttributeType.String ||
      type === AttributeType.Array ||
      type === AttributeType.KeyValueList
    );
  }

  /** Null: the value is not looked at. */
  #textOf(value: AttributeValue): string | null {
    return typeof value === 'string' ? value : this.#settings.redactAllTypes ? textOfValue(value) : null;
  }

  #mask(text: string): string {
    const { hashFunction } = this.#settings;
    return hashFunction === null ? MASK : createHash(NAMES_OF_HASHES[hashFunction]).update(text).digest('hex');
  }

  #summarise(editor: AttributeEditor, row: number, { redacted, masked, allowed, ignored }: Summary): void {
    if (this.#settings.summary === 'silent') {
      return;
    }
    const list = (name: keyof typeof SUMMARY_KEYS, keys: readonly string[]) => {
      if (keys.length > 0) {
        if (this.#settings.summary === 'debug') {
          editor.set(row, SUMMARY_KEYS[name].keys, [...keys].sort().join(','));
        }
        editor.set(row, SUMMARY_KEYS[name].count, BigInt(keys.length));
      }
    };
    list('redacted', redacted);
    list('masked', masked);
    list('allowed', allowed);
    if (ignored > 0) {
      editor.set(row, IGNORED_COUNT, BigInt(ignored));
    }
  }
}

const summaryKeys = (name: string) => ({
  keys: new AttributeKey(`redaction.${name}.keys`),
  count: new AttributeKey(`redaction.${name}.count`),
});
const SUMMARY_KEYS = {
  redacted: summaryKeys('redacted'),
  masked: summaryKeys('masked'),
  allowed: summaryKeys('allowed'),
};
const IGNORED_COUNT = new AttributeKey('redaction.ignored.count');
