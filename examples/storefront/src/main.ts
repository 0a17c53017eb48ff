// Start-up of the storefront: telemetry, the server, and a clean end on SIGTERM or SIGINT.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setRoute, start } from '@signalbox/node';
import { pino } from 'pino';
import { createStorefront } from './storefront.ts';

const telemetry = start({
  serviceName: process.env.OTEL_SERVICE_NAME ?? 'storefront',
  http: { traceIdHeader: 'X-Trace-ID' },
});
const log = pino({ base: null, formatters: { level: (label) => ({ level: label.toUpperCase() }) } });
const server = createStorefront(process.env.CHIMNEY_URL ?? 'http://127.0.0.1:8080', log, setRoute);
server.listen(Number(process.env.STOREFRONT_PORT ?? 8081), '127.0.0.1');
await once(server, 'listening');
log.info({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }, 'storefront listens');

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    server.close();
    server.closeAllConnections();
    telemetry.shutdown().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
}
