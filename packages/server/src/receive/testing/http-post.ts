import { type Agent, type IncomingHttpHeaders, request } from 'node:http';
import type { Socket } from 'node:net';

export interface HttpAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** Whether `100 Continue` came before the answer. */
  continued: boolean;
}

export interface HttpPost {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: Uint8Array | string;
  readonly agent?: Agent;
}

/** One request as an ordinary client makes it; with `Expect: 100-continue` the body waits for the answer. */
export function httpPost(
  url: string,
  { method = 'POST', headers = {}, body = '', agent }: HttpPost = {},
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const length =
      method === 'GET' || 'Transfer-Encoding' in headers ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
    const outgoing = request(url, {
      method,
      headers: { ...length, ...headers },
      ...(agent === undefined ? {} : { agent }),
    });
    let continued = false;
    outgoing.on('error', reject);
    outgoing.on('response', async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) {
        chunks.push(chunk as Buffer);
      }
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks), continued });
    });
    if ('Expect' in headers) {
      outgoing.flushHeaders();
      outgoing.on('continue', () => {
        continued = true;
        outgoing.end(body);
      });
    } else {
      outgoing.end(body);
    }
  });
}

/** Everything that comes over `socket` until the other side ends it. */
export async function readAll(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise((resolve) => socket.once('close', resolve));
  return Buffer.concat(chunks).toString();
}
