import { OtlpDecodeError } from '@signalbox/otlp';
import { BatchTooLargeError } from '@signalbox/records';

/** Bytes are not what the protocol says they should be. The message is for the sender. */
export class ProtocolDecodeError extends Error {
  /** The request asks for more than is allowed, rather than being malformed. */
  readonly tooLarge: boolean;

  constructor(message: string, options: ErrorOptions & { readonly tooLarge?: boolean } = {}) {
    super(message, options);
    this.name = 'ProtocolDecodeError';
    this.tooLarge = options.tooLarge === true;
  }
}

/** Runs a decoder; what its parts throw about the bytes becomes a ProtocolDecodeError that names `what` was read. */
export function decoding<Decoded>(what: string, decode: () => Decoded): Decoded {
  try {
    return decode();
  } catch (error) {
    if (error instanceof OtlpDecodeError) {
      throw new ProtocolDecodeError(`${what}: ${error.what} at byte ${error.position}`, { cause: error });
    }
    if (error instanceof BatchTooLargeError) {
      throw new ProtocolDecodeError(`${what}: ${error.message}`, { cause: error, tooLarge: true });
    }
    throw error;
  }
}
