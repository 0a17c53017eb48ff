import type { IncomingMessage } from 'node:http';
import { PrometheusError } from './prometheus-error.ts';

/** Bytes of a form: queries that tools make can be long. */
const maxFormBytes = 1024 * 1024;

/** A request's parameters: those of a form body first, then those of the URL. Bodies of other types have none. */
export async function readForm(request: IncomingMessage, search: string): Promise<URLSearchParams> {
  const parameters = new URLSearchParams();
  if (request.method === 'POST' && isForm(request.headers['content-type'])) {
    for (const [name, value] of new URLSearchParams(
      (await readBody(request, maxFormBytes, formTooLarge)).toString('utf8'),
    ))
      parameters.append(name, value);
  }
  for (const [name, value] of new URLSearchParams(search)) parameters.append(name, value);
  return parameters;
}

function isForm(contentType: string | undefined): boolean {
  return contentType?.split(';')[0]?.trim().toLowerCase() === 'application/x-www-form-urlencoded';
}

const formTooLarge = 'error parsing form values: http: request body too large';

/** Rejects with `bad_data` and `message` when the body is longer than `maxBytes`. */
export async function readBody(request: IncomingMessage, maxBytes: number, message: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBytes) throw new PrometheusError('bad_data', message);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
