import type { SettingsMap, SettingText } from '../config/settings-map.ts';
import type { Endpoint } from '../config/values.ts';
import { SIGNALS, type Signal } from '../pipeline/signal.ts';

/** One of `service.pipelines`. Its lists are names of components, with their places. */
export interface PipelineConfig {
  /** `traces`, `traces/sampled` */
  readonly name: string;
  readonly signal: Signal;
  readonly receivers: readonly SettingText[];
  readonly processors: readonly SettingText[];
  readonly exporters: readonly SettingText[];
  fail(message: string): Error;
}

/** What `service.telemetry` says about the program itself; null: nothing. */
export interface ServiceTelemetry {
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | null;
  readonly logFormat: 'text' | 'json' | null;
  /** Where to show the program's own metrics to a scraper besides the page's port. */
  readonly metricsEndpoint: Endpoint | null;
  /** Attributes of the resource under which the program's own metrics are stored. */
  readonly resource: ReadonlyMap<string, string>;
}

export interface ServiceConfig {
  readonly pipelines: readonly PipelineConfig[];
  readonly extensions: readonly SettingText[];
  readonly telemetry: ServiceTelemetry;
}

/** Reads the section `service`. Throws ConfigError. */
export function readPipelines(service: SettingsMap): ServiceConfig {
  const extensions = service.texts('extensions');
  const section = service.table('pipelines');
  const pipelines = section.keys().map((name) => readPipeline(section, name));
  if (pipelines.length === 0) {
    throw section.failHere(
      'at least one pipeline is required, such as traces: {receivers: [otlp], exporters: [clickhouse]}',
    );
  }
  return { extensions, pipelines, telemetry: readTelemetry(service.table('telemetry')) };
}

function readPipeline(section: SettingsMap, name: string): PipelineConfig {
  const [type] = name.split('/', 1);
  const signal = SIGNALS.find((known) => known === type);
  if (signal === undefined) {
    throw section.fail(name, `pipelines are named after their signal: ${SIGNALS.join(', ')}, or traces/name`);
  }
  const table = section.table(name);
  const pipeline = {
    name,
    signal,
    receivers: table.texts('receivers'),
    processors: table.texts('processors'),
    exporters: table.texts('exporters'),
    fail: (message: string) => section.fail(name, message),
  };
  for (const part of ['receivers', 'exporters'] as const) {
    if (pipeline[part].length === 0) throw section.fail(name, `it needs at least one of ${part}`);
  }
  return pipeline;
}

function readTelemetry(telemetry: SettingsMap): ServiceTelemetry {
  const logs = telemetry.table('logs');
  const level = logs.choice('level', ['debug', 'info', 'warn', 'error', 'DEBUG', 'INFO', 'WARN', 'ERROR'], null);
  const encoding = logs.choice('encoding', ['json', 'console'], null);
  const metrics = telemetry.table('metrics');
  // Signalbox always counts about itself; the level only says that the file is an honest Collector's.
  metrics.choice('level', ['none', 'basic', 'normal', 'detailed'], null);
  return {
    logLevel: level === null ? null : (level.toLowerCase() as 'debug' | 'info' | 'warn' | 'error'),
    logFormat: encoding === null ? null : encoding === 'json' ? 'json' : 'text',
    metricsEndpoint: readMetricsEndpoint(metrics),
    resource: telemetry.stringMap('resource'),
  };
}

/** `address`, or what replaced it: the first `readers` entry that is scraped. */
function readMetricsEndpoint(metrics: SettingsMap): Endpoint | null {
  const endpoints = metrics.tables('readers').map((reader) => {
    const prometheus = reader.table('pull').table('exporter').table('prometheus');
    return {
      host: prometheus.string('host', 'localhost'),
      port: prometheus.integer('port', 8888, { min: 0, max: 65_535 }),
    };
  });
  return metrics.has('address') ? metrics.endpoint('address') : (endpoints[0] ?? null);
}
