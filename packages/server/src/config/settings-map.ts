import { ConfigError } from './config-error.ts';
import { didYouMean } from './nearest-name.ts';
import type { SettingNode, SettingScalar, SettingTable } from './setting-node.ts';
import { type Endpoint, parseDuration, parseEndpoint, parseSize } from './values.ts';

/** A plain value of a configuration file, for keys that take any. */
export type SettingValue = string | number | boolean | null | readonly SettingValue[] | { [key: string]: SettingValue };

/** A text with its place, for those who parse it further: a name of another component, a statement. */
export interface SettingText {
  readonly text: string;
  /** An error that names the place of the text. */
  fail(message: string): ConfigError;
}

interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

/** What `effective` shows in place of a secret. */
export const REDACTED = '[REDACTED]';

/**
 * A cursor over one table of the configuration file. A component asks for each of its keys once, by the type it wants:
 *
 *     const endpoint = settings.string('endpoint');                  // required
 *     const timeoutMs = settings.duration('timeout', '5s');          // with the default as a user would write it
 *     const insecure = settings.table('tls').boolean('insecure', false);
 *     const ca = settings.string('ca_file', null);                   // optional: null when absent
 *
 * Every reader throws ConfigError with file, line and what is accepted. `finish` (called by whoever gave the table out)
 * refuses the keys that nobody asked for, and `effective` is what was read, defaults included and secrets hidden.
 */
export class SettingsMap {
  readonly #file: string;
  readonly #path: string;
  readonly #line: number;
  readonly #entries: SettingTable['entries'];
  readonly #read = new Map<string, unknown>();
  readonly #children: SettingsMap[] = [];

  /**
   * @param path for messages: `exporters::otlp/tempo`
   * @param node an absent or empty value is an empty table
   * @param line of the table's key
   */
  constructor(file: string, path: string, node: SettingNode | undefined, line = node?.line ?? 1) {
    this.#file = file;
    this.#path = path;
    this.#line = line;
    if (node === undefined || (node.kind === 'scalar' && node.value === null)) {
      this.#entries = new Map();
    } else if (node.kind === 'table') {
      this.#entries = node.entries;
    } else {
      throw new ConfigError(`${file}:${node.line}: ${path}: expected lines of "name: value"`);
    }
  }

  /** The keys that stand in the file, in their order. */
  keys(): string[] {
    return [...this.#entries.keys()];
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  string(key: string): string;
  string<Default extends string | null>(key: string, fallback: Default): string | Default;
  string(key: string, fallback?: string | null): string | null {
    return this.#scalar(key, fallback, ({ text }) => text);
  }

  /** A text that `effective` hides. */
  secret(key: string): string;
  secret<Default extends string | null>(key: string, fallback: Default): string | Default;
  secret(key: string, fallback?: string | null): string | null {
    const text = this.#scalar(key, fallback, (node) => node.text);
    if (text !== null && text !== '') {
      this.#read.set(key, REDACTED);
    }
    return text;
  }

  /** A list of texts that `effective` hides. */
  secrets(key: string): string[] {
    const texts = this.strings(key);
    if (texts.length > 0) this.#read.set(key, REDACTED);
    return texts;
  }

  /** A text with its place; `null` when it is absent and `fallback` is null. */
  text(key: string): SettingText;
  text(key: string, fallback: null): SettingText | null;
  text(key: string, fallback?: null): SettingText | null {
    const text = this.#scalar(key, fallback, (node) => node.text);
    return text === null ? null : { text, fail: (message) => this.fail(key, message) };
  }

  boolean(key: string): boolean;
  boolean<Default extends boolean | null>(key: string, fallback: Default): boolean | Default;
  boolean(key: string, fallback?: boolean | null): boolean | null {
    return this.#scalar(key, fallback, ({ value, text }) => {
      if (typeof value === 'boolean') return value;
      throw new Error(`"${text}" is neither true nor false`);
    });
  }

  number(key: string): number;
  number<Default extends number | null>(key: string, fallback: Default, bounds?: Bounds): number | Default;
  number(key: string, fallback?: number | null, bounds?: Bounds): number | null {
    return this.#scalar(key, fallback, (node) => bounded(numberOf(node), node.text, bounds));
  }

