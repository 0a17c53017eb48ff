import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGzip } from 'node:zlib';
import { Turns } from '../../query/turns.ts';
import {
  type BytesAnswer,
  JsonPieces,
  type PrometheusAnswer,
  type StreamAnswer,
  type TextAnswer,
} from './prometheus-route.ts';

const contentType = 'application/json';

/** Characters or bytes that are gathered before they are written. */
const chunkLength = 64 * 1024;

export interface SendOptions {
  /** Ends an answer on its way. */
  readonly signal: AbortSignal;
  /** Milliseconds after which a client that has taken nothing of its answer is left, with what is held for it. */
  readonly patienceMs: number;
}

/**
 * Writes a success. A large one is written piece by piece, as fast as the client reads, and compressed where the client takes
 * that. Rejects when the client goes away meanwhile, or `signal` aborts.
 */
export async function sendAnswer(
  request: IncomingMessage,
  response: ServerResponse,
  answer: PrometheusAnswer | BytesAnswer | TextAnswer | StreamAnswer,
  { signal, patienceMs }: SendOptions,
): Promise<void> {
  // Nobody listens: then Node closes the connection itself. Behind the answer, its own time between requests counts again.
  response.setTimeout(patienceMs);
  if ('bytes' in answer) {
    response.writeHead(200, { ...answer.headers, 'content-length': answer.bytes.length }).end(answer.bytes);
    return;
  }
  const isPlain = !('data' in answer);
  const chunks = chunksOf(answer);
  const first = await chunks.next();
  const second = await chunks.next();
  for (const [name, value] of Object.entries(isPlain ? answer.headers : { 'content-type': contentType })) {
    response.setHeader(name, value);
  }
  if (first.done || second.done) {
    const body = Buffer.from(first.done ? '' : first.value);
    response.writeHead(200, { 'content-length': body.length });
    response.end(body);
    return;
  }
  const body = Readable.from(
    (async function* () {
      try {
        yield first.value;
        yield second.value;
        const turns = new Turns();
        for await (const chunk of chunks) {
          yield chunk;
          // A client that reads as fast as we write would let nobody else have one.
          if (turns.isOver) await turns.next();
        }
      } finally {
        await chunks.return();
      }
    })(),
    { objectMode: false },
  );
  const isPacked = 'stream' in answer && answer.isPacked;
  if (!isPacked && /\bgzip\b/.test(request.headers['accept-encoding'] ?? '')) {
    response.writeHead(200, { 'content-encoding': 'gzip' });
    await pipeline(body, createGzip({ level: constants.Z_BEST_SPEED }), response, { signal });
  } else {
    response.writeHead(200);
    await pipeline(body, response, { signal });
  }
}

export function sendJson(response: ServerResponse, status: number, value: object): void {
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(status, { 'content-type': contentType, 'content-length': body.length });
  response.end(body);
}

function* envelope({ data, warnings = [], infos = [] }: PrometheusAnswer): Iterable<string> {
  yield '{"status":"success","data":';
  if (data instanceof JsonPieces) yield* data.pieces;
  else yield JSON.stringify(data);
  if (warnings.length > 0) yield `,"warnings":${JSON.stringify(warnings)}`;
  if (infos.length > 0) yield `,"infos":${JSON.stringify(infos)}`;
  yield '}';
}

async function* chunksOf(
  answer: PrometheusAnswer | TextAnswer | StreamAnswer,
): AsyncGenerator<string | Uint8Array, void> {
  if ('stream' in answer) yield* joinedBytes(answer.stream);
  else yield* joined('pieces' in answer ? answer.pieces : envelope(answer));
}

function* joined(pieces: Iterable<string>): Generator<string, void> {
  let text = '';
  for (const piece of pieces) {
    text += piece;
    if (text.length < chunkLength) continue;
    yield text;
    text = '';
  }
  if (text !== '') yield text;
}

async function* joinedBytes(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  let held: Uint8Array[] = [];
  let length = 0;
  for await (const piece of stream) {
    held.push(piece);
    length += piece.length;
    if (length < chunkLength) continue;
    yield Buffer.concat(held, length);
    held = [];
    length = 0;
  }
  if (length > 0) yield Buffer.concat(held, length);
}
