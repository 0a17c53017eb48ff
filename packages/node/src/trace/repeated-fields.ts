import type { ReverseWriter } from './reverse-writer.ts';

const maxNames = 64;
const maxFields = 32;
const maxTextLength = 256;
const maxBytes = 1024;
/** Of one name, as many kinds of objects: those that have other keys. */
const maxKinds = 4;
/** So many objects in a row must have what the kept one has not, before one of them is kept in its place: keeping takes a microsecond. */
const newsBeforeKeeping = 4;

export type Plain = string | number | boolean | undefined;

/** Writes one field, if it has a value. `place` is which of the object's it is. */
export type WriteField = (writer: ReverseWriter, key: string, value: Plain, place: number) => void;

/** Objects of one name with the same keys in the same order. */
interface Repeated {
  readonly keys: readonly string[];
  /** Undefined until they have come twice. */
  kept: KeptFields | undefined;
  /** How many in a row had something in common that the kept one has not. */
  news: number;
}

interface KeptFields {
  readonly values: readonly Plain[];
  /** All fields, encoded, one behind the other. */
  readonly bytes: Buffer;
  /** Where in `bytes` each begins, and where the last one ends. */
  readonly starts: readonly number[];
  /** What lay side by side when it was last asked for, by the field that it begins with. */
  readonly runs: (Uint8Array | undefined)[];
  /** What the last object had where it had something else; null where nothing is known. */
  readonly others: (Plain | null)[];
}

/**
 * Writes the fields of objects, such as a span's attributes, or `req` and `res` in log lines, as long as they are nothing but texts, numbers
 * and booleans. The same is said again and again (method, host, address, status), so of objects of one name and with the same keys one is kept
 * encoded, and what lies side by side in it and comes again is copied at once.
 */
export class RepeatedFields {
  readonly #writeField: WriteField;
  readonly #known = new Map<string, Repeated[]>();
  #lastName: string | undefined;
  #lastKinds: Repeated[] = [];

  constructor(writeField: WriteField) {
    this.#writeField = writeField;
  }

  /** False, with nothing written, where there is anything else in the object. */
  write(writer: ReverseWriter, name: string, fields: Readonly<Record<string, unknown>>): boolean {
    const keys = Object.keys(fields);
    if (keys.length > maxFields) return false;
    // At once, and not by their keys, which takes the engine twice as long.
    const values = Object.values(fields);
    if (values.length !== keys.length || !arePlain(values)) return false;
    this.#writeRead(writer, name, keys, values);
    return true;
  }

  #writeRead(writer: ReverseWriter, name: string, keys: readonly string[], values: readonly Plain[]): void {
    const kinds = name === this.#lastName ? this.#lastKinds : this.#kindsOf(name);
    const known = kinds.find((kind) => areSame(kind.keys, keys));
    if (known === undefined) {
      this.#writeAll(writer, keys, values);
      if (kinds.length >= maxKinds) kinds.shift();
      kinds.push({ keys, kept: undefined, news: 0 });
    } else if (known.kept === undefined) this.#keep(writer, known, values);
    else {
      known.news = this.#writeBeside(writer, keys, values, known.kept) ? known.news + 1 : 0;
      if (known.news >= newsBeforeKeeping) {
        known.kept = undefined;
        known.news = 0;
      }
    }
  }

  /** Of names beyond the first ones nothing is kept for longer than the next object. */
  #kindsOf(name: string): Repeated[] {
    let kinds = this.#known.get(name);
    if (kinds === undefined) {
      kinds = [];
      if (this.#known.size < maxNames) this.#known.set(name, kinds);
    }
    this.#lastName = name;
    this.#lastKinds = kinds;
    return kinds;
  }

  /** Writes the values, and keeps what it has written. */
  #keep(writer: ReverseWriter, known: Repeated, values: readonly Plain[]): void {
    const before = writer.length;
    const ends = this.#writeAll(writer, known.keys, values);
    const length = writer.length - before;
    if (length > maxBytes) return;
    known.kept = {
      values,
      bytes: Buffer.from(writer.copy(before)),
      starts: [...ends.map((end) => length - end), length],
      runs: known.keys.map(() => undefined),
      others: known.keys.map(() => null),
    };
  }

  /** How much had been written after each field. */
  #writeAll(writer: ReverseWriter, keys: readonly string[], values: readonly Plain[]): number[] {
    const before = writer.length;
    const lengths = new Array<number>(keys.length).fill(0);
    for (let index = keys.length - 1; index >= 0; index -= 1) {
      this.#writeField(writer, keys[index] as string, values[index], index);
      lengths[index] = writer.length - before;
    }
    return lengths;
  }

  /** Copies what is as in the kept object. Whether anything else is as it was in the last one. */
  #writeBeside(writer: ReverseWriter, keys: readonly string[], values: readonly Plain[], kept: KeptFields): boolean {
    const { values: keptValues, others } = kept;
    let hasNews = false;
    let end = keys.length;
    for (let index = keys.length - 1; index >= 0; index -= 1) {
      const value = values[index];
      if (value === keptValues[index]) {
        others[index] = null;
        continue;
      }
      if (index + 1 < end) writer.bytes(runOf(kept, index + 1, end));
      end = index;
      this.#writeField(writer, keys[index] as string, value, index);
      if (value === others[index]) hasNews = true;
      // No long text is held on to.
      else others[index] = typeof value === 'string' && value.length > maxTextLength ? null : value;
    }
    if (end > 0) writer.bytes(runOf(kept, 0, end));
    return hasNews;
  }
}

function arePlain(values: readonly unknown[]): values is Plain[] {
  for (const value of values)
    if (typeof value !== 'string' && value !== undefined && typeof value !== 'number' && typeof value !== 'boolean')
      return false;
  return true;
}

/** The fields from `first` to that before `end`, encoded. */
function runOf({ bytes, starts, runs }: KeptFields, first: number, end: number): Uint8Array {
  const from = starts[first] as number;
  const to = starts[end] as number;
  const run = runs[first];
  if (run !== undefined && run.length === to - from) return run;
  const found = bytes.subarray(from, to);
  runs[first] = found;
  return found;
}

function areSame(one: readonly string[], other: readonly string[]): boolean {
  if (one.length !== other.length) return false;
  for (let index = 0; index < one.length; index += 1) if (one[index] !== other[index]) return false;
  return true;
}
