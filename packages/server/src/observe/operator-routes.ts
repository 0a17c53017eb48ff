import type { IncomingMessage } from 'node:http';
import type { RequestHandler } from '../page/page-server.ts';
import type { TelemetryRegistry } from '../pipeline/telemetry-registry.ts';
import { EXPOSITION_TYPE, exposition } from './exposition.ts';

/**
 * What those who run the program ask on the page's port: `/-/healthy` (200: the process answers), `/-/ready` (200 while all
 * components run, 503 before and after), as Prometheus has them, and `/metrics`, where browsers find the page of metrics.
 */
export function operatorRoutes(registry: TelemetryRegistry, isReady: () => boolean): RequestHandler {
  return (request, response) => {
    const answer = (status: number, type: string, body: string) => {
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
      response.end(request.method === 'HEAD' ? undefined : body);
      return true;
    };
    if (request.method !== 'GET' && request.method !== 'HEAD') return false;
    switch (request.url?.split('?', 1)[0]) {
      case '/-/healthy':
        return answer(200, 'text/plain; charset=utf-8', 'Signalbox is healthy.\n');
      case '/-/ready':
        return isReady()
          ? answer(200, 'text/plain; charset=utf-8', 'Signalbox is ready.\n')
          : answer(503, 'text/plain; charset=utf-8', 'Signalbox is not ready.\n');
      case '/metrics':
        if (wantsPage(request)) return false;
        return answer(200, EXPOSITION_TYPE, exposition(registry.collect()));
      default:
        return false;
    }
  };
}

/** Browsers name HTML when they open an address; scrapers and curl don't. */
function wantsPage({ headers }: IncomingMessage): boolean {
  return headers.accept?.includes('text/html') ?? false;
}
