import type { ServerHttp2Stream } from 'node:http2';
import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';
import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import { type MessageFields, readMessage } from '../protobuf-fields.ts';

/** A message begins with a flag (1: compressed) and its length, big-endian. */
export const prefixBytes = 5;
const maxRequestBytes = 1 << 20;

/** gRPC's names of codings; `deflate` is zlib's format as in HTTP. */
const decompressors = new Map([
  ['gzip', promisify(gunzip)],
  ['deflate', promisify(inflate)],
]);

/** For `grpc-accept-encoding`: what requests may be compressed with. */
export const ACCEPTED_ENCODINGS = ['identity', ...decompressors.keys()].join(',');

/** Reads the one message of a request. @param encoding `grpc-encoding` of the request */
export async function readRequest(stream: ServerHttp2Stream, encoding: string): Promise<MessageFields> {
  const chunks: Buffer[] = [];
  let length = 0;
  // The answer is sent on the same stream, also to a request that is too large.
  for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxRequestBytes) throw tooLarge();
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  if (bytes.length < prefixBytes || bytes.readUInt32BE(1) !== bytes.length - prefixBytes) {
    throw new SignalboxError('invalid_argument', 'The request is not one whole message');
  }
  const message = bytes.subarray(prefixBytes);
  return readMessage(bytes[0] === 0 ? message : await decompressed(message, encoding));
}

async function decompressed(message: Uint8Array, encoding: string): Promise<Uint8Array> {
  const decompress = decompressors.get(encoding);
  if (decompress === undefined) {
    throw new SignalboxError('unimplemented', `Unsupported grpc-encoding, supported: ${ACCEPTED_ENCODINGS}`);
  }
  try {
    return await decompress(message, { maxOutputLength: maxRequestBytes });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge();
    throw new SignalboxError('invalid_argument', `The message is not what ${encoding} makes`, { cause: error });
  }
}

function tooLarge(): SignalboxError {
  return new SignalboxError('too_large', `The request is larger than ${maxRequestBytes} bytes`);
}
