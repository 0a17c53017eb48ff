import { createLokiApi, type LokiApiOptions } from './api/loki/loki-api.ts';
import type { Config } from './config/options.ts';
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
  const maxSeries = config['logql-max-series'];
  return createLokiApi({
    ...rest,
    limits: { maxSamples: config['logql-max-samples'], maxSeries, maxSteps },
    maxExecutionMs: config['query-timeout'],
    status: { version, maxSeries, retentionMs: config['retention-logs'] },
    allowedHosts: [config.host, ...config['allowed-hosts']],
  });
}
