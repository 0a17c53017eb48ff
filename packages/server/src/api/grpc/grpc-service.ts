import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { SignalboxError, toSignalboxError } from '../../pipeline/signalbox-error.ts';
import type { QueryContext } from '../../query/query-context.ts';
import type { Connection } from '../../store/connection.ts';
import type { MessageFields } from '../protobuf-fields.ts';
import type { QueryRegistry } from '../query-registry.ts';
import { GrpcAnswer } from './grpc-answer.ts';
import { readRequest } from './read-request.ts';

/** Answers one request message with a stream of messages; the next is asked for when the client has taken the one before. */
export type GrpcMethod = (request: MessageFields, context: QueryContext) => AsyncIterable<Uint8Array>;

/** A method whose answer is one message. */
export function oneMessage(answer: (request: MessageFields, context: QueryContext) => Promise<Uint8Array>): GrpcMethod {
  return async function* (request, context) {
    yield await answer(request, context);
  };
}

export interface GrpcServiceOptions {
  readonly connection: Connection;
  readonly registry: QueryRegistry;
  /** Milliseconds that one request may take. */
  readonly maxExecutionMs: number;
  /** Told of errors that are bugs (`internal`). */
  readonly onError: (error: unknown) => void;
}

/** Beyond the time of a request: for a client that takes nothing of its answer. */
const patienceMs = 10_000;

/**
 * Answers calls of gRPC over HTTP/2 (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md) by the paths of their methods. A
 * client that resets its stream cancels its query. Answers are not compressed.
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
  const { signal } = query.controller;
  const sent = new GrpcAnswer(stream);
  stream.on('close', () => query.controller.abort());
  stream.setTimeout(maxExecutionMs + patienceMs, () => stream.close(constants.NGHTTP2_CANCEL));
  try {
    const method = methods.get(path);
    if (method === undefined) throw new SignalboxError('unimplemented', `There is no method ${path} here`);
    const request = await readRequest(stream, String(headers['grpc-encoding'] ?? 'identity'));
    const deadlineMs = nowMs + Math.min(maxExecutionMs, timeoutOf(headers['grpc-timeout']) ?? maxExecutionMs);
    for await (const message of method(request, { connection, signal, deadlineMs, nowMs })) {
      await sent.send(message, signal);
      if (signal.aborted) throw new SignalboxError('cancelled', 'The query was cancelled');
    }
    sent.finish();
  } catch (error) {
    const known = toSignalboxError(error);
    if (known.code === 'internal') onError(error);
    sent.fail(known);
  } finally {
    query.finish();
  }
}

const timeoutUnits: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/** Milliseconds of `grpc-timeout`. */
function timeoutOf(header: string | string[] | undefined): number | undefined {
  const [, count = '', unit = ''] = /^(\d{1,8})([HMSmun])$/.exec(String(header ?? '')) ?? [];
  return count === '' ? undefined : Number(count) * (timeoutUnits[unit] ?? 1);
}
