import type { IncomingMessage, ServerResponse } from 'node:http';
import { HostCheck } from '../../page/host-check.ts';
import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import type { SilenceBook, SilenceEntry } from '../../query/silence-book.ts';
import { checkOrigin } from '../check-origin.ts';
import { readSilence } from './read-silence.ts';

export interface SilencesApiOptions {
  readonly silences: SilenceBook;
  /** Host names besides addresses and localhost under which it may be asked; see `HostCheck`. */
  readonly allowedHosts: readonly string[];
  /** Told of errors that are bugs, which the client is told nothing of. */
  readonly onError: (error: unknown) => void;
}

const MAX_BODY_BYTES = 64 * 1024;
const PATH = /^\/api\/v2\/(?:(silences)|silence\/([^/?]+))(?:\?(.*))?$/s;

/** What the client is told in place of an answer. */
class RequestError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * Silences in the form of Alertmanager's API (version 2), so that `amtool silence` and Grafana can list, add and end them:
 * `GET` and `POST /api/v2/silences`, `GET` and `DELETE /api/v2/silence/{id}`.
 *
 * @returns a handler that answers and resolves to true, or gives false at once for other paths; it never rejects
 */
export function createSilencesApi(
  options: SilencesApiOptions,
): (request: IncomingMessage, response: ServerResponse) => Promise<boolean> {
  const hosts = new HostCheck(options.allowedHosts);
  return async (request, response) => {
    const match = PATH.exec(request.url ?? '');
    if (match === null) return false;
    let status = 200;
    let body: unknown;
    try {
      checkOrigin(request, hosts);
      body = await answer(request, options.silences, match[2], match[3] ?? '');
    } catch (error) {
      if (error instanceof RequestError) status = error.status;
      else status = error instanceof SignalboxError ? 400 : 500;
      body = status === 500 ? 'internal error' : (error as Error).message;
      if (status === 500) options.onError(error);
    }
    const text = body === undefined ? '' : JSON.stringify(body);
    response.writeHead(status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    response.end(text);
    return true;
  };
}

async function answer(request: IncomingMessage, silences: SilenceBook, id: string | undefined, search: string) {
  const { method = '' } = request;
  const nowMs = Date.now();
  if (id === undefined && method === 'GET') {
    // A filter that was ignored would show silences as if they matched.
    if (new URLSearchParams(search).has('filter')) throw new RequestError(400, 'filter is not supported here');
    return silences.list().map((silence) => showSilence(silence, nowMs));
  }
  if (id === undefined && method === 'POST') {
    const silence = await readBody(request);
    try {
      return { silenceID: silences.set(readSilence(silence), nowMs) };
    } catch (error) {
      throw new RequestError(400, error instanceof Error ? error.message : String(error));
    }
  }
  if (id !== undefined && method === 'GET') {
    const found = silences.list().find((silence) => silence.id === id);
    if (found) return showSilence(found, nowMs);
    throw new RequestError(404, `there is no silence ${id}`);
  }
  if (id !== undefined && method === 'DELETE') {
    if (silences.expire(id, nowMs)) return undefined;
    throw new RequestError(404, `there is no silence ${id}`);
  }
  throw new RequestError(405, `${method} is not possible here`);
}

/** A JSON body. Other types are refused: a form of another site could send those. */
async function readBody(request: IncomingMessage): Promise<unknown> {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') throw new RequestError(415, 'expected a body of type application/json');
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) throw new RequestError(413, `the body is larger than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new RequestError(400, 'the body is no JSON');
  }
}

function showSilence(silence: SilenceEntry, nowMs: number): object {
  const state = silence.endsAt <= nowMs ? 'expired' : silence.startsAt > nowMs ? 'pending' : 'active';
  return {
    id: silence.id,
    status: { state },
    updatedAt: new Date(silence.updatedAt).toISOString(),
    startsAt: new Date(silence.startsAt).toISOString(),
    endsAt: new Date(silence.endsAt).toISOString(),
    createdBy: silence.createdBy,
    comment: silence.comment,
    matchers: silence.matchers.map(({ name, value, isRegex, isEqual }) => ({ name, value, isRegex, isEqual })),
  };
}
