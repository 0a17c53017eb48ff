/** Protobuf wire format into one growing buffer; nested messages are written in place and their length put before them. */
export class ProtobufWriter {
  #bytes: Buffer;
  length = 0;
  readonly #marks: readonly number[][];

  /** @param marks lists of places in what is written, which follow it when it is moved */
  constructor(marks: readonly number[][] = [], capacity = 1 << 20) {
    this.#marks = marks;
    this.#bytes = Buffer.allocUnsafe(capacity);
  }

  /** A copy of what was written. */
  finish(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.length));
  }

  tag(field: number, wireType: number): void {
    this.varint((field << 3) | wireType);
  }

  varint(value: number): void {
    this.#reserve(10);
    let rest = value;
    while (rest > 127) {
      this.#bytes[this.length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.length++] = rest;
  }

  fixed32(value: number): void {
    this.#reserve(4);
    this.length = this.#bytes.writeUInt32LE(value, this.length);
  }

  fixed64(value: bigint): void {
    this.#reserve(8);
    this.length = this.#bytes.writeBigUInt64LE(value, this.length);
  }

  double(value: number): void {
    this.#reserve(8);
    this.length = this.#bytes.writeDoubleLE(value, this.length);
  }

  string(field: number, value: string): void {
    if (value === '') return;
    this.tag(field, 2);
    const length = Buffer.byteLength(value);
    this.varint(length);
    this.#reserve(length);
    this.length += this.#bytes.write(value, this.length);
  }

  /** Bytes given as hexadecimal; returns where they start. */
  hex(field: number, value: string): number {
    this.tag(field, 2);
    this.varint(value.length / 2);
    this.#reserve(value.length / 2);
    const at = this.length;
    this.length += this.#bytes.write(value, this.length, 'hex');
    return at;
  }

  /** Lengths have as many bytes as they need, as every exporter writes them: what was written is moved for those of 128 and more. */
  message(field: number, write: () => void): void {
    this.tag(field, 2);
    const at = this.length;
    this.varint(0);
    write();
    const end = this.length;
    const length = end - at - 1;
    const shift = varintBytes(length) - 1;
    if (shift > 0) {
      this.#reserve(shift);
      this.#bytes.copyWithin(at + 1 + shift, at + 1, end);
      for (const marks of this.#marks)
        for (let i = marks.length - 1; i >= 0 && (marks[i] ?? 0) > at; i--) marks[i] = (marks[i] ?? 0) + shift;
    }
    this.length = at;
    this.varint(length);
    this.length = end + shift;
  }

  #reserve(count: number): void {
    if (this.length + count <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.length + count));
    this.#bytes.copy(grown, 0, 0, this.length);
    this.#bytes = grown;
  }
}

function varintBytes(value: number): number {
  return Math.max(1, Math.ceil((32 - Math.clz32(value)) / 7));
}
