import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { GrpcStatus, SignalboxError, toSignalboxError } from '../../pipeline/signalbox-error.ts';
import type { QueryContext } from '../../query/query-context.ts';
import type { Connection } from '../../store/connection.ts';
import { type MessageFields, readMessage } from '../protobuf-fields.ts';
import type { QueryRegistry } from '../query-registry.ts';

/** Answers one request message with a stream of messages. */
export type GrpcMethod = (request: MessageFields, context: QueryContext) => Promise<readonly Uint8Array[]>;

export interface GrpcServiceOptions {
  readonly connection: Connection;
  readonly registry: QueryRegistry;
  /** Milliseconds that one request may take. */
  readonly maxExecutionMs: number;
  /** Told of errors that are bugs (`internal`). */
  readonly onError: (error: unknown) => void;
}

/** A message begins with a flag (1: compressed) and its length, big-endian. */
const prefixBytes = 5;
const maxRequestBytes = 1 << 20;
const maxMessageBytes = 2_048;

/**
 * Answers calls of gRPC over HTTP/2 (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md) by the paths of their methods. A
 * client that resets its stream cancels its query. Messages are not compressed.
 */
export function createGrpcService(
  methods: ReadonlyMap<string, GrpcMethod>,
  options: GrpcServiceOptions,
): (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void {
  return (stream, headers) => {
    if (!(headers['content-type'] ?? '').startsWith('application/grpc')) {
      stream.respond({ ':status': 415 }, { endStream: true });
      return;
    }
    void answer(stream, headers, methods, options);
  };
}

/** Never rejects. */
async function answer(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  methods: ReadonlyMap<string, GrpcMethod>,
  { connection, registry, maxExecutionMs, onError }: GrpcServiceOptions,
): Promise<void> {
  const path = String(headers[':path'] ?? '');
  const nowMs = Date.now();
  const query = registry.start(path, nowMs);
  stream.on('close', () => query.controller.abort());
  try {
    const method = methods.get(path);
    if (method === undefined) throw new SignalboxError('unimplemented', `There is no method ${path} here`);
    const request = await readRequest(stream);
    const deadlineMs = nowMs + Math.min(maxExecutionMs, timeoutOf(headers['grpc-timeout']) ?? maxExecutionMs);
    const messages = await method(request, { connection, signal: query.controller.signal, deadlineMs, nowMs });
    if (stream.closed || stream.destroyed) return;
    respond(stream, String(GrpcStatus.Ok), '', messages);
  } catch (error) {
    const known = toSignalboxError(error);
    if (known.code === 'internal') onError(error);
    if (!stream.closed && !stream.destroyed) respond(stream, String(known.grpcStatus), known.message, []);
  } finally {
    query.finish();
  }
}

function respond(stream: ServerHttp2Stream, status: string, message: string, messages: readonly Uint8Array[]): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc+proto' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => {
    stream.sendTrailers({
      'grpc-status': status,
      ...(message === '' ? {} : { 'grpc-message': percentEncoded(message) }),
    });
  });
  for (const bytes of messages) {
    const prefix = Buffer.alloc(prefixBytes);
    prefix.writeUInt32BE(bytes.length, 1);
    stream.write(Buffer.concat([prefix, bytes]));
  }
  stream.end();
}

async function readRequest(stream: ServerHttp2Stream): Promise<MessageFields> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxRequestBytes) {
      throw new SignalboxError('too_large', `The request is larger than ${maxRequestBytes} bytes`);
    }
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  if (bytes.length < prefixBytes || bytes.readUInt32BE(1) !== bytes.length - prefixBytes) {
    throw new SignalboxError('invalid_argument', 'The request is not one whole message');
  }
  if (bytes[0] !== 0) throw new SignalboxError('unimplemented', 'Compressed messages are not read here');
  try {
    return readMessage(bytes.subarray(prefixBytes));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new SignalboxError('invalid_argument', error.message, { cause: error });
  }
}

const timeoutUnits: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/** Milliseconds of `grpc-timeout`. */
function timeoutOf(header: string | string[] | undefined): number | undefined {
  const [, count = '', unit = ''] = /^(\d{1,8})([HMSmun])$/.exec(String(header ?? '')) ?? [];
  return count === '' ? undefined : Number(count) * (timeoutUnits[unit] ?? 1);
}

/** All bytes but printable ASCII without `%`. */
function percentEncoded(message: string): string {
  return Array.from(Buffer.from(message).subarray(0, maxMessageBytes), (byte) =>
    byte >= 0x20 && byte <= 0x7e && byte !== 0x25
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
  ).join('');
}
