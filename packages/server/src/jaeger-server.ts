import { createJaegerApi, type JaegerApiOptions } from './api/jaeger/jaeger-api.ts';
import type { Config } from './config/options.ts';
import type { Logger } from './pipeline/logger.ts';
import { SignalboxError } from './pipeline/signalbox-error.ts';
import { SmallHttpServer } from './pipeline/small-http-server.ts';

const defaultPort = 16_686;

/**
 * Jaeger's port, listening. null: it is off, or nobody chose the port and another program, a Jaeger say, has it: that is
 * no reason not to start.
 */
export async function startJaegerServer(
  config: Config,
  options: Omit<JaegerApiOptions, 'maxExecutionMs' | 'allowedHosts'>,
  log: Logger,
): Promise<SmallHttpServer | null> {
  const chosen = config['jaeger-port'];
  if (chosen === 'off') return null;
  const { host } = config;
  const api = createJaegerApi({
    ...options,
    maxExecutionMs: config['query-timeout'],
    allowedHosts: [host, ...config['allowed-hosts']],
  });
  const server = new SmallHttpServer(
    {
      endpoint: { host, port: chosen ?? defaultPort },
      protocol: 'Jaeger',
      place: '--jaeger-port or SIGNALBOX_JAEGER_PORT',
    },
    (request, response) => void api(request, response),
  );
  try {
    await server.start();
    return server;
  } catch (error) {
    if (chosen !== undefined || !(error instanceof SignalboxError) || error.code !== 'unavailable') throw error;
    log.warn(`${error.message}: Jaeger's API is off. Choose a port for it with --jaeger-port.`);
    return null;
  }
}