  integer(key: string): number;
  integer<Default extends number | null>(key: string, fallback: Default, bounds?: Bounds): number | Default;
  integer(key: string, fallback?: number | null, bounds?: Bounds): number | null {
    return this.#scalar(key, fallback, (node) => {
      const value = numberOf(node);
      if (!Number.isSafeInteger(value)) throw new Error(`"${node.text}" is not a whole number`);
      return bounded(value, node.text, bounds);
    });
  }

  /** Milliseconds, of `5s`, `100ms`, `1h30m`; a bare 0 is 0. */
  duration(key: string): number;
  duration<Default extends string | null>(
    key: string,
    fallback: Default,
  ): Default extends null ? number | null : number;
  duration(key: string, fallback?: string | null): number | null {
    return this.#parsed(key, fallback, durationOf);
  }

  /** Bytes, of `512MiB` or a bare number of bytes. */
  size(key: string): number;
  size<Default extends string | null>(key: string, fallback: Default): Default extends null ? number | null : number;
  size(key: string, fallback?: string | null): number | null {
    return this.#parsed(key, fallback, parseSize);
  }

  /** `host:port`; `fallback` as a user would write it. The host is empty in `:4317`, every address of this machine. */
  endpoint(key: string, fallback?: string): Endpoint {
    const text = fallback === undefined ? this.string(key) : this.string(key, fallback);
    try {
      return parseEndpoint(text);
    } catch (error) {
      throw this.fail(key, (error as Error).message);
    }
  }

  /** One of `choices`. */
  choice<Choice extends string>(key: string, choices: readonly Choice[]): Choice;
  choice<Choice extends string, Default extends Choice | null>(
    key: string,
    choices: readonly Choice[],
    fallback: Default,
  ): Choice | Default;
  choice<Choice extends string>(key: string, choices: readonly Choice[], fallback?: Choice | null): Choice | null {
    return this.#scalar(key, fallback, ({ text }) => chosen(text, choices));
  }

  /** A list of some of `choices`. */
  choices<Choice extends string>(key: string, choices: readonly Choice[], fallback: readonly Choice[]): Choice[] {
    return this.#list(key, fallback, ({ text }) => chosen(text, choices));
  }

  /** A list of texts; a single text is a list of one. */
  strings(key: string, fallback: readonly string[] = []): string[] {
    return this.#list(key, fallback, ({ text }) => text);
  }

  /** A list of texts with their places. */
  texts(key: string): SettingText[] {
    return this.#list(key, [], ({ text, line }) => ({
      text,
      fail: (message: string) => new ConfigError(`${this.#file}:${line}: ${this.#pathOf(key)}: ${message}`),
    }));
  }

  numbers(key: string, fallback: readonly number[] = []): number[] {
    return this.#list(key, fallback, numberOf);
  }

  /** A list of durations in milliseconds; `fallback` as a user would write it. */
  durations(key: string, fallback: readonly string[] = []): number[] {
    if (!this.has(key)) {
      this.#read.set(key, fallback);
      return fallback.map(durationOf);
    }
    return this.#list(key, [], ({ text }) => durationOf(text));
  }

  /** The table under `key`, empty when it is absent: what the component asks of it decides what is required. */
  table(key: string): SettingsMap {
    const known = this.#read.get(key);
    if (known instanceof SettingsMap) return known;
    const entry = this.#entries.get(key);
    const table = this.#child(this.#pathOf(key), entry?.node, entry?.line ?? this.#line);
    this.#read.set(key, table);
    return table;
  }

  /** The table under `key`, or null when the key is absent. `key:` with nothing after it is an empty table. */
  optionalTable(key: string): SettingsMap | null {
    return this.has(key) ? this.table(key) : null;
  }

  /** A list of tables. */
  tables(key: string): SettingsMap[] {
    const node = this.#entries.get(key)?.node;
    if (node === undefined || (node.kind === 'scalar' && node.value === null)) {
      this.#read.set(key, []);
      return [];
    }
    if (node.kind !== 'list') throw this.fail(key, 'expected a list');
    const items = node.items.map((item, index) => this.#child(`${this.#pathOf(key)}[${index}]`, item, item.line));
    this.#read.set(key, items);
    return items;
  }

  /** Tables by names of the user's: `policies: {a: {…}, b: {…}}`. */
  namedTables(key: string): Map<string, SettingsMap> {
    const table = this.table(key);
    return new Map(table.keys().map((name) => [name, table.table(name)]));
  }

  /** Texts by names of the user's: `headers`. With `secret`, `effective` hides the values. */
  stringMap(key: string, options: { readonly secret?: boolean } = {}): Map<string, string> {
    const table = this.table(key);
    return new Map(
      table.keys().map((name) => [name, options.secret === true ? table.secret(name) : table.string(name)]),
    );
  }

  /** Any plain value, as the file has it; undefined when it is absent. */
  value(key: string): SettingValue | undefined {
    const node = this.#entries.get(key)?.node;
    const value = node === undefined ? undefined : plainValue(node);
    this.#read.set(key, value);
    return value;
  }

  /** An error that names the place of `key`, or of the table when the key is absent. */
  fail(key: string, message: string): ConfigError {
    const line = this.#entries.get(key)?.line ?? this.#line;
    return new ConfigError(`${this.#file}:${line}: ${this.#pathOf(key)}: ${message}`);
  }

  /** An error that names the place of the table. */
  failHere(message: string): ConfigError {
    return new ConfigError(`${this.#file}:${this.#line}: ${this.#path}: ${message}`);
  }

  /** Refuses the first key, here or in a table below, that was not asked for. */
  finish(): void {
    for (const key of this.#entries.keys()) {
      if (!this.#read.has(key)) {
        const names = [...this.#read.keys()].sort();
        const list = names.length === 0 ? 'it has no keys' : `supported: ${names.join(', ')}`;
        throw this.fail(key, `there is no such key${didYouMean(key, names)} (${list})`);
      }
    }
    for (const child of this.#children) child.finish();
  }

  /** What was read: defaults included, secrets hidden, absent optional keys left out. */
  effective(): Record<string, unknown> {
    const entries: Record<string, unknown> = {};
    for (const [key, value] of this.#read) {
      if (value !== null && value !== undefined) entries[key] = shown(value);
    }
    return entries;
  }

  #pathOf(key: string): string {
    return this.#path === '' ? key : `${this.#path}::${key}`;
  }

  #child(path: string, node: SettingNode | undefined, line: number): SettingsMap {
    const child = new SettingsMap(this.#file, path, node, line);
    this.#children.push(child);
    return child;
  }

  #parsed(key: string, fallback: string | null | undefined, parse: (text: string) => number): number | null {
    const value = this.#scalar<number | null>(key, null, ({ text }) => parse(text));
    if (value !== null) {
      this.#read.set(key, this.#textOf(key));
      return value;
    }
    if (fallback === undefined) throw this.#missing(key);
    this.#read.set(key, fallback);
    return fallback === null ? null : parse(fallback);
  }

  #textOf(key: string): string {
    const node = this.#entries.get(key)?.node;
    return node?.kind === 'scalar' ? node.text : '';
  }

  #missing(key: string): ConfigError {
    const misspelt = didYouMean(key, this.keys()).replace(/did you mean (".*")\?/, 'is $1 meant to be it?');
    return this.failHere(`"${key}" is required${misspelt}`);
  }

  #scalar<Value>(key: string, fallback: Value | undefined, read: (node: SettingScalar) => Value): Value {
    const node = this.#entries.get(key)?.node;
    if (node === undefined || (node.kind === 'scalar' && node.value === null)) {
      if (fallback === undefined) throw this.#missing(key);
      this.#read.set(key, fallback);
      return fallback;
    }
    if (node.kind !== 'scalar') throw this.fail(key, 'expected one value');
    try {
      const value = read(node);
      this.#read.set(key, value);
      return value;
    } catch (error) {
      throw this.fail(key, (error as Error).message);
    }
  }

  #list<Value>(key: string, fallback: readonly Value[], read: (node: SettingScalar) => Value): Value[] {
    const node = this.#entries.get(key)?.node;
    if (node === undefined || (node.kind === 'scalar' && node.value === null)) {
      this.#read.set(key, fallback);
      return [...fallback];
    }
    const items = node.kind === 'list' ? node.items : [node];
    const values = items.map((item) => {
      if (item.kind !== 'scalar' || item.value === null) throw this.fail(key, 'expected a list of single values');
      try {
        return read(item);
      } catch (error) {
        throw new ConfigError(`${this.#file}:${item.line}: ${this.#pathOf(key)}: ${(error as Error).message}`);
      }
    });
    this.#read.set(
      key,
      items.map((item) => plainValue(item)),
    );
    return values;
  }
}

