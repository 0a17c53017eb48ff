/** Protobuf wire format into one growing buffer; nested messages are written in place and their length put before them. */
export class ProtobufWriter {
  #bytes: Buffer;
  length = 0;

  constructor(capacity = 1 << 20) {
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

  /** The length takes four bytes whatever it is: a padded varint, as the format allows. */
  message(field: number, write: () => void): void {
    this.tag(field, 2);
    this.#reserve(4);
    const at = this.length;
    this.length += 4;
    write();
    const length = this.length - at - 4;
    for (let i = 0; i < 4; i++) this.#bytes[at + i] = ((length >>> (7 * i)) & 127) | (i < 3 ? 128 : 0);
  }

  #reserve(count: number): void {
    if (this.length + count <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.length + count));
    this.#bytes.copy(grown, 0, 0, this.length);
    this.#bytes = grown;
  }
}
