/** Writes small protobuf messages: what Signalbox answers with. Fields are written in the order of the calls. */
export class ProtobufWriter {
  readonly #bytes: number[] = [];

  /** An int32, int64 or enum that is not negative; proto3 leaves out zero. */
  number(field: number, value: number): this {
    if (value !== 0) {
      this.#varint(field * 8);
      this.#varint(value);
    }
    return this;
  }

  text(field: number, value: string): this {
    return value === '' ? this : this.message(field, new TextEncoder().encode(value));
  }

  message(field: number, content: Uint8Array): this {
    this.#varint(field * 8 + 2);
    this.#varint(content.length);
    for (const byte of content) {
      this.#bytes.push(byte);
    }
    return this;
  }

  finish(): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(this.#bytes);
  }

  #varint(value: number): void {
    let rest = value;
    while (rest > 127) {
      this.#bytes.push((rest % 128) + 128);
      rest = Math.floor(rest / 128);
    }
    this.#bytes.push(rest);
  }
}
