import { ColumnBuffer } from './column-buffer.ts';
import { areSame, seededHash } from './seeded-hash.ts';

/**
 * Values of a `LowCardinality(String)` column on their way into a `Native` block: each text once, and for each value which one it
 * is. So keys and names, which repeat in row after row, are neither copied nor looked up by the engine again and again.
 *
 * After a column's name and type stands a version, `LOW_CARDINALITY_VERSION`. The values are: flags (what follows, and that
 * places are UInt32), the number of texts, the texts as `String`, the number of values, their places; nothing at all without values.
 */
export class DictionaryColumn {
  readonly #head = new ColumnBuffer(16);
  readonly #texts = new ColumnBuffer();
  readonly #valueCount = new ColumnBuffer(8);
  readonly #places = new ColumnBuffer();
  /** What the values are written from, in this order; complete after `finish`. */
  readonly buffers: readonly ColumnBuffer[] = [this.#head, this.#texts, this.#valueCount, this.#places];
  #textCount = 0;
  /** Where the bytes of each text begin and end in `#texts`. */
  #starts = new Uint32Array(64);
  #ends = new Uint32Array(64);
  /** The text that came after each when it was added last: keys of attributes come in the same order again and again. */
  #followers = new Uint32Array(64);
  #last = 0;
  /** Hash table of texts, at most half full: a text's place and one, 0 for none. */
  #slots = new Uint32Array(128);

  /** Adds the text that is at `start` to `end`. */
  add(source: DataView, start: number, end: number): void {
    const expected = this.#followers[this.#last];
    let place = expected;
    if (expected >= this.#textCount || !this.#isText(expected, source, start, end)) {
      place = this.#placeOf(source, start, end);
      this.#followers[this.#last] = place;
    }
    this.#last = place;
    this.#places.uint32(place);
  }

  /** Adds the text that was added last so many times more; there must be one. */
  addLast(times: number): void {
    this.#places.repeatLast(4, times);
  }

  /** Completes `buffers` with the numbers of what was added. */
  finish(): void {
    this.#head.reset();
    this.#valueCount.reset();
    if (this.#places.length > 0) {
      this.#head.uint64(UINT32_PLACES | HAS_ADDITIONAL_KEYS | NEEDS_DICTIONARY_UPDATE, 0);
      this.#head.count(this.#textCount);
      this.#valueCount.count(this.#places.length / 4);
    }
  }

  reset(): void {
    for (const buffer of this.buffers) {
      buffer.reset();
    }
    this.#textCount = 0;
    this.#last = 0;
    if (this.#slots.length <= USUAL_SLOTS) {
      this.#slots.fill(0);
    } else {
      this.#slots = new Uint32Array(USUAL_SLOTS);
    }
  }

  #placeOf(source: DataView, start: number, end: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    const slot = seededHash(source, start, end);
    for (let probe = 0; probe < MAX_PROBES; probe++) {
      const place = slots[(slot + probe) & mask] - 1;
      if (place < 0) {
        slots[(slot + probe) & mask] = this.#textCount + 1;
        return this.#addText(source, start, end);
      }
      if (this.#isText(place, source, start, end)) {
        return place;
      }
    }
    // Texts made to collide: one that stands in the dictionary twice is read all the same.
    return this.#addText(source, start, end);
  }

  #addText(source: DataView, start: number, end: number): number {
    const place = this.#textCount++;
    if (place === this.#starts.length) {
      this.#starts = doubled(this.#starts);
      this.#ends = doubled(this.#ends);
      this.#followers = doubled(this.#followers);
    }
    this.#texts.slice(source, start, end);
    this.#ends[place] = this.#texts.length;
    this.#starts[place] = this.#texts.length - (end - start);
    if (this.#textCount * 2 > this.#slots.length) {
      this.#rehash();
    }
    return place;
  }

  #rehash(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let place = 0; place < this.#textCount; place++) {
      const slot = seededHash(this.#texts.view, this.#starts[place], this.#ends[place]);
      for (let probe = 0; probe < MAX_PROBES; probe++) {
        if (slots[(slot + probe) & mask] === 0) {
          slots[(slot + probe) & mask] = place + 1;
          break;
        }
      }
    }
    this.#slots = slots;
  }

  #isText(place: number, source: DataView, start: number, end: number): boolean {
    const at = this.#starts[place];
    return this.#ends[place] - at === end - start && areSame(this.#texts.view, at, source, start, end);
  }
}

/** What stands before the values of a column that has `LowCardinality` in its type. */
export const LOW_CARDINALITY_VERSION = 1;

const UINT32_PLACES = 2;
/** The texts come with the block. */
const HAS_ADDITIONAL_KEYS = 1 << 9;
const NEEDS_DICTIONARY_UPDATE = 1 << 10;

const USUAL_SLOTS = 4_096;
const MAX_PROBES = 32;

function doubled(column: Uint32Array): Uint32Array<ArrayBuffer> {
  const grown = new Uint32Array(column.length * 2);
  grown.set(column);
  return grown;
}
