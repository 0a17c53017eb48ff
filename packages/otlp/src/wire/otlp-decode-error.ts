/** Bytes are not the OTLP message they should be. The message is for the sender and says where the trouble is. */
export class OtlpDecodeError extends Error {
  /** Byte of the body (after decompression) where decoding stopped. */
  readonly position: number;
  /** What is wrong, without place and protocol. */
  readonly what: string;

  constructor(encoding: 'protobuf' | 'JSON', what: string, position: number, options?: ErrorOptions) {
    super(`Invalid OTLP/${encoding}: ${what} at byte ${position}`, options);
    this.name = 'OtlpDecodeError';
    this.position = position;
    this.what = what;
  }
}
