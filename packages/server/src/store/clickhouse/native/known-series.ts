import { type AttributeTable, AttributeType } from '@signalbox/records';
import { ColumnBuffer } from './column-buffer.ts';
import { KnownKeys } from './known-keys.ts';
import { areSame, seededHash } from './seeded-hash.ts';

/**
 * The series that points came of lately: their ids, by their attributes as they were sent, and in which partition they are stored already.
 * The same series come again and again, and in the same order, so that mostly the one that came after the one before is compared, and
 * neither hashed nor looked up. Shared by all that write them, and bounded: forgetting is harmless.
 */
export class KnownSeries {
  /** Ids that partitions have a row of. */
  readonly stored: KnownKeys;
  readonly #maxSeries: number;
  /** Numbers of what all series of a metric have in common, by its bytes. */
  readonly #prefixes = new Map<string, number>();
  #prefixLength = 0;
  /** The place and one of the series that came first after each prefix; 0: none did. */
  #firsts = new Uint32Array(FIRST_PREFIXES);
  #prefixText = '';
  /** -1: too long to be kept, and so are its series. */
  #prefix = 0;
  /** The series that came last of this prefix; -1: none did. */
  #last = -1;
  #count = 0;
  /** `WORDS` of each series. */
  #words = new Uint32Array(FIRST_SERIES * WORDS);
  /** Attributes: of each the lengths of key and value and the type in 32 bits, the key, and the value. */
  #forms = new ColumnBuffer();
  /** Hash table, at most half full: a series' place and one, 0 for none. */
  #slots = new Uint32Array(FIRST_SERIES * 2);

  /**
   * @param maxStored ids that are remembered to be stored, about 100 bytes each
   * @param maxSeries series whose attributes are kept, 140 bytes each at most on average, and as much of what they have in common
   */
  constructor(maxStored: number, maxSeries: number) {
    this.stored = new KnownKeys(maxStored);
    this.#maxSeries = maxSeries;
  }

  /** The series that follow are of a metric with this form. */
  startMetric(form: ColumnBuffer): void {
    this.#prefixText = Buffer.from(form.bytes.buffer, form.bytes.byteOffset, form.length).toString('latin1');
    this.#startPrefix();
  }

