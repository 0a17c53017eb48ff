import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { ConfigError } from '../config.ts';
import type { RunningTelemetry } from '../telemetry/start-telemetry.ts';

export interface Program {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** The setting that chooses the port, for the message when it is taken. */
  readonly portVariable: string;
  readonly log: Logger;
  readonly telemetry: RunningTelemetry;
}

/** Serves until SIGTERM or SIGINT, then ends with everything delivered. */
export async function listen(handler: RequestListener, program: Program): Promise<void> {
  const { name, host, port, portVariable, log, telemetry } = program;
  const server = createServer(handler);
  server.requestTimeout = 70_000;
  server.headersTimeout = 10_000;
  server.listen(port, host);
  await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE' && error.code !== 'EACCES') throw error;
    throw new ConfigError(`port ${port} on ${host} cannot be used (${error.code}); set ${portVariable} to another.`);
  });
  const { address, port: bound } = server.address() as AddressInfo;
  log.info({ url: `http://${address}:${bound}` }, `${name} listens`);
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => {
      end(server, telemetry).then(
        () => process.exit(0),
        () => process.exit(1),
      );
    });
}

async function end(server: Server, telemetry: RunningTelemetry): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  setTimeout(() => server.closeAllConnections(), 1_500).unref();
  await closed;
  await telemetry.shutdown();
}
