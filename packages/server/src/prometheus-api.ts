import { createPrometheusApi, type PrometheusApiOptions } from './api/prometheus/prometheus-api.ts';
import { type Config, optionNames } from './config/options.ts';
import type { Scrapes } from './pipeline/scrapes.ts';
import { Labels } from './query/promql/labels.ts';
import { featureOptions } from './query/promql/promql-features.ts';
import { SeriesCatalog } from './query/promql-store/series-catalog.ts';
import { durationText } from './status-reporter.ts';
import { version } from './version.ts';

/** How OTLP metrics appear in PromQL, as the settings have it. */
export function seriesCatalog(config: Config): SeriesCatalog {
  const maxSeries = config['promql-max-series'];
  return new SeriesCatalog(
    {
      strategy: config['otlp-translation-strategy'],
      promoteResourceAttributes: config['promote-resource-attributes'],
      keepIdentifyingResourceAttributes: config['keep-identifying-resource-attributes'] === 'true',
      promoteScopeMetadata: config['promote-scope-metadata'] === 'true',
      typeAndUnitLabels: config['enable-feature'].includes('type-and-unit-labels'),
    },
    { maxSeries, maxCached: maxSeries },
  );
}

/** Prometheus's API as the settings have it. */
export function prometheusApi({
  config,
  connection,
  catalog,
  rules,
  scrapes,
  registry,
  startedAt,
  onError,
}: Required<Pick<PrometheusApiOptions, 'connection' | 'catalog' | 'rules' | 'registry' | 'onError'>> & {
  readonly config: Config;
  /** What is scraped now. */
  readonly scrapes: () => Scrapes;
  /** Unix milliseconds. */
  readonly startedAt: number;
}): ReturnType<typeof createPrometheusApi> {
  return createPrometheusApi({
    connection,
    registry,
    onError,
    catalog,
    rules,
    targets: {
      pools: () =>
        scrapes().jobs.map(({ name, yaml, relabelSteps }) => ({
          name,
          yaml,
          relabelSteps: (labels) =>
            relabelSteps(new Map(labels.entries())).map((step) => ({ ...step, labels: Labels.from(step.labels) })),
        })),
      active: () =>
        scrapes().active.map(({ job, labels, discoveredLabels, ...target }) => ({
          ...target,
          pool: job,
          labels: Labels.from(labels),
          discoveredLabels: Labels.from(discoveredLabels),
        })),
      dropped: () =>
        scrapes().dropped.map(({ job, discoveredLabels }) => ({
          pool: job,
          discoveredLabels: Labels.from(discoveredLabels),
        })),
    },
    engine: {
      ...featureOptions(config['enable-feature']),
      lookbackMs: config['promql-lookback'],
      maxSamples: config['promql-max-samples'],
    },
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
