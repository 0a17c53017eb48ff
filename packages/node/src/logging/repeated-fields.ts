import type { ReverseWriter } from '../trace/reverse-writer.ts';

const maxNames = 64;
const maxFields = 32;
const maxTextLength = 256;
const maxBytes = 1024;
/** So many objects in a row must have what the kept one has not, before one of them is kept in its place: keeping takes a microsecond. */
const newsBeforeKeeping = 4;

type Plain = string | number | boolean | undefined;

/** Objects of one name. */
interface Repeated {
  /** The keys of the last one, or those of the kept one. */
  keys: readonly string[];
  /** Undefined until the same keys have come in a row. */
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
  /** What the last object had where it had something else; null where nothing is known. */
  readonly others: (Plain | null)[];
}

/**
 * Writes the fields of objects in log lines that hold nothing but texts, numbers and booleans. Loggers of requests say the same again
 * and again (`req`, `res`: method, host, address, status), so one object of each name is kept encoded, and what lies side by
 * side in it and comes again is copied at once.
 */
export class RepeatedFields {
  readonly #known = new Map<string, Repeated>();
  /** Of the object that is being written: each is read once, since it may be a getter. What is behind as many as that has keys means nothing. */
  readonly #values: Plain[] = new Array<Plain>(maxFields).fill(undefined);
  #hasLongText = false;

  /** False, with nothing written, where there is anything else in the object. */
  write(writer: ReverseWriter, name: string, fields: Readonly<Record<string, unknown>>): boolean {
    const keys = Object.keys(fields);
    if (keys.length > maxFields) return false;
    const arePlain = this.#read(keys, fields);
    if (arePlain) this.#writeRead(writer, name, keys);
    if (this.#hasLongText) this.#values.fill(undefined);
    return arePlain;
  }

  #read(keys: readonly string[], fields: Readonly<Record<string, unknown>>): boolean {
    const values = this.#values;
    this.#hasLongText = false;
    for (let index = 0; index < keys.length; index += 1) {
      const value = fields[keys[index] as string];
      if (typeof value === 'string') {
        if (value.length > maxTextLength) this.#hasLongText = true;
      } else if (value !== undefined && typeof value !== 'number' && typeof value !== 'boolean') return false;
      values[index] = value;
    }
    return true;
  }

  #writeRead(writer: ReverseWriter, name: string, keys: readonly string[]): void {
    const values = this.#values;
    const known = this.#known.get(name);
    if (known === undefined) {
      writeAll(writer, keys, values);
      if (this.#known.size < maxNames) this.#known.set(name, { keys, kept: undefined, news: 0 });
    } else if (!areSame(known.keys, keys)) {
      writeAll(writer, keys, values);
      known.keys = keys;
      known.kept = undefined;
      known.news = 0;
    } else if (known.kept === undefined) this.#keep(writer, known);
    else {
      known.news = writeBeside(writer, keys, values, known.kept) ? known.news + 1 : 0;
      if (known.news >= newsBeforeKeeping) {
        known.kept = undefined;
        known.news = 0;
      }
    }
  }

  /** Writes the values, and keeps what it has written. */
  #keep(writer: ReverseWriter, known: Repeated): void {
    const before = writer.length;
    const ends = writeAll(writer, known.keys, this.#values);
    const bytes = Buffer.from(writer.copy(before));
    if (bytes.length > maxBytes) return;
    known.kept = {
      values: this.#values.slice(0, known.keys.length),
      bytes,
      starts: [...ends.map((length) => bytes.length - length), bytes.length],
      others: known.keys.map(() => null),
    };
  }
}

function areSame(one: readonly string[], other: readonly string[]): boolean {
  if (one.length !== other.length) return false;
  for (let index = 0; index < one.length; index += 1) if (one[index] !== other[index]) return false;
  return true;
}

/** How much had been written after each field. */
function writeAll(writer: ReverseWriter, keys: readonly string[], values: readonly Plain[]): number[] {
  const before = writer.length;
  const lengths = new Array<number>(keys.length).fill(0);
  for (let index = keys.length - 1; index >= 0; index -= 1) {
    writeField(writer, keys[index] as string, values[index]);
    lengths[index] = writer.length - before;
  }
  return lengths;
}

/** Copies what is as in the kept object. Whether anything else is as it was in the last one. */
function writeBeside(
  writer: ReverseWriter,
  keys: readonly string[],
  values: readonly Plain[],
  { values: kept, bytes, starts, others }: KeptFields,
): boolean {
  let hasNews = false;
  let end = bytes.length;
  for (let index = keys.length - 1; index >= 0; index -= 1) {
    const value = values[index];
    if (value === kept[index]) {
      others[index] = null;
      continue;
    }
    const next = starts[index + 1] as number;
    if (next < end) writer.range(bytes, next, end);
    end = starts[index] as number;
    writeField(writer, keys[index] as string, value);
    if (value === others[index]) hasNews = true;
    // No long text is held on to.
    else others[index] = typeof value === 'string' && value.length > maxTextLength ? null : value;
  }
  if (end > 0) writer.range(bytes, 0, end);
  return hasNews;
}

function writeField(writer: ReverseWriter, key: string, value: Plain): void {
  if (value !== undefined) writer.keyValue(1, key, value);
}
