import type { HrTime } from '@opentelemetry/api';
import type { AnyValue } from '@opentelemetry/api-logs';

const firstCapacity = 16 * 1024;
/** Up to this many characters a loop is faster than a call into native code. */
const shortText = 48;
const maxInt64 = 2 ** 63;
const double = new Float64Array(1);
/** What each character stands for as a hex digit; 0 for all others. */
const nibbles = new Uint8Array(128);
for (const digit of '0123456789abcdefABCDEF') nibbles[digit.charCodeAt(0)] = Number.parseInt(digit, 16);
const doubleBytes = new Uint8Array(double.buffer);

/**
 * Writes protobuf from the end of its buffer towards the front. What is nested is then already written, its length known,
 * when its header is: no message is measured first or moved afterwards. Fields and repeated elements are therefore given
 * in reverse. Grows as needed; one writer serves all spans.
 */
export class ReverseWriter {
  #buffer = Buffer.allocUnsafeSlow(firstCapacity);
  /** First byte that is written. */
  #position = firstCapacity;

  /** Everything since the last `reset`; valid until the next write. */
  get written(): Uint8Array {
    return this.#buffer.subarray(this.#position);
  }

  /** Bytes written; subtract an earlier reading to get the length of what was nested since. */
  get length(): number {
    return this.#buffer.length - this.#position;
  }

  reset(): void {
    this.#position = this.#buffer.length;
  }

  /** The header of a length-delimited field whose content has been written since `length` was `before`. */
  nested(field: number, before: number): void {
    this.varint(this.length - before);
    this.tag(field, 2);
  }

  tag(field: number, wireType: number): void {
    const value = field * 8 + wireType;
    // Nearly always, and by itself: a call for each tag is more than writing it.
    if (value < 128 && this.#position > 0) this.#buffer[--this.#position] = value;
    else this.varint(value);
  }

  /** A non-negative integer below 2⁶³. */
  varint(value: number): void {
    this.#reserve(10);
    if (value < 128) {
      this.#buffer[--this.#position] = value;
      return;
    }
    // Lengths mostly: two bytes, in integer arithmetic.
    if (value < 16_384) {
      this.#position -= 2;
      this.#buffer[this.#position] = (value & 127) | 128;
      this.#buffer[this.#position + 1] = value >> 7;
      return;
    }
    let size = 1;
    for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) size += 1;
    this.#position -= size;
    let at = this.#position;
    let rest = value;
    for (; rest > 127; rest = Math.floor(rest / 128)) this.#buffer[at++] = (rest % 128) | 128;
    this.#buffer[at] = rest;
  }

  /** UTF-8 with its length, without a tag. */
  text(value: string): void {
    const before = this.length;
    this.#reserve(value.length * 3 + 8);
    if (value.length > shortText || !this.#ascii(value)) {
      const size = Buffer.byteLength(value);
      this.#position -= size;
      this.#buffer.write(value, this.#position, size, 'utf8');
    }
    this.varint(this.length - before);
  }

  /** Bytes given as hex digits, with their length, without a tag. Not by `Buffer.write`: a call into native code costs more than ids are long. */
  hex(digits: string): void {
    const size = digits.length >> 1;
    this.#reserve(size + 8);
    this.#position -= size;
    const buffer = this.#buffer;
    const start = this.#position;
    for (let index = 0; index < size; index += 1)
      buffer[start + index] =
        ((nibbles[digits.charCodeAt(2 * index)] as number) << 4) |
        (nibbles[digits.charCodeAt(2 * index + 1)] as number);
    this.varint(size);
  }

  /** Eight bytes given as two 32-bit integers, the first of each in its lowest bits, with their length, without a tag. */
  eight(first: number, second: number): void {
    this.#reserve(9);
    this.#position -= 9;
    const start = this.#position;
    this.#buffer[start] = 8;
    this.#uint32(first, start + 1);
    this.#uint32(second, start + 5);
  }

  /** The same of sixteen. */
  sixteen(first: number, second: number, third: number, fourth: number): void {
    this.#reserve(17);
    this.#position -= 17;
    const start = this.#position;
    this.#buffer[start] = 16;
    this.#uint32(first, start + 1);
    this.#uint32(second, start + 5);
    this.#uint32(third, start + 9);
    this.#uint32(fourth, start + 13);
  }

