import type { TranslationStrategy } from '../metrics/prometheus/metric-name.ts';
import type { ExporterName, MetricOptions, PrometheusOptions } from '../options.ts';
import { readExporter } from './exporters.ts';
import type { Section } from './section.ts';
import { readView } from './views.ts';

const unlimited = 2 ** 31 - 1;

const translations: Readonly<Record<string, TranslationStrategy>> = {
  underscore_escaping_with_suffixes: 'UnderscoreEscapingWithSuffixes',
  'underscore_escaping_without_suffixes/development': 'UnderscoreEscapingWithoutSuffixes',
  'no_utf8_escaping_with_suffixes/development': 'NoUTF8EscapingWithSuffixes',
  'no_translation/development': 'NoTranslation',
};

/** `meter_provider` of the schema. */
export function readMeterProvider(provider: Section): MetricOptions {
  const exporters: ExporterName[] = [];
  let options: MetricOptions = {};
  provider.require('readers');
  for (const reader of provider.sections('readers') ?? []) {
    const chosen = reader.single();
    if (chosen === undefined) continue;
    const { key, section } = chosen;
    if (key === 'pull') options = { ...options, prometheus: readPull(section) ?? false };
    else if (key === 'periodic') {
      const exporter = readPeriodic(section);
      if (exporter === undefined) continue;
      if (exporters.includes(exporter.name))
        section.ignore(`${section.path}: only the first ${exporter.name} exporter is used`);
      else {
        // Both have one interval, that of what is sent.
        options = exporter.name === 'otlp' ? { ...options, ...exporter.options } : { ...exporter.options, ...options };
        exporters.push(exporter.name);
      }
    } else {
      section.skip();
      section.error(`${section.path} is no reader; there are periodic and pull`);
    }
  }
  provider.unsupported('meter_configurator/development');
  const views = provider.sections('views')?.map(readView);
  const exemplarFilter = provider.choice('exemplar_filter', ['always_on', 'always_off', 'trace_based'] as const);
  return {
    ...options,
    prometheus: options.prometheus ?? false,
    exporters,
    ...(views && { views }),
    exemplarFilter: exemplarFilter ?? 'trace_based',
  };
}

function readPeriodic(section: Section): { name: ExporterName; options: MetricOptions } | undefined {
  const exporter = readExporter(section, 'metrics');
  readUnsupported(section);
  section.unsupported('max_export_batch_size/development');
  const exportIntervalMillis = section.integer('interval', 0) ?? 60_000;
  const timeout = section.integer('timeout', 0) ?? 30_000;
  if (exporter === undefined) return undefined;
  const { section: how } = exporter;
  const temporality = how.choice('temporality_preference', ['cumulative', 'delta', 'low_memory'] as const);
  return {
    name: exporter.name,
    options: {
      // A timer of 0 would do nothing else than collect.
      exportIntervalMillis: Math.max(1, exportIntervalMillis),
      exportTimeoutMillis: timeout === 0 ? unlimited : timeout,
      temporality: temporality === 'low_memory' ? 'lowmemory' : (temporality ?? 'cumulative'),
      histogramAggregation:
        how.choice('default_histogram_aggregation', [
          'explicit_bucket_histogram',
          'base2_exponential_bucket_histogram',
        ] as const) ?? 'explicit_bucket_histogram',
      ...(exporter.name === 'otlp' && exporter.options),
    },
  };
}

function readPull(section: Section): PrometheusOptions | undefined {
  readUnsupported(section);
  section.require('exporter');
  const chosen = section.section('exporter')?.single();
  if (chosen === undefined) return undefined;
  const { key, section: exporter } = chosen;
  if (key !== 'prometheus/development') {
    exporter.skip();
    exporter.ignore(`${exporter.path} is not supported; there is prometheus/development`);
    return undefined;
  }
  for (const name of ['scope_info_enabled', 'target_info_enabled/development'])
    if (exporter.boolean(name) === false) exporter.unsupported(name, 'it is always there');
  exporter.unsupported('resource_constant_labels', 'join with target_info');
  const strategy = exporter.choice('translation_strategy', Object.keys(translations));
  return {
    host: exporter.string('host') ?? 'localhost',
    port: exporter.integer('port', 0) ?? 9464,
    translation: translations[strategy ?? ''] ?? 'UnderscoreEscapingWithSuffixes',
  };
}

function readUnsupported(section: Section): void {
  section.unsupported('producers');
  section.unsupported('cardinality_limits', 'set aggregation_cardinality_limit of a view');
}