function shown(value: unknown): unknown {
  if (value instanceof SettingsMap) return value.effective();
  return Array.isArray(value) ? value.map(shown) : value;
}

function durationOf(text: string): number {
  return text === '0' ? 0 : parseDuration(text);
}

function numberOf({ value, text }: SettingScalar): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new Error(`"${text}" is not a number`);
}

function bounded(value: number, text: string, { min, max }: Bounds = {}): number {
  if ((min !== undefined && value < min) || (max !== undefined && value > max)) {
    const range = max === undefined ? `${min} or more` : min === undefined ? `${max} or less` : `${min} to ${max}`;
    throw new Error(`"${text}" is out of range; write ${range}`);
  }
  return value;
}

function chosen<Choice extends string>(text: string, choices: readonly Choice[]): Choice {
  const found = choices.find((choice) => choice === text);
  if (found === undefined) {
    throw new Error(`"${text}" is not one of ${choices.join(', ')}${didYouMean(text, choices)}`);
  }
  return found;
}

function plainValue(node: SettingNode): SettingValue {
  switch (node.kind) {
    case 'scalar':
      return node.value;
    case 'list':
      return node.items.map(plainValue);
    case 'table':
      return Object.fromEntries(Array.from(node.entries, ([key, entry]) => [key, plainValue(entry.node)]));
  }
}
