import { createServer, type Server } from 'node:http';
import type { Logger } from 'pino';

/** Tells the SDK the low-cardinality name of the route that answers. */
export type SetRoute = (route: string) => void;

const timeoutMs = 5000;

/**
 * A page that is put together from what chimney answers: `GET /` asks three questions at once, `GET /pulls/{number}` one.
 * There is no telemetry in here but for the route's name: the spans, and the context that chimney continues, come from the SDK.
 */
export function createStorefront(chimneyUrl: string, log: Logger, setRoute: SetRoute): Server {
  return createServer((request, response) => {
    answer(request.url ?? '/').then(
      ({ status, body }) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
      (error: unknown) => {
        log.error({ err: error }, 'chimney could not be asked');
        response.writeHead(502, { 'content-type': 'application/json' }).end('{"error":"chimney could not be asked"}');
      },
    );
  });

  async function answer(target: string): Promise<{ status: number; body: unknown }> {
    const path = target.split('?', 1)[0];
    if (path === '/') {
      setRoute('/');
      const [pulls, issues, runs] = await Promise.all([
        ask('pulls?per_page=5'),
        ask('issues?per_page=5'),
        ask('actions/runs?per_page=5'),
      ]);
      const failed = [pulls, issues, runs].filter((part) => part.status >= 500).length;
      if (failed > 0) log.warn({ failed }, 'the page is incomplete');
      return { status: 200, body: { pulls: pulls.body, issues: issues.body, runs: runs.body } };
    }
    const number = /^\/pulls\/(\d{1,9})$/.exec(path ?? '')?.[1];
    if (number === undefined) return { status: 404, body: { error: 'There is nothing here.' } };
    setRoute('/pulls/{number}');
    return await ask(`pulls/${number}`);
  }

  async function ask(path: string): Promise<{ status: number; body: unknown }> {
    const response = await fetch(`${chimneyUrl}/api/github/${path}`, { signal: AbortSignal.timeout(timeoutMs) });
    return { status: response.status, body: await response.json() };
  }
}
