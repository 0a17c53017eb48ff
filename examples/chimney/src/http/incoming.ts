import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { RequestError } from './request-error.ts';

const maxUrlLength = 2048;
const maxBodyBytes = 64 * 1024;

/** What the routes see of a request. `path` is as it was sent: not decoded, and with every `..` still in it. */
export interface Incoming {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  /** The body as JSON. Throws RequestError 413 above 64 KB and 400 for what is no JSON. */
  json(): Promise<unknown>;
}

/** Throws RequestError 414 or 400 for a target that no route could have. */
export function readIncoming(request: IncomingMessage): Incoming {
  const target = request.url ?? '/';
  if (target.length > maxUrlLength)
    throw new RequestError(414, `The address is longer than ${maxUrlLength} characters.`);
  if (!target.startsWith('/')) throw new RequestError(400, 'The request target must be a path.');
  const question = target.indexOf('?');
  return {
    method: request.method ?? 'GET',
    path: question === -1 ? target : target.slice(0, question),
    query: new URLSearchParams(question === -1 ? '' : target.slice(question + 1)),
    headers: request.headers,
    json: () => readJson(request),
  };
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Not destroyed when it is left early: the refusal could not be written any more.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBodyBytes) throw new RequestError(413, `The body is larger than ${maxBodyBytes} bytes.`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new RequestError(400, 'The body is not JSON.');
  }
}
