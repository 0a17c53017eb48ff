import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestHandler } from '../page/page-server.ts';
import { toSignalboxError } from '../pipeline/signalbox-error.ts';

export const backupPath = '/-/backup';
export const tokenHeader = 'x-signalbox-token';

const maxBodyBytes = 16_384;

/**
 * `POST /-/backup` with `{ "to": path }`: lets `signalbox backup` use the store of the running process. Only for who can read the token in
 * the data folder, which is who could read the data itself: neither another user nor a web page can have a file written.
 */
export function backupRoute(backup: (to: string) => Promise<void>, token: string): RequestHandler {
  return async (request, response) => {
    if (request.url !== backupPath) return false;
    try {
      if (request.method !== 'POST') reply(response, 405, 'Use POST.');
      else if (!isToken(request.headers[tokenHeader], token)) reply(response, 403, 'The token is missing or wrong.');
      else {
        const to = await readTarget(request);
        if (to === undefined) reply(response, 400, 'Expected {"to": "/a/folder"}.');
        else {
          await backup(to);
          reply(response, 200, 'ok');
        }
      }
    } catch (error) {
      const { httpStatus, message } = toSignalboxError(error);
      reply(response, httpStatus, message);
    }
    return true;
  };
}

function isToken(given: string | string[] | undefined, token: string): boolean {
  if (typeof given !== 'string' || given.length !== token.length) return false;
  return timingSafeEqual(Buffer.from(given), Buffer.from(token));
}

async function readTarget(request: IncomingMessage): Promise<string | undefined> {
  let body = '';
  for await (const chunk of request) {
    body += String(chunk);
    if (body.length > maxBodyBytes) return undefined;
  }
  try {
    const { to } = JSON.parse(body) as { to?: unknown };
    return typeof to === 'string' && to.startsWith('/') ? to : undefined;
  } catch {
    return undefined;
  }
}

function reply(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}