  /** The place of the series with these attributes; -1: it is not known. Places are valid until something is added. */
  find(source: DataView, attributes: AttributeTable, row: number): number {
    if (this.#prefix < 0) return -1;
    const words = this.#words;
    const expected = (this.#last < 0 ? this.#firsts[this.#prefix] : words[this.#last * WORDS + FOLLOWER]) - 1;
    if (expected >= 0 && this.#isSeries(expected, source, attributes, row)) {
      this.#last = expected;
      return expected;
    }
    const mask = this.#slots.length - 1;
    const slot = this.#hash(source, attributes, row);
    for (let probe = 0; probe < MAX_PROBES; probe++) {
      const place = this.#slots[(slot + probe) & mask] - 1;
      if (place < 0) return -1;
      if (this.#isSeries(place, source, attributes, row)) {
        this.#follow(place);
        return place;
      }
    }
    return -1;
  }

  /** Takes a series that `find` did not. */
  add(bytes: Uint8Array, source: DataView, attributes: AttributeTable, row: number, id: bigint): void {
    if (this.#prefix < 0 || !isShort(attributes, row)) return;
    if (this.#count >= this.#maxSeries || this.#forms.length >= this.#maxSeries * MEAN_BYTES) this.#forget();
    if ((this.#count + 1) * WORDS > this.#words.length) this.#grow();
    const place = this.#count;
    const hash = this.#hash(source, attributes, row);
    // Made to collide: it is looked for again each time.
    if (!this.#occupy(hash, place)) return;
    this.#count++;
    const at = place * WORDS;
    this.#words[at + PREFIX] = this.#prefix;
    this.#words[at + ATTRIBUTES] = attributes.offsets[row + 1] - attributes.offsets[row];
    this.#words[at + FORM] = this.#forms.length;
    this.#words[at + LOW] = Number(id & 0xffff_ffffn);
    this.#words[at + HIGH] = Number(id >> 32n);
    this.#words[at + FOLLOWER] = 0;
    this.#words[at + PARTITION] = 0;
    this.#words[at + HASH] = hash;
    this.#write(bytes, attributes, row);
    this.#follow(place);
  }

  /** The words of a series' id. */
  low(place: number): number {
    return this.#words[place * WORDS + LOW];
  }

  high(place: number): number {
    return this.#words[place * WORDS + HIGH];
  }

  /** Whether the partition (seconds since 1970 of its start) has a row of the series. */
  isStored(place: number, partition: number): boolean {
    return this.#words[place * WORDS + PARTITION] === partition + 1;
  }

  /** The partition, and no other, is known to have a row of the series. */
  noteStored(place: number, partition: number): void {
    this.#words[place * WORDS + PARTITION] = partition + 1;
  }

  /** Rows may be gone. */
  clear(): void {
    this.stored.clear();
    this.#forget();
  }

  #startPrefix(): void {
    const text = this.#prefixText;
    let prefix = text.length > MAX_LENGTH ? -1 : this.#prefixes.get(text);
    if (prefix === undefined) {
      const isFull = this.#prefixLength + text.length > this.#maxSeries * MEAN_BYTES;
      if (this.#prefixes.size > 0 && (isFull || this.#prefixes.size >= this.#maxSeries)) {
        this.#forget();
        return;
      }
      prefix = this.#prefixes.size;
      this.#prefixes.set(text, prefix);
      this.#prefixLength += text.length;
      if (prefix >= this.#firsts.length) {
        const firsts = new Uint32Array(this.#firsts.length * 2);
        firsts.set(this.#firsts);
        this.#firsts = firsts;
      }
    }
    this.#prefix = prefix;
    this.#last = -1;
  }

  /** All series; those that follow are of the same metric as before. */
  #forget(): void {
    this.#prefixes.clear();
    this.#prefixLength = 0;
    this.#firsts = new Uint32Array(FIRST_PREFIXES);
    this.#count = 0;
    this.#words = new Uint32Array(FIRST_SERIES * WORDS);
    this.#forms = new ColumnBuffer();
    this.#slots = new Uint32Array(FIRST_SERIES * 2);
    this.#startPrefix();
  }

  #follow(place: number): void {
    if (this.#last < 0) this.#firsts[this.#prefix] = place + 1;
    else this.#words[this.#last * WORDS + FOLLOWER] = place + 1;
    this.#last = place;
  }

  #isSeries(place: number, source: DataView, attributes: AttributeTable, row: number): boolean {
    const { offsets, keys, values } = attributes;
    const words = this.#words;
    const at = place * WORDS;
    const first = offsets[row];
    const last = offsets[row + 1];
    if (words[at + PREFIX] !== this.#prefix || words[at + ATTRIBUTES] !== last - first) return false;
    const { view } = this.#forms;
    let from = words[at + FORM];
    for (let entry = first; entry < last; entry++) {
      const keyStart = keys.start[entry];
      const keyEnd = keys.end[entry];
      const start = values.start[entry];
      const end = values.end[entry];
      const type = values.type[entry];
      const keyLength = keyEnd - keyStart;
      if (keyLength > MAX_LENGTH || end - start > MAX_LENGTH) return false;
      if (view.getInt32(from, true) !== header(keyLength, end - start, type)) return false;
      from += 4;
      if (!areSame(view, from, source, keyStart, keyEnd)) return false;
      from += keyLength;
      if (isNumber(type)) {
        if (view.getUint32(from, true) !== values.words[entry * 2]) return false;
        if (view.getUint32(from + 4, true) !== values.words[entry * 2 + 1]) return false;
        from += 8;
      } else {
        if (!areSame(view, from, source, start, end)) return false;
        from += end - start;
      }
    }
    return true;
  }

  #write(bytes: Uint8Array, { offsets, keys, values }: AttributeTable, row: number): void {
    for (let entry = offsets[row]; entry < offsets[row + 1]; entry++) {
      const type = values.type[entry];
      const start = values.start[entry];
      const end = values.end[entry];
      this.#forms.int32(header(keys.end[entry] - keys.start[entry], end - start, type));
      this.#forms.raw(bytes, keys.start[entry], keys.end[entry]);
      if (isNumber(type)) this.#forms.uint64(values.words[entry * 2], values.words[entry * 2 + 1]);
      else this.#forms.raw(bytes, start, end);
    }
  }

  #hash(source: DataView, { offsets, keys, values }: AttributeTable, row: number): number {
    let hash = this.#prefix;
    for (let entry = offsets[row]; entry < offsets[row + 1]; entry++) {
      const type = values.type[entry];
      hash = mix(hash, seededHash(source, keys.start[entry], keys.end[entry]));
      if (isNumber(type)) hash = mix(mix(hash, values.words[entry * 2]), values.words[entry * 2 + 1]);
      else hash = mix(hash, seededHash(source, values.start[entry], values.end[entry]));
    }
    return hash & 0x7fff_ffff;
  }

  #grow(): void {
    const words = new Uint32Array(this.#words.length * 2);
    words.set(this.#words);
    this.#words = words;
    this.#slots = new Uint32Array(this.#slots.length * 2);
    for (let place = 0; place < this.#count; place++) this.#occupy(words[place * WORDS + HASH], place);
  }

  /** False: too many others are there. */
  #occupy(hash: number, place: number): boolean {
    const mask = this.#slots.length - 1;
    for (let probe = 0; probe < MAX_PROBES; probe++) {
      const slot = (hash + probe) & mask;
      if (this.#slots[slot] === 0) {
        this.#slots[slot] = place + 1;
        return true;
      }
    }
    return false;
  }
}

/** What is known of a series, in words of 32 bits: the number of its prefix, */
const PREFIX = 0;
/** the number of its attributes, and where they are; */
const ATTRIBUTES = 1;
const FORM = 2;
/** its id; */
const LOW = 3;
const HIGH = 4;
/** the place and one of the series that came after it, 0: none did; */
const FOLLOWER = 5;
/** a partition that has a row of it (seconds since 1970 of its start) and one, 0: none is known; */
const PARTITION = 6;
/** its hash. */
const HASH = 7;
const WORDS = 8;

const FIRST_PREFIXES = 64;
const FIRST_SERIES = 256;
const MAX_PROBES = 32;
/** Of all attributes of a series, or of what a metric's have in common, and how many attributes these may be; others are hashed each time. A header has 12 bits for each length. */
const MAX_LENGTH = 4_095;
const MAX_ATTRIBUTES = 64;
/** So many bytes of attributes on average before all are forgotten. */
const MEAN_BYTES = 100;

function header(keyLength: number, textLength: number, type: number): number {
  return (keyLength << 16) | (textLength << 4) | type;
}

function isNumber(type: number): boolean {
  return type === AttributeType.Int || type === AttributeType.Double || type === AttributeType.Bool;
}

function isShort({ offsets, keys, values }: AttributeTable, row: number): boolean {
  const first = offsets[row];
  const last = offsets[row + 1];
  if (last - first > MAX_ATTRIBUTES) return false;
  let length = 0;
  for (let entry = first; entry < last; entry++) {
    length += keys.end[entry] - keys.start[entry] + values.end[entry] - values.start[entry];
  }
  return length <= MAX_LENGTH;
}

function mix(hash: number, value: number): number {
  const mixed = Math.imul(hash ^ value, 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}
