import type { Warnings } from './warnings.ts';

/** Reads variables the way the OpenTelemetry specification asks: empty is unset, malformed is warned about and ignored. */
export class Environment {
  readonly #variables: Readonly<Record<string, string | undefined>>;
  readonly #warnings: Warnings;

  constructor(variables: Readonly<Record<string, string | undefined>>, warnings: Warnings) {
    this.#variables = variables;
    this.#warnings = warnings;
  }

  /** Says once what is wrong with a variable. */
  warn(message: string): void {
    this.#warnings.once(message);
  }

  string(name: string): string | undefined {
    const value = this.#variables[name]?.trim();
    return value === '' ? undefined : value;
  }

  boolean(name: string): boolean | undefined {
    const value = this.string(name)?.toLowerCase();
    if (value === undefined) return undefined;
    if (value === 'true') return true;
    if (value !== 'false') this.#warnings.once(`${name}=${value} is neither true nor false; taking false`);
    return false;
  }

  /** A number of at least `min`. */
  number(name: string, min = 0): number | undefined {
    const text = this.string(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (Number.isFinite(value) && value >= min) return value;
    this.#warnings.once(`${name}=${text} is not a number of at least ${min}; ignoring it`);
    return undefined;
  }

  /** One of `choices`, compared without case. */
  choice<Choice extends string>(name: string, choices: readonly Choice[]): Choice | undefined {
    const text = this.string(name)?.toLowerCase();
    if (text === undefined) return undefined;
    const choice = choices.find((candidate) => candidate === text);
    if (choice === undefined) this.#warnings.once(`${name}=${text} is not one of ${choices.join(', ')}; ignoring it`);
    return choice;
  }

  list(name: string): string[] | undefined {
    return this.string(name)
      ?.split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
  }

  /** `key=value,key=value`, both percent-decoded (W3C Baggage, as OTEL_RESOURCE_ATTRIBUTES and the OTLP headers use it). */
  pairs(name: string): Record<string, string> | undefined {
    const text = this.string(name);
    if (text === undefined) return undefined;
    const { pairs, malformed } = parsePairs(text);
    // The value may be a secret (headers), so it is not printed.
    if (malformed > 0) this.#warnings.once(`${name} holds an entry that is not key=value; ignoring that entry`);
    return pairs;
  }
}

/** See `Environment.pairs`; `malformed` counts entries that are none. */
export function parsePairs(text: string): { readonly pairs: Record<string, string>; readonly malformed: number } {
  const pairs: Record<string, string> = {};
  let malformed = 0;
  for (const item of text.split(',').map((part) => part.trim())) {
    if (item === '') continue;
    const equals = item.indexOf('=');
    try {
      if (equals <= 0) throw new URIError('not key=value');
      pairs[decodeURIComponent(item.slice(0, equals).trim())] = decodeURIComponent(item.slice(equals + 1).trim());
    } catch {
      malformed += 1;
    }
  }
  return { pairs, malformed };
}