  /** As they are. */
  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#position -= bytes.length;
    this.#buffer.set(bytes, this.#position);
  }

  /** As if nothing had been written since `length` was `before`. */
  drop(before: number): void {
    this.#position = this.#buffer.length - before;
  }

  /** A copy of what has been written since `length` was `before`. */
  copy(before: number): Uint8Array {
    return Buffer.from(this.#buffer.subarray(this.#position, this.#buffer.length - before));
  }

  /** The same, and as if it had not been written. */
  take(before: number): Uint8Array {
    const copy = this.copy(before);
    this.drop(before);
    return copy;
  }

  fixed32(value: number): void {
    this.#reserve(4);
    this.#position -= 4;
    this.#uint32(value, this.#position);
  }

  /** Nanoseconds since the epoch, which no number holds exactly: 10⁹ is 1953125 · 2⁹, and that product still is exact. */
  nanos(time: HrTime): void {
    // By their places: taking it apart as a list iterates over it.
    const seconds = time[0];
    const nanos = time[1];
    if (seconds < 0) throw new RangeError('it has a time before 1970');
    this.#reserve(8);
    this.#position -= 8;
    const units = seconds * 1_953_125;
    // Not by `%`, which numbers beyond 32 bits make a call of.
    const unitsHigh = Math.floor(units / 8_388_608);
    const low = (units - unitsHigh * 8_388_608) * 512 + nanos;
    const carry = Math.floor(low / 4_294_967_296);
    this.#uint32(low - carry * 4_294_967_296, this.#position);
    this.#uint32(unitsHigh + carry, this.#position + 4);
  }

  /** opentelemetry.proto.common.v1.AnyValue, without its own header. */
  anyValue(value: AnyValue | undefined): void {
    if (typeof value === 'string') {
      this.text(value);
      this.tag(1, 2);
    } else if (typeof value === 'number') {
      if (Number.isInteger(value) && value >= -maxInt64 && value < maxInt64) this.#integer(value);
      else this.#double(value);
    } else if (typeof value === 'boolean') {
      this.varint(value ? 1 : 0);
      this.tag(2, 0);
    } else if (Array.isArray(value)) {
      const before = this.length;
      for (let index = value.length - 1; index >= 0; index -= 1) {
        const beforeElement = this.length;
        this.anyValue(value[index]);
        this.nested(1, beforeElement);
      }
      this.nested(5, before);
    } else if (value instanceof Uint8Array) {
      this.bytes(value);
      this.varint(value.length);
      this.tag(7, 2);
    } else if (typeof value === 'object' && value !== null) {
      const before = this.length;
      this.keyValues(1, value);
      this.nested(6, before);
    }
  }

  /** A repeated field of opentelemetry.proto.common.v1.KeyValue; what is undefined has no value. */
  keyValues(field: number, values: Readonly<Record<string, AnyValue | undefined>>): void {
    const keys = Object.keys(values);
    for (let index = keys.length - 1; index >= 0; index -= 1) {
      const key = keys[index] as string;
      this.keyValue(field, key, values[key]);
    }
  }

  keyValue(field: number, key: string, value: AnyValue | undefined): void {
    const before = this.length;
    this.anyValue(value);
    this.named(field, key, before);
  }

  /** The rest of a KeyValue whose value has been written since `length` was `before`. */
  named(field: number, key: string, before: number): void {
    this.nested(2, before);
    this.text(key);
    this.tag(1, 2);
    this.nested(field, before);
  }

  #uint32(value: number, at: number): void {
    const buffer = this.#buffer;
    const bits = value | 0;
    buffer[at] = bits;
    buffer[at + 1] = bits >> 8;
    buffer[at + 2] = bits >> 16;
    buffer[at + 3] = bits >> 24;
  }

  #integer(value: number): void {
    if (value >= 0) this.varint(value);
    else {
      // Two's complement of 64 bits: always ten bytes.
      let rest = BigInt.asUintN(64, BigInt(value));
      this.#reserve(10);
      this.#position -= 10;
      for (let index = 0; index < 10; index += 1) {
        this.#buffer[this.#position + index] = Number(rest & 127n) | (index < 9 ? 128 : 0);
        rest >>= 7n;
      }
    }
    this.tag(3, 0);
  }

  #double(value: number): void {
    this.#reserve(8);
    this.#position -= 8;
    double[0] = value;
    this.#buffer.set(doubleBytes, this.#position);
    this.tag(4, 1);
  }

  /** Writes a short text; false, with nothing written, when it is not ASCII. */
  #ascii(value: string): boolean {
    const buffer = this.#buffer;
    let at = this.#position;
    for (let index = value.length - 1; index >= 0; index -= 1) {
      const code = value.charCodeAt(index);
      if (code > 127) return false;
      buffer[--at] = code;
    }
    this.#position = at;
    return true;
  }

  #reserve(bytes: number): void {
    if (this.#position >= bytes) return;
    const { length } = this;
    let capacity = this.#buffer.length * 2;
    while (capacity - length < bytes) capacity *= 2;
    const larger = Buffer.allocUnsafeSlow(capacity);
    this.#buffer.copy(larger, capacity - length, this.#position);
    this.#buffer = larger;
    this.#position = capacity - length;
  }
}
