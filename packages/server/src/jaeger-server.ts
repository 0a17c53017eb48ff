import { createGrpcService } from './api/grpc/grpc-service.ts';
import { createJaegerApi, type JaegerApiOptions } from './api/jaeger/jaeger-api.ts';
import { jaegerQueryService } from './api/jaeger/jaeger-grpc.ts';
import type { Config } from './config/options.ts';
import { PageServer } from './page/page-server.ts';
import type { Logger } from './pipeline/logger.ts';
import { SignalboxError } from './pipeline/signalbox-error.ts';

const defaultPort = 16_686;

/**
 * Jaeger's port, listening: its APIs over HTTP, and over gRPC without TLS. null: it is off, or nobody chose the port and
 * another program, a Jaeger say, has it: that is no reason not to start.
 */
export async function startJaegerServer(
  config: Config,
  options: Omit<JaegerApiOptions, 'maxExecutionMs' | 'allowedHosts'>,
  log: Logger,
): Promise<PageServer | null> {
  const chosen = config['jaeger-port'];
  if (chosen === 'off') return null;
  const { host, 'query-timeout': maxExecutionMs, 'allowed-hosts': allowedHosts } = config;
  const api = createJaegerApi({ ...options, maxExecutionMs, allowedHosts: [host, ...allowedHosts] });
  const server = new PageServer(
    {
      host,
      port: chosen ?? defaultPort,
      what: 'Jaeger',
      setting: 'jaeger-port',
      allowedHosts,
      onError: options.onError,
      onStream: createGrpcService(jaegerQueryService, { ...options, maxExecutionMs }),
    },
    [api],
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
