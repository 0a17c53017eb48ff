import type { IncomingMessage } from 'node:http';
import { quoteGo } from '@signalbox/query-language';
import { SignalboxError } from '../pipeline/signalbox-error.ts';

/** Bytes of a form: queries that tools make can be long. */
const maxFormBytes = 1024 * 1024;

export interface Form {
  readonly parameters: URLSearchParams;
  /** What Go says of the first pair that can't be read, and is left out; undefined: all can. */
  readonly mistake: string | undefined;
}

/**
 * A request's parameters, read as Go does: those of a form body first, then those of the URL, then those of a body in parts. Bodies of
 * other types have none. Rejects with `invalid_argument` when the body is too long.
 *
 * @param takesParts whether there may be a body in parts (multipart/form-data)
 */
export async function readForm(request: IncomingMessage, search: string, takesParts: boolean): Promise<Form> {
  const parameters = new URLSearchParams();
  const type = request.method === 'POST' ? mediaType(request.headers['content-type']) : undefined;
  let ofBody: string | undefined;
  if (type === 'application/x-www-form-urlencoded') {
    const body = await readBody(request, maxFormBytes, formTooLarge);
    ofBody = addPairs(parameters, body.toString('utf8'));
  }
  const ofSearch = addPairs(parameters, search);
  if (takesParts && type === 'multipart/form-data') await addParts(parameters, request);
  return { parameters, mistake: ofBody ?? ofSearch };
}

function mediaType(contentType: string | undefined): string | undefined {
  return contentType?.split(';')[0]?.trim().toLowerCase();
}

/** Adds what can be read. @returns what Go says of the first pair that can't */
function addPairs(parameters: URLSearchParams, text: string): string | undefined {
  let mistake: string | undefined;
  for (const pair of text.split('&')) {
    const [percent] = /%(?![0-9a-fA-F]{2}).{0,2}/s.exec(pair) ?? [];
    if (pair.includes(';')) mistake ??= 'invalid semicolon separator in query';
    else if (percent !== undefined) mistake ??= `invalid URL escape ${quoteGo(percent)}`;
    // A question mark at its begin would be left out.
    else for (const [name, value] of new URLSearchParams(`?${pair}`)) parameters.append(name, value);
  }
  return mistake;
}

/** The texts of a body of type multipart/form-data; none when it is no such body. */
async function addParts(parameters: URLSearchParams, request: IncomingMessage): Promise<void> {
  const body = await readBody(request, maxFormBytes, formTooLarge);
  const headers = { 'content-type': request.headers['content-type'] ?? '' };
  let form: FormData;
  try {
    form = await new Response(new Uint8Array(body), { headers }).formData();
  } catch {
    // As in Go, what is wrong with a body in parts is not told.
    return;
  }
  for (const [name, value] of form.entries()) if (typeof value === 'string') parameters.append(name, value);
}

const formTooLarge = 'error parsing form values: http: request body too large';

/** Rejects with `invalid_argument` and `message` when the body is longer than `maxBytes`. */
export async function readBody(request: IncomingMessage, maxBytes: number, message: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBytes) throw new SignalboxError('invalid_argument', message);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
