import { AttributeType } from './attribute-type.ts';

/** Bytes that were checked when they were decoded turn out not to be an `AnyValue`: a bug of ours. */
class CorruptAnyValueError extends Error {
  constructor(position: number) {
    super(`not a protobuf AnyValue at byte ${position}`);
    this.name = 'CorruptAnyValueError';
  }
}

const WIRE_VARINT = 0;
const WIRE_64_BIT = 1;
const WIRE_BYTES = 2;
const WIRE_32_BIT = 5;

/**
 * Reads `AnyValue`s in protobuf encoding (common.proto) as slices of Array and KeyValueList values hold them.
 * `read` finds type and place of one value; `children` finds the values of a list within that place.
 */
export class AnyValueReader {
  type: AttributeType = AttributeType.Empty;
  /** String and Bytes: the raw bytes. Array and KeyValueList: the list's message. */
  start = 0;
  end = 0;
  int = 0n;
  double = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  /** The field that `#next` has read: number, wire type, place of its content (a varint: of its bytes). */
  #field = 0;
  #wire = 0;
  #from = 0;
  #to = 0;
  /** Words of the last varint, and where the bytes after it start. */
  #low = 0;
  #high = 0;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Reads the value at `start` to `end`; the last field of the oneof wins. Bool: `int` is 0n or 1n. */
  read(start: number, end: number): void {
    this.type = AttributeType.Empty;
    for (let position = start; position < end; position = this.#to) {
      this.#next(position, end);
      const type = this.#wire === WIRE_TYPES[this.#field] ? (TYPES[this.#field] ?? AttributeType.Empty) : null;
      switch (type) {
        case null:
        case AttributeType.Empty:
          continue;
        case AttributeType.Bool:
          this.int = this.#low === 0 && this.#high === 0 ? 0n : 1n;
          break;
        case AttributeType.Int:
          this.int = BigInt.asIntN(64, (BigInt(this.#high) << 32n) | BigInt(this.#low));
          break;
        case AttributeType.Double:
          this.double = this.#view.getFloat64(this.#from, true);
          break;
        default:
          this.start = this.#from;
          this.end = this.#to;
      }
      this.type = type;
    }
  }

  /** Calls with the place of each `AnyValue` of the array whose message is at `start` to `end`. `each` may use the reader. */
  elements(start: number, end: number, each: (start: number, end: number) => void): void {
    for (let position = start; position < end; ) {
      this.#next(position, end);
      position = this.#to;
      if (this.#field === 1 && this.#wire === WIRE_BYTES) {
        each(this.#from, this.#to);
      }
    }
  }

  /** Calls with the place of key and value of each entry of the list whose message is at `start` to `end`. `each` may use the reader. */
  entries(
    start: number,
    end: number,
    each: (keyStart: number, keyEnd: number, valueStart: number, valueEnd: number) => void,
  ): void {
    this.elements(start, end, (entryStart, entryEnd) => {
      let keyStart = 0;
      let keyEnd = 0;
      let valueStart = 0;
      let valueEnd = 0;
      for (let position = entryStart; position < entryEnd; position = this.#to) {
        this.#next(position, entryEnd);
        if (this.#wire !== WIRE_BYTES) {
          continue;
        }
        if (this.#field === 1) {
          keyStart = this.#from;
          keyEnd = this.#to;
        } else if (this.#field === 2) {
          valueStart = this.#from;
          valueEnd = this.#to;
        }
      }
      each(keyStart, keyEnd, valueStart, valueEnd);
    });
  }

  /** Reads the field at `start` of a message that ends at `end`. */
  #next(start: number, end: number): void {
    this.#varint(start);
    const tag = this.#low;
    const wire = tag & 7;
    let from = this.#position;
    let to = from;
    if (wire === WIRE_VARINT) {
      this.#varint(from);
      to = this.#position;
    } else if (wire === WIRE_64_BIT) {
      to = from + 8;
    } else if (wire === WIRE_BYTES) {
      this.#varint(from);
      from = this.#position;
      to = this.#high === 0 ? from + this.#low : Number.POSITIVE_INFINITY;
    } else if (wire === WIRE_32_BIT) {
      to = from + 4;
    } else {
      throw new CorruptAnyValueError(start);
    }
    if (to > end) {
      throw new CorruptAnyValueError(start);
    }
    this.#field = tag >>> 3;
    this.#wire = wire;
    this.#from = from;
    this.#to = to;
  }

  #varint(start: number): void {
    let position = start;
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#bytes[position++];
      if (byte === undefined) {
        break;
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
        this.#low = low >>> 0;
        this.#high = high >>> 0;
        this.#position = position;
        return;
      }
    }
    throw new CorruptAnyValueError(start);
  }
}

/** By the field numbers of `AnyValue`. */
const TYPES: readonly AttributeType[] = [
  AttributeType.Empty,
  AttributeType.String,
  AttributeType.Bool,
  AttributeType.Int,
  AttributeType.Double,
  AttributeType.Array,
  AttributeType.KeyValueList,
  AttributeType.Bytes,
];
const WIRE_TYPES: readonly number[] = [-1, 2, 0, 0, 1, 2, 2, 2];
