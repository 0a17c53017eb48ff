import type { FilterComparison } from '@signalbox/api-contract';
import { readFilters } from '../query/filter/read-filters.ts';
import { QueryInputError } from '../query/query-input-error.ts';
import { parseTimeRange, type TimeRange } from '../query/time-range.ts';

/** Characters of one value. */
const maxValueLength = 8_192;

/**
 * A request's query parameters. A route reads those it knows and then calls `finish`, which refuses all others: a
 * misspelt condition must not silently match everything.
 */
export class RequestParameters {
  readonly #search: URLSearchParams;
  readonly #known = new Set<string>();
  readonly #nowMs: number;

  constructor(search: URLSearchParams, nowMs: number) {
    this.#search = search;
    this.#nowMs = nowMs;
    for (const [name, value] of search) {
      if (value.length > maxValueLength) {
        throw new QueryInputError(`${name} has more than ${maxValueLength} characters`, {
          parameter: name.slice(0, 100),
        });
      }
    }
  }

  /** One value; undefined when it is absent or empty. */
  optional(name: string): string | undefined {
    const values = this.list(name);
    if (values.length > 1) throw new QueryInputError(`${name} is given more than once`, { parameter: name });
    return values[0];
  }

  required(name: string): string {
    const value = this.optional(name);
    if (value === undefined) throw new QueryInputError(`${name} is missing`, { parameter: name });
    return value;
  }

  /** All values of a repeatable parameter, without empty ones. */
  list(name: string): string[] {
    this.#known.add(name);
    return this.#search.getAll(name).filter((value) => value !== '');
  }

  oneOf<Word extends string>(name: string, words: readonly Word[]): Word | undefined {
    const value = this.optional(name);
    return value === undefined ? undefined : word(name, value, words);
  }

  listOf<Word extends string>(name: string, words: readonly Word[]): Word[] {
    return this.list(name).map((value) => word(name, value, words));
  }

  /** A whole number between the ends, inclusive. */
  integer(name: string, least: number, most: number): number | undefined {
    const value = this.optional(name);
    if (value === undefined) return undefined;
    const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    if (!(number >= least && number <= most)) {
      throw new QueryInputError(`${name} is no whole number from ${least} to ${most}`, place(name, value));
    }
    return number;
  }

  /** An id of that many bytes in hex digits of any case, given in lower case. */
  hexId(name: string, bytes: 8 | 16): string | undefined {
    const value = this.optional(name);
    return value === undefined ? undefined : readHexId(name, value, bytes);
  }

  range(): TimeRange {
    return parseTimeRange(this.optional('start'), this.optional('end'), this.#nowMs);
  }

  filters(): FilterComparison[] {
    return readFilters(this.list('filter'));
  }

  /** Refuses parameters that the route did not ask for. */
  finish(): void {
    for (const name of this.#search.keys()) {
      if (!this.#known.has(name)) {
        const known = [...this.#known].join(', ');
        throw new QueryInputError(`There is no parameter ${name.slice(0, 100)} here`, {
          parameter: name.slice(0, 100),
          hint: known === '' ? 'This takes no parameters.' : `There are ${known}.`,
        });
      }
    }
  }
}

function word<Word extends string>(name: string, value: string, words: readonly Word[]): Word {
  const found = words.find((candidate) => candidate === value);
  if (found === undefined) {
    throw new QueryInputError(`${name} has no such value`, {
      ...place(name, value),
      hint: `One of ${words.join(', ')}.`,
    });
  }
  return found;
}

function place(parameter: string, value: string): { parameter: string; position: { start: number; end: number } } {
  return { parameter, position: { start: 0, end: value.length } };
}

export function readHexId(parameter: string, text: string, bytes: 8 | 16): string {
  if (!new RegExp(`^[0-9a-fA-F]{${bytes * 2}}$`).test(text)) {
    throw new QueryInputError(`${parameter} has ${bytes * 2} hexadecimal digits`, place(parameter, text));
  }
  return text.toLowerCase();
}
