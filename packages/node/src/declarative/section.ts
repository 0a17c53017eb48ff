import { nearestName } from './nearest-name.ts';

export type Scalar = string | number | boolean | null;

/** A value with its place in the file, after variables have been put in and aliases followed. */
export type ConfigValue =
  | { readonly kind: 'scalar'; readonly at: string; readonly value: Scalar; readonly text: string }
  | { readonly kind: 'list'; readonly at: string; readonly items: readonly ConfigValue[] }
  | {
      readonly kind: 'mapping';
      readonly at: string;
      readonly entries: ReadonlyMap<string, { readonly at: string; readonly value: ConfigValue }>;
    };

/** What is to be said about a file, each with its place. With any error, nothing is started. */
export class Findings {
  readonly errors: string[] = [];
  /** What is in the file and has no effect. */
  readonly ignored: string[] = [];
  readonly #sections: Section[] = [];

  opened(section: Section): void {
    this.#sections.push(section);
  }

  /** To be called once everything has been read: keys that nobody asked for are not of the schema. */
  finish(): void {
    for (const section of this.#sections) section.reportUnknown();
  }
}

/**
 * One mapping of the file. Each reader answers undefined for what is absent or null, so that the caller's default applies,
 * and reports what has the wrong type. `path` is for messages: `tracer_provider.limits`.
 */
export class Section {
  readonly path: string;
  readonly at: string;
  readonly #entries: ReadonlyMap<string, { readonly at: string; readonly value: ConfigValue }>;
  readonly #findings: Findings;
  readonly #asked = new Set<string>();

  constructor(value: ConfigValue, path: string, findings: Findings) {
    this.path = path;
    this.at = value.at;
    this.#findings = findings;
    this.#entries = value.kind === 'mapping' ? value.entries : new Map();
    if (value.kind !== 'mapping' && !isNull(value)) this.error(`${this.#name()} must be a mapping`);
    findings.opened(this);
  }

  /** Whether the key is there, null or not: `console:` alone is an exporter. */
  has(key: string): boolean {
    this.#asked.add(key);
    return this.#entries.has(key);
  }

  string(key: string): string | undefined {
    const value = this.#scalar(key);
    if (value === undefined) return undefined;
    if (typeof value.value === 'string') return value.value;
    return this.#wrong(key, 'a string (quote it)');
  }

  /** As it is written, for what many people leave unquoted. */
  text(key: string): string | undefined {
    return this.#scalar(key)?.text;
  }

  boolean(key: string): boolean | undefined {
    const value = this.#scalar(key);
    if (value === undefined) return undefined;
    if (typeof value.value === 'boolean') return value.value;
    return this.#wrong(key, 'true or false');
  }

  number(key: string, min: number, max = Number.POSITIVE_INFINITY): number | undefined {
    const value = this.#scalar(key);
    if (value === undefined) return undefined;
    if (typeof value.value === 'number' && value.value >= min && value.value <= max) return value.value;
    return this.#wrong(key, max === Number.POSITIVE_INFINITY ? `a number of at least ${min}` : `from ${min} to ${max}`);
  }

  integer(key: string, min: number): number | undefined {
    const value = this.#scalar(key);
    if (value === undefined) return undefined;
    if (typeof value.value === 'number' && Number.isSafeInteger(value.value) && value.value >= min) return value.value;
    return this.#wrong(key, `an integer of at least ${min}`);
  }

  choice<Choice extends string>(key: string, choices: readonly Choice[]): Choice | undefined {
    const value = this.#scalar(key);
    if (value === undefined) return undefined;
    const choice = choices.find((candidate) => candidate === value.value);
    return choice ?? this.#wrong(key, `one of ${choices.join(', ')}`);
  }

