import { createLokiApi, type LokiApiOptions } from './api/loki/loki-api.ts';
import { type LokiTailOptions, LokiTailServer } from './api/loki/tail-server.ts';
import type { Config } from './config/options.ts';
import type { LogqlLimits } from './query/logql/engine.ts';
import { version } from './version.ts';

/** Evaluations of a range query, as in Prometheus. */
const maxSteps = 11_000;

/** Loki's API as the settings have it. */
export function lokiApi({
  config,
  ...rest
}: Pick<LokiApiOptions, 'connection' | 'registry' | 'catalog' | 'onError'> & {
  readonly config: Config;
}): ReturnType<typeof createLokiApi> {
  const limits = limitsOf(config);
  const { maxSeries } = limits;
  return createLokiApi({
    ...rest,
    limits,
    maxExecutionMs: config['query-timeout'],
    status: { version, maxSeries, retentionMs: config['retention-logs'] },
    allowedHosts: [config.host, ...config['allowed-hosts']],
  });
}

/** Loki's live tail as the settings have it. */
export function lokiTail({
  config,
  ...rest
}: Pick<LokiTailOptions, 'connection' | 'catalog' | 'logTail' | 'onError'> & {
  readonly config: Config;
}): LokiTailServer {
  return new LokiTailServer({
    ...rest,
    limits: limitsOf(config),
    maxExecutionMs: config['query-timeout'],
    allowedHosts: [config.host, ...config['allowed-hosts']],
  });
}

function limitsOf(config: Config): LogqlLimits {
  return { maxSamples: config['logql-max-samples'], maxSeries: config['logql-max-series'], maxSteps };
}
