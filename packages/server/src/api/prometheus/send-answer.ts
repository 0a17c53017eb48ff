import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGzip } from 'node:zlib';
import { type BytesAnswer, JsonPieces, type PrometheusAnswer, type TextAnswer } from './prometheus-route.ts';

const contentType = 'application/json';

/** Characters that are gathered before they are written. */
const chunkLength = 64 * 1024;

/**
 * Writes a success. A large one is written piece by piece, as fast as the client reads, and compressed where the client takes
 * that. Rejects when the client goes away meanwhile.
 */
export async function sendAnswer(
  request: IncomingMessage,
  response: ServerResponse,
  answer: PrometheusAnswer | BytesAnswer | TextAnswer,
): Promise<void> {
  if ('bytes' in answer) {
    response.writeHead(200, { ...answer.headers, 'content-length': answer.bytes.length }).end(answer.bytes);
    return;
  }
  const isText = 'pieces' in answer;
  const chunks = joined(isText ? answer.pieces : envelope(answer));
  const first = chunks.next();
  const second = chunks.next();
  for (const [name, value] of Object.entries(isText ? answer.headers : { 'content-type': contentType })) {
    response.setHeader(name, value);
  }
  if (first.done || second.done || request.method === 'HEAD') {
    const body = Buffer.from(first.done ? '' : first.value);
    response.writeHead(200, { 'content-length': body.length });
    response.end(body);
    return;
  }
  const body = Readable.from(
    (function* () {
      yield first.value;
      yield second.value;
      yield* chunks;
    })(),
    { objectMode: false },
  );
  if (/\bgzip\b/.test(request.headers['accept-encoding'] ?? '')) {
    response.writeHead(200, { 'content-encoding': 'gzip' });
    await pipeline(body, createGzip({ level: constants.Z_BEST_SPEED }), response);
  } else {
    response.writeHead(200);
    await pipeline(body, response);
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
