import { AttributeType } from './attribute-type.ts';

/** Bytes that were checked when they were decoded turn out not to be an `AnyValue`: a bug of ours. */
export class CorruptAnyValueError extends Error {
  constructor(position: number) {
    super(`not a protobuf AnyValue at byte ${position}`);
    this.name = 'CorruptAnyValueError';
  }
}

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
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Reads the value at `start` to `end`; the last field of the oneof wins. Bool: `int` is 0n or 1n. */
  read(start: number, end: number): void {
    this.type = AttributeType.Empty;
    this.#fields(start, end, (field, wire, from, to) => {
      const type = wire === WIRE_TYPES[field] ? (TYPES[field] ?? AttributeType.Empty) : AttributeType.Empty;
      if (type === AttributeType.Empty) {
        return;
      }
      this.type = type;
      if (type === AttributeType.Bool || type === AttributeType.Int) {
        const int = this.#varint(from);
        this.int = type === AttributeType.Int ? BigInt.asIntN(64, int) : int === 0n ? 0n : 1n;
      } else if (type === AttributeType.Double) {
        this.double = this.#view.getFloat64(from, true);
      } else {
        this.start = from;
        this.end = to;
      }
    });
  }

  /** Calls with the place of each `AnyValue` of the array whose message is at `start` to `end`. */
  elements(start: number, end: number, each: (start: number, end: number) => void): void {
    this.#fields(start, end, (field, wire, from, to) => {
      if (field === 1 && wire === WIRE_BYTES) {
        each(from, to);
      }
    });
  }

  /** Calls with the place of key and value of each entry of the list whose message is at `start` to `end`. */
  entries(
    start: number,
    end: number,
    each: (keyStart: number, keyEnd: number, valueStart: number, valueEnd: number) => void,
  ): void {
    this.elements(start, end, (entryStart, entryEnd) => {
      const place = [0, 0, 0, 0] as [number, number, number, number];
      this.#fields(entryStart, entryEnd, (field, wire, from, to) => {
        if ((field === 1 || field === 2) && wire === WIRE_BYTES) {
          place[field * 2 - 2] = from;
          place[field * 2 - 1] = to;
        }
      });
      each(...place);
    });
  }

  #fields(start: number, end: number, each: (field: number, wire: number, start: number, end: number) => void): void {
    let position = start;
    while (position < end) {
      const tag = Number(this.#varint(position));
      const from = this.#position;
      const wire = tag & 7;
      let to = from;
      let content = from;
      if (wire === 0) {
        this.#varint(from);
        to = this.#position;
      } else if (wire === WIRE_64_BIT) {
        to = from + 8;
      } else if (wire === WIRE_BYTES) {
        const length = Number(this.#varint(from));
        content = this.#position;
        to = content + length;
      } else if (wire === WIRE_32_BIT) {
        to = from + 4;
      } else {
        throw new CorruptAnyValueError(position);
      }
      if (to > end) {
        throw new CorruptAnyValueError(position);
      }
      each(tag >>> 3, wire, content, to);
      position = to;
    }
  }

  #varint(start: number): bigint {
    let value = 0n;
    let position = start;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[position++];
      if (byte === undefined) {
        break;
      }
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) {
        this.#position = position;
        return BigInt.asUintN(64, value);
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
