import { Buffer, isUtf8 } from 'node:buffer';
import type { FieldNames } from './field-names.ts';
import { INTEGER_RANGES, type IntegerRange, parseInteger } from './json-integer.ts';
import { unescapeJsonString } from './json-string.ts';
import { OtlpDecodeError } from './otlp-decode-error.ts';

/** What `firstField` and `nextField` return after the last field. */
export const END_OF_OBJECT = -1;

/** Of arrays and objects together, unknown ones included: far more than OTLP needs with the deepest values allowed. */
const MAX_DEPTH = 512;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

/**
 * A pull cursor over the bytes of a JSON text, which it changes: strings are unescaped where they stand.
 *
 * Objects: `for (let field = reader.firstField(NAMES); field !== END_OF_OBJECT; field = reader.nextField(NAMES))`, and for each
 * field read its value or call `skip`. Arrays: `for (let more = reader.firstElement(); more; more = reader.nextElement())`.
 * `null` stands for an absent value everywhere: an empty object or array, '', 0, false.
 */
export class JsonReader {
  readonly bytes: Uint8Array;
  position = 0;
  /** Place of the last string, unescaped. */
  start = 0;
  end = 0;
  /** The words of the last 64-bit integer, unsigned (two's complement). */
  low = 0;
  high = 0;
  #depth = 0;
  readonly #latin1: Buffer;