  strings(key: string): readonly string[] | undefined {
    return this.#list(key)?.flatMap((item) => {
      if (item.kind === 'scalar' && typeof item.value === 'string') return [item.value];
      this.#findings.errors.push(`${item.at}: ${this.#name(key)} must hold strings (quote them)`);
      return [];
    });
  }

  numbers(key: string): readonly number[] | undefined {
    return this.#list(key)?.flatMap((item) => {
      if (item.kind === 'scalar' && typeof item.value === 'number') return [item.value];
      this.#findings.errors.push(`${item.at}: ${this.#name(key)} must hold numbers`);
      return [];
    });
  }

  /** Any value, for the reader that knows more about it. */
  value(key: string): ConfigValue | undefined {
    this.#asked.add(key);
    return this.#entries.get(key)?.value;
  }

  /** Undefined if the key is absent; empty if it is null. */
  section(key: string): Section | undefined {
    this.#asked.add(key);
    const entry = this.#entries.get(key);
    return entry && new Section(entry.value, this.#name(key), this.#findings);
  }

  sections(key: string): readonly Section[] | undefined {
    return this.#list(key)?.map((item, index) => new Section(item, `${this.#name(key)}[${index}]`, this.#findings));
  }

  /** For what is one thing of several, `{ always_on: }`: the single key and what is below it. Undefined after an error. */
  single(): { readonly key: string; readonly section: Section } | undefined {
    const [key] = this.#entries.keys();
    if (key === undefined || this.#entries.size > 1) {
      this.error(`${this.#name()} must have exactly one key, and has ${this.#entries.size}`);
      for (const name of this.#entries.keys()) this.#asked.add(name);
      return undefined;
    }
    const section = this.section(key);
    return section && { key, section };
  }

  /** Every key with what is below it. */
  all(): readonly (readonly [string, Section])[] {
    return [...this.#entries.keys()].flatMap((key) => {
      const section = this.section(key);
      return section ? [[key, section] as const] : [];
    });
  }

  /** Says that the key, which the schema has, has no effect here, if it is there at all. */
  unsupported(key: string, instead = 'it has no effect'): void {
    const entry = this.#entries.get(key);
    this.#asked.add(key);
    if (entry !== undefined && !isNull(entry.value))
      this.#findings.ignored.push(`${entry.at}: ${this.#name(key)} is not supported; ${instead}`);
  }

  /** What is below is not looked at. */
  skip(): void {
    for (const key of this.#entries.keys()) this.#asked.add(key);
  }

  /** Reports that a key is missing, at the place of the mapping that lacks it. */
  require(key: string): void {
    if (!this.has(key)) this.error(`${this.#name()} needs ${key}`);
  }

  error(message: string, key?: string): void {
    const at = (key === undefined ? undefined : this.#entries.get(key)?.value.at) ?? this.at;
    this.#findings.errors.push(`${at}: ${message}`);
  }

  ignore(message: string): void {
    this.#findings.ignored.push(`${this.at}: ${message}`);
  }

  reportUnknown(): void {
    for (const [key, { at }] of this.#entries) {
      if (this.#asked.has(key)) continue;
      const nearest = nearestName(key, this.#asked);
      const advice = nearest === undefined ? '' : `; did you mean ${nearest}?`;
      this.#findings.ignored.push(`${at}: ${this.#name(key)} is not known${advice}`);
    }
  }

  #scalar(key: string): Extract<ConfigValue, { kind: 'scalar' }> | undefined {
    this.#asked.add(key);
    const value = this.#entries.get(key)?.value;
    if (value === undefined || isNull(value)) return undefined;
    return value.kind === 'scalar' ? value : this.#wrong(key, 'a single value');
  }

  #list(key: string): readonly ConfigValue[] | undefined {
    this.#asked.add(key);
    const value = this.#entries.get(key)?.value;
    if (value === undefined || isNull(value)) return undefined;
    if (value.kind === 'list' && value.items.length > 0) return value.items;
    return this.#wrong(key, 'a list with at least one entry');
  }

  #wrong(key: string, expected: string): undefined {
    this.error(`${this.#name(key)} must be ${expected}`, key);
    return undefined;
  }

  #name(key?: string): string {
    if (key === undefined) return this.path === '' ? 'the file' : this.path;
    return this.path === '' ? key : `${this.path}.${key}`;
  }
}

function isNull(value: ConfigValue): boolean {
  return value.kind === 'scalar' && value.value === null;
}
