import type { ExtensionFactory } from '../pipeline/component-factory.ts';
import { SmallHttpServer } from '../pipeline/small-http-server.ts';

/** `health_check`: a port that answers 200 while all components run, 503 before and after. */
export const healthCheckFactory: ExtensionFactory = {
  kind: 'extension',
  type: 'health_check',
  configure(settings) {
    const endpoint = settings.endpoint('endpoint', 'localhost:13133');
    const path = settings.string('path', '/');
    return {
      create: ({ id, now }) => {
        const place = `endpoint of extension ${id}`;
        let readySince: number | null = null;
        const server = new SmallHttpServer({ endpoint, protocol: 'health', place }, (request, response) => {
          if (request.url?.split('?', 1)[0] !== path) {
            response.writeHead(404).end();
            return;
          }
          const state =
            readySince === null
              ? { status: 'Server not available' }
              : {
                  status: 'Server available',
                  upSince: new Date(readySince).toISOString(),
                  uptime: `${(now() - readySince) / 1000}s`,
                };
          response.writeHead(readySince === null ? 503 : 200, { 'content-type': 'application/json' });
          response.end(JSON.stringify(state));
        });
        return {
          start: () => server.start(),
          shutdown: () => server.shutdown(),
          get addresses() {
            return server.addresses;
          },
          onReady() {
            readySince = now();
          },
          onStopping() {
            readySince = null;
          },
        };
      },
    };
  },
};
