import { OtlpDecodeError } from './otlp-decode-error.ts';

const WIRE_VARINT = 0;
const WIRE_64_BIT = 1;
const WIRE_BYTES = 2;
const WIRE_32_BIT = 5;

/**
 * A cursor over protobuf wire format. Every length is checked against the end of the message that holds it before
 * anything is read; a scalar that runs over its message's end is found by `endMessage`, which every message's reader calls.
 *
 * Reading a message: `while (reader.position < end) { switch (reader.tag()) { …; default: reader.skip(tag, end) } }`,
 * then `endMessage(end)`. Tags are field number << 3 | wire type, so a known field of a wrong wire type is skipped as unknown.
 */
export class ProtobufReader {
  readonly bytes: Uint8Array;
  position = 0;
  /** The words of the last `varint` or `fixed64`, unsigned. */
  low = 0;
  high = 0;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  fail(what: string, position = this.position): OtlpDecodeError {
    return new OtlpDecodeError('protobuf', what, position);
  }

  tag(): number {
    const byte = this.bytes[this.position];
    if (byte < 0x80 && byte > 7) {
      this.position++;
      return byte;
    }
    const start = this.position;
    this.varint();
    if (this.high !== 0 || this.low <= 7) {
      throw this.fail('field number out of range', start);
    }
    return this.low;
  }

  endMessage(end: number): void {
    if (this.position !== end) {
      throw this.fail('a field runs over the end of its message', end);
    }
  }

  /** The length of a length-delimited field whose message ends at `end`: leaves `position` at its first byte, returns its end. */
  delimited(end: number): number {
    const { bytes, position } = this;
    let length = bytes[position];
    if (length < 0x80) {
      this.position = position + 1;
    } else {
      this.varint();
      length = this.high === 0 ? this.low : Number.POSITIVE_INFINITY;
    }
    const contentEnd = this.position + length;
    if (!(contentEnd <= end)) {
      throw this.fail('a length runs over the end of its message', position);
    }
    return contentEnd;
  }

  /** Reads a varint of at most 10 bytes into `low` and `high`. */
  varint(): void {
    const { bytes } = this;
    const start = this.position;
    let position = start;
    let byte = bytes[position++];
    if (byte < 0x80) {
      this.low = byte;
      this.high = 0;
      this.position = position;
      return;
    }
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (byte === undefined) {
        throw this.fail('truncated varint', start);
      }
      const bits = byte & 0x7f;
      if (shift < 28) {
        low |= bits << shift;
      } else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else {
        high |= bits << (shift - 32);
      }
      if (byte < 0x80) {
        this.low = low >>> 0;
        this.high = high >>> 0;
        this.position = position;
        return;
      }
      byte = bytes[position++];
    }
    throw this.fail('a varint of more than 10 bytes', start);
  }

  /** A uint32, int32, enum or bool: the low 32 bits, unsigned. */
  uint32(): number {
    const byte = this.bytes[this.position];
    if (byte < 0x80) {
      this.position++;
      return byte;
    }
    this.varint();
    return this.low;
  }

  bool(): boolean {
    this.varint();
    return this.low !== 0 || this.high !== 0;
  }

  sint32(): number {
    this.varint();
    return (this.low >>> 1) ^ -(this.low & 1);
  }

  /** Past the end of the bytes it reads zeros, which `endMessage` then reports. */
  fixed32(): number {
    const { bytes, position } = this;
    this.position = position + 4;
    return (
      (bytes[position] | (bytes[position + 1] << 8) | (bytes[position + 2] << 16) | (bytes[position + 3] << 24)) >>> 0
    );
  }

  /** Reads into `low` and `high`. */
  fixed64(): void {
    const { position } = this;
    if (position + 8 <= this.bytes.length) {
      this.low = this.#view.getUint32(position, true);
      this.high = this.#view.getUint32(position + 4, true);
      this.position = position + 8;
    } else {
      this.low = this.fixed32();
      this.high = this.fixed32();
    }
  }

  double(): number {
    this.fixed64();
    DOUBLE_WORDS[0] = this.low;
    DOUBLE_WORDS[1] = this.high;
    return DOUBLE[0];
  }

  /** Skips the field of an unknown tag. */
  skip(tag: number, end: number): void {
    switch (tag & 7) {
      case WIRE_VARINT:
        this.varint();
        break;
      case WIRE_64_BIT:
        this.position += 8;
        break;
      case WIRE_BYTES:
        this.position = this.delimited(end);
        break;
      case WIRE_32_BIT:
        this.position += 4;
        break;
      default:
        // Groups (3, 4) were never part of OTLP; 6 and 7 mean nothing.
        throw this.fail(`wire type ${tag & 7} of field ${tag >>> 3}, which OTLP does not use`);
    }
  }
}

const DOUBLE = new Float64Array(1);
const DOUBLE_WORDS = new Uint32Array(DOUBLE.buffer);
