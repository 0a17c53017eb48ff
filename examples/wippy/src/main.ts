// Start-up of wippy: telemetry, the application, the server, and a clean end on SIGTERM or SIGINT.

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { createApplication } from './application.ts';
import { createServer } from './server.ts';
import { telemetry } from './telemetry.ts';

const log = pino({
  name: 'app.runtime',
  // Without what the resource says already; null would take the name away as well.
  base: {},
  formatters: { level: (label) => ({ level: label.toUpperCase() }) },
});
const application = createApplication(log, Number(process.env.WIPPY_COMPACT_MS ?? 30_000));
const server = createServer(application, log, (accept) => telemetry.scrape(accept));
server.listen(Number(process.env.WIPPY_PORT ?? 8082), '127.0.0.1');
await once(server, 'listening');
log.info({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }, 'wippy listens');

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    server.close();
    server.closeAllConnections();
    application
      .stop()
      .then(() => telemetry.shutdown())
      .then(
        () => process.exit(0),
        (error: unknown) => {
          log.error(error, 'shutdown failed');
          process.exit(1);
        },
      );
  });
}