  /** Throws OtlpDecodeError when the bytes are not UTF-8. */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#latin1 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (!isUtf8(bytes)) {
      throw this.fail('invalid UTF-8', firstInvalidUtf8(bytes));
    }
  }

  fail(what: string, position = this.position): OtlpDecodeError {
    const atEnd = position >= this.bytes.length;
    return new OtlpDecodeError('JSON', atEnd ? `unexpected end (${what})` : what, position);
  }

  firstField(names: FieldNames): number {
    if (this.#skipNull()) {
      return END_OF_OBJECT;
    }
    this.#enter(0x7b, 'expected an object');
    if (this.#space() === 0x7d) {
      this.#leave();
      return END_OF_OBJECT;
    }
    return this.#field(names);
  }

  nextField(names: FieldNames): number {
    const byte = this.#space();
    if (byte === COMMA) {
      this.position++;
      return this.#field(names);
    }
    if (byte !== 0x7d) {
      throw this.fail("expected ',' or '}'");
    }
    this.#leave();
    return END_OF_OBJECT;
  }

  firstElement(): boolean {
    if (this.#skipNull()) {
      return false;
    }
    this.#enter(0x5b, 'expected an array');
    if (this.#space() === 0x5d) {
      this.#leave();
      return false;
    }
    return true;
  }

  nextElement(): boolean {
    const byte = this.#space();
    if (byte === COMMA) {
      this.position++;
      return true;
    }
    if (byte !== 0x5d) {
      throw this.fail("expected ',' or ']'");
    }
    this.#leave();
    return false;
  }

  /** Only spaces may follow. */
  endOfText(): void {
    this.#space();
    if (this.position !== this.bytes.length) {
      throw this.fail('something follows the end of the request');
    }
  }

  /** Whether the value is null; if so it is read. */
  null(): boolean {
    return this.#skipNull();
  }

  /** Reads a string; its unescaped bytes are then at `start` to `end`. */
  string(): void {
    const { bytes } = this;
    if (this.#space() !== QUOTE) {
      if (this.#skipNull()) {
        this.start = 0;
        this.end = 0;
        return;
      }
      throw this.fail('expected a string');
    }
    let position = this.position + 1;
    this.start = position;
    for (;;) {
      const byte = bytes[position];
      if (byte === QUOTE) {
        this.end = position;
        this.position = position + 1;
        return;
      }
      if (byte === BACKSLASH) {
        unescapeJsonString(this, position);
        return;
      }
      if (!(byte >= 0x20)) {
        throw this.fail(byte === undefined ? 'in a string' : 'a control character in a string', position);
      }
      position++;
    }
  }

  bool(): boolean {
    switch (this.#space()) {
      case 0x74:
        this.#literal('true');
        return true;
      case 0x66:
        this.#literal('false');
        return false;
      default:
        if (this.#skipNull()) {
          return false;
        }
        throw this.fail('expected true or false');
    }
  }

  /** An int64 or uint64, as a number or a string, into `low` and `high`. */
  integer64(range: IntegerRange): void {
    if (!this.#skipNull()) {
      const end = this.#number();
      parseInteger(this, this.start, end, range);
    } else {
      this.low = 0;
      this.high = 0;
    }
  }

  uint32(): number {
    this.integer64(INTEGER_RANGES.uint32);
    return this.low;
  }

  int32(): number {
    this.integer64(INTEGER_RANGES.int32);
    return this.low | 0;
  }

  /** The number of an enum, 0 when it is above `max`: OTLP/JSON forbids names. */
  enum(max: number): number {
    if (this.#space() === QUOTE) {
      throw this.fail('the name of an enum value: OTLP/JSON takes its number');
    }
    const value = this.int32();
    return value >= 0 && value <= max ? value : 0;
  }

  /** A double: a number, or a string that holds one or "NaN", "Infinity", "-Infinity". */
  double(): number {
    if (this.#skipNull()) {
      return 0;
    }
    const quoted = this.#space() === QUOTE;
    const at = this.position;
    if (quoted && !isNumberByte(this.bytes[at + 1])) {
      this.string();
      return this.#nonFinite(at);
    }
    const special = quoted && this.bytes[at + 1] === 0x2d && this.bytes[at + 2] === 0x49;
    if (special) {
      this.string();
      return this.#nonFinite(at);
    }
    const end = this.#number();
    const value = Number(this.#latin1.toString('latin1', this.start, end));
    if (!Number.isFinite(value)) {
      throw this.fail('a number outside the range of a double', at);
    }
    return value;
  }

  /** Reads the value of a field that nobody knows. */
  skip(): void {
    const byte = this.#space();
    switch (byte) {
      case QUOTE:
        this.string();
        break;
      case 0x7b:
        this.#skipObject();
        break;
      case 0x5b:
        for (let more = this.firstElement(); more; more = this.nextElement()) {
          this.skip();
        }
        break;
      case 0x74:
      case 0x66:
        this.bool();
        break;
      case 0x6e:
        this.#literal('null');
        break;
      default:
        this.#number();
    }
  }

  #skipObject(): void {
    this.#enter(0x7b, 'expected an object');
    if (this.#space() !== 0x7d) {
      for (;;) {
        this.#key();
        this.skip();
        const byte = this.#space();
        if (byte === 0x7d) {
          break;
        }
        if (byte !== COMMA) {
          throw this.fail("expected ',' or '}'");
        }
        this.position++;
      }
    }
    this.#leave();
  }

  #field(names: FieldNames): number {
    this.#key();
    return names.numberOf(this.bytes, this.start, this.end);
  }

  #key(): void {
    if (this.#space() !== QUOTE) {
      throw this.fail('expected a field name in quotes');
    }
    this.string();
    if (this.#space() !== COLON) {
      throw this.fail("expected ':'");
    }
    this.position++;
  }

  #enter(open: number, what: string): void {
    if (this.#space() !== open) {
      throw this.fail(what);
    }
    if (++this.#depth > MAX_DEPTH) {
      throw this.fail(`nested more than ${MAX_DEPTH} deep`);
    }
    this.position++;
  }

  #leave(): void {
    this.#depth--;
    this.position++;
  }

  /** Skips spaces and returns the byte after them; undefined at the end. */
  #space(): number {
    const { bytes } = this;
    let byte = bytes[this.position];
    while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) {
      byte = bytes[++this.position];
    }
    return byte;
  }

  #skipNull(): boolean {
    if (this.#space() !== 0x6e) {
      return false;
    }
    this.#literal('null');
    return true;
  }

  #literal(text: string): void {
    for (let i = 0; i < text.length; i++) {
      if (this.bytes[this.position + i] !== text.charCodeAt(i)) {
        throw this.fail(`expected ${text}`);
      }
    }
    this.position += text.length;
  }

  /** Reads a number, or a string that holds one: its text is then at `start` to the position returned. */
  #number(): number {
    const quoted = this.#space() === QUOTE;
    if (quoted) {
      this.position++;
    }
    const { bytes } = this;
    const start = this.position;
    let position = start;
    if (bytes[position] === 0x2d) {
      position++;
    }
    const digits = position;
    position = this.#digits(position);
    if (bytes[digits] === 0x30 && position > digits + 1) {
      throw this.fail('a number with a leading zero', start);
    }
    if (bytes[position] === 0x2e) {
      position = this.#digits(position + 1);
    }
    if (bytes[position] === 0x65 || bytes[position] === 0x45) {
      position++;
      if (bytes[position] === 0x2b || bytes[position] === 0x2d) {
        position++;
      }
      position = this.#digits(position);
    }
    this.start = start;
    this.position = position;
    if (quoted) {
      if (bytes[position] !== QUOTE) {
        throw this.fail('expected a number');
      }
      this.position++;
    }
    return position;
  }

  /** At least one digit. */
  #digits(start: number): number {
    const { bytes } = this;
    let position = start;
    while (bytes[position] >= 0x30 && bytes[position] <= 0x39) {
      position++;
    }
    if (position === start) {
      throw this.fail('expected a number', position);
    }
    return position;
  }

  #nonFinite(at: number): number {
    switch (this.end - this.start > 9 ? '' : this.#latin1.toString('latin1', this.start, this.end)) {
      case 'NaN':
        return Number.NaN;
      case 'Infinity':
        return Number.POSITIVE_INFINITY;
      case '-Infinity':
        return Number.NEGATIVE_INFINITY;
      default:
        throw this.fail('expected a number', at);
    }
  }
}

function isNumberByte(byte: number): boolean {
  return byte === 0x2d || (byte >= 0x30 && byte <= 0x39);
}

function firstInvalidUtf8(bytes: Uint8Array): number {
  // The longest valid prefix, by bisection; a sequence cut in two is invalid too, so a step of up to 3 bytes follows.
  let valid = 0;
  let invalid = bytes.length;
  while (invalid - valid > 4) {
    let middle = (valid + invalid) >>> 1;
    while (middle > valid && (bytes[middle] & 0xc0) === 0x80) {
      middle--;
    }
    if (middle === valid) {
      break;
    }
    if (isUtf8(bytes.subarray(valid, middle))) {
      valid = middle;
    } else {
      invalid = middle;
    }
  }
  while (valid < bytes.length) {
    let end = valid + 1;
    while (end < valid + 4 && end < bytes.length && !isUtf8(bytes.subarray(valid, end))) {
      end++;
    }
    if (!isUtf8(bytes.subarray(valid, end))) {
      return valid;
    }
    valid = end;
  }
  return valid;
}
