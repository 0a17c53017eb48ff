import type { IncomingMessage } from 'node:http';
import { quoteGo } from '@signalbox/query-language';
import { SignalboxError } from '../pipeline/signalbox-error.ts';

/** Bytes of a form: queries that tools make can be long. */
const maxFormBytes = 1024 * 1024;

/** Of one text, as in Go: with more of them none is read. */
const maxPairs = 10_000;
const maxParts = 1_000;

/** Bodies that are read for parameters; others stay for whoever else reads them. */
export type FormBody = 'none' | 'pairs' | 'pairs or parts';

export interface Form {
  readonly parameters: URLSearchParams;
  /** What Go says of a pair that can't be read, and is left out; undefined: all can. */
  readonly mistake: string | undefined;
}

/**
 * A request's parameters, read as Go does: those of a form body first, then those of the URL, then those of a body in parts, which has to
 * be as clients commonly write one: lines end in CRLF, names are quoted, nothing stands before the first part or behind the last. Bodies of
 * other types have none. Rejects with `invalid_argument` when the body is too long.
 */
export async function readForm(request: IncomingMessage, search: string, takes: FormBody): Promise<Form> {
  const parameters = new URLSearchParams();
  const type = request.method === 'POST' && takes !== 'none' ? mediaType(request.headers['content-type']) : undefined;
  let ofBody: string | undefined;
  if (type === 'application/x-www-form-urlencoded') {
    const body = await readBody(request, maxFormBytes, formTooLarge);
    ofBody = addPairs(parameters, body.toString('utf8'));
  }
  const ofSearch = addPairs(parameters, search);
  if (takes === 'pairs or parts' && type === 'multipart/form-data') await addParts(parameters, request);
  return { parameters, mistake: ofBody ?? ofSearch };
}

function mediaType(contentType: string | undefined): string | undefined {
  return contentType?.split(';')[0]?.trim().toLowerCase();
}

/** Adds what can be read. @returns what Go says of what can't: of the last `;`, or of the first escape */
function addPairs(parameters: URLSearchParams, text: string): string | undefined {
  const pairs = text.split('&', maxPairs + 1);
  if (pairs.length > maxPairs) return 'number of URL query parameters exceeded limit';
  let mistake: string | undefined;
  for (const pair of pairs) {
    if (pair === '') continue;
    const percent = wrongEscape(pair);
    if (pair.includes(';')) mistake = 'invalid semicolon separator in query';
    else if (percent !== undefined) mistake ??= `invalid URL escape ${quoteGo(percent)}`;
    // A question mark at its begin would be left out.
    else for (const [name, value] of new URLSearchParams(`?${pair}`)) parameters.append(name, value);
  }
  return mistake;
}

/** Of the name, or of the value behind the first `=`. */
function wrongEscape(pair: string): string | undefined {
  const [, name = '', value = ''] = /^([^=]*)=?(.*)$/s.exec(pair) ?? [];
  const pattern = /%(?![0-9a-fA-F]{2}).{0,2}/s;
  return (pattern.exec(name) ?? pattern.exec(value))?.[0];
}

/** The texts of a body of type multipart/form-data; none when it is no such body. */
async function addParts(parameters: URLSearchParams, request: IncomingMessage): Promise<void> {
  const body = await readBody(request, maxFormBytes, formTooLarge);
  const [, quoted, plain] =
    /;\s*boundary=(?:"([^"\\]+)"|([^\s;"]+))/i.exec(request.headers['content-type'] ?? '') ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined || countParts(body, boundary) > maxParts) return;
  const headers = { 'content-type': `multipart/form-data; boundary="${boundary}"` };
  let form: FormData;
  try {
    form = await new Response(new Uint8Array(body), { headers }).formData();
  } catch {
    // As in Go, what is wrong with a body in parts is not told.
    return;
  }
  for (const [name, value] of form.entries()) if (typeof value === 'string') parameters.append(name, value);
}

/** The lines that begin a part; no further than one more than there may be. */
function countParts(body: Buffer, boundary: string): number {
  const line = `--${boundary}\r\n`;
  let count = 0;
  for (let at = body.indexOf(line); at >= 0 && count <= maxParts; at = body.indexOf(line, at + line.length)) count++;
  return count;
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
