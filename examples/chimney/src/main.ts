// Chimney's start-up, and the one place that touches the SDK: everything else speaks the OpenTelemetry API.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createChimney } from './chimney.ts';
import { ConfigError, readConfig } from './config.ts';
import { closeServer, createChimneyServer } from './http/server.ts';
import { createLogger } from './telemetry/create-logger.ts';
import { startTelemetry } from './telemetry/start-telemetry.ts';

/** Requests under way get this long; the rest of the five seconds belongs to the telemetry. */
const drainMs = 1500;

try {
  await main();
} catch (error) {
  console.error(error instanceof ConfigError ? `chimney: ${error.message}` : error);
  process.exit(error instanceof ConfigError ? 2 : 1);
}

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const telemetry = startTelemetry({ prometheus: config.prometheus });
  const log = createLogger(config.logLevel);
  const chimney = await createChimney(config, log, telemetry.scrape);
  const server = createChimneyServer({ routes: chimney.routes, log, instruments: chimney.instruments });
  server.listen(config.port, config.host);
  await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE' && error.code !== 'EACCES') throw error;
    throw new ConfigError(
      `port ${config.port} on ${config.host} cannot be used (${error.code}); set CHIMNEY_PORT to another.`,
    );
  });
  const { address, port } = server.address() as AddressInfo;
  const { repository, githubApiUrl } = config;
  log.info({ url: `http://${address}:${port}`, repository, github_api_url: githubApiUrl }, 'chimney listens');

  let stopping = false;
  const stop = async (signal: string) => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'chimney stops');
    await closeServer(server, AbortSignal.timeout(drainMs));
    chimney.close();
    await telemetry.shutdown();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      stop(signal).catch((error: unknown) => {
        console.error('chimney:', error);
        process.exit(1);
      });
    });
  }
}
