import { createPrometheusApi, type PrometheusApiOptions } from './api/prometheus/prometheus-api.ts';
import { type Config, optionNames } from './config/options.ts';
import { durationText } from './status-reporter.ts';
import { version } from './version.ts';

/** Prometheus's API as the settings have it. */
export function prometheusApi({
  config,
  connection,
  registry,
  startedAt,
  onError,
}: Pick<PrometheusApiOptions, 'connection' | 'registry' | 'onError'> & {
  readonly config: Config;
  /** Unix milliseconds. */
  readonly startedAt: number;
}): ReturnType<typeof createPrometheusApi> {
  return createPrometheusApi({
    connection,
    registry,
    onError,
    translation: {
      strategy: config['otlp-translation-strategy'],
      promoteResourceAttributes: config['promote-resource-attributes'],
      keepIdentifyingResourceAttributes: config['keep-identifying-resource-attributes'] === 'true',
      promoteScopeMetadata: config['promote-scope-metadata'] === 'true',
    },
    engine: { lookbackMs: config['promql-lookback'], maxSamples: config['promql-max-samples'] },
    maxSeries: config['promql-max-series'],
    maxExecutionMs: config['query-timeout'],
    status: {
      version,
      startedAtMs: startedAt,
      settings: publicSettings(config),
      retention: durationText(config['retention-metrics']),
    },
    allowedHosts: [config.host, ...config['allowed-hosts']],
    corsOrigins: config['api-cors-origins'],
  });
}

/** Settings that anybody may read who may query: none that lets in, and no address that holds a password. */
function publicSettings(config: Config): Record<string, string> {
  const shown = optionNames.filter((name) => !/password|token|secret|key|url/.test(name) && config[name] !== undefined);
  return Object.fromEntries(shown.map((name) => [name, String(config[name])]));
}
