import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { StartOptions } from '../options.ts';
import { readProcessors } from './exporters.ts';
import { readInstrumentations } from './instrumentations.ts';
import { readRecordLimits, readSpanLimits } from './limits.ts';
import { readMeterProvider } from './metrics.ts';
import { parseYaml } from './parse-yaml.ts';
import { readResource } from './resource.ts';
import { readSampler } from './samplers.ts';
import { Findings, Section } from './section.ts';

/** What a configuration file asks for, in terms of our own options. */
export interface ConfigurationFile {
  readonly disabled: boolean;
  /** A level of the API's `diag`; undefined keeps the default. */
  readonly logLevel: string | undefined;
  /** Names as OTEL_PROPAGATORS knows them; with none nothing is propagated. */
  readonly propagators: readonly string[];
  readonly disabledInstrumentations: readonly string[];
  readonly options: StartOptions;
}

export interface ConfigurationReading {
  /** Undefined when there are errors: half a configuration is worse than none. */
  readonly file: ConfigurationFile | undefined;
  /** Each with `path:line:column`. */
  readonly errors: readonly string[];
  /** What has no effect, each with its place. */
  readonly ignored: readonly string[];
}

const maxBytes = 1024 * 1024;

const levels: Readonly<Record<string, string>> = { trace: 'verbose', fatal: 'error' };
const severities = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'].flatMap((name) => [
  name,
  `${name}2`,
  `${name}3`,
  `${name}4`,
]);

/**
 * Reads a file of the declarative configuration (https://opentelemetry.io/docs/specs/otel/configuration/data-model/),
 * schema 1.x. Never throws.
 */
export function readConfigurationFile(
  path: string,
  variables: Readonly<Record<string, string | undefined>>,
): ConfigurationReading {
  const findings = new Findings();
  const file = readDocument(path, variables, findings);
  findings.finish();
  // What has no place (the file is not there) names the path itself.
  const placed = (found: readonly string[]): string[] =>
    [...found]
      .sort((left, right) => left.localeCompare(right, 'en', { numeric: true }))
      .map((message) => (/^\d/.test(message) ? `${path}:${message}` : message));
  return {
    file: findings.errors.length > 0 ? undefined : file,
    errors: placed(findings.errors),
    ignored: placed(findings.ignored),
  };
}

function readDocument(
  path: string,
  variables: Readonly<Record<string, string | undefined>>,
  findings: Findings,
): ConfigurationFile | undefined {
  let text: string;
  try {
    const { size } = statSync(path);
    if (size > maxBytes) throw new Error(`it has ${size} bytes, and at most ${maxBytes} are read`);
    text = readFileSync(path, 'utf8');
  } catch (error) {
    findings.errors.push(`${resolve(path)}: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
  const value = parseYaml(text, variables, findings);
  return value && readRoot(new Section(value, '', findings), variables);
}

function readRoot(root: Section, variables: Readonly<Record<string, string | undefined>>): ConfigurationFile {
  checkFormat(root);
  const limits = readRecordLimits(root.section('attribute_limits'));
  const tracer = root.section('tracer_provider');
  const meter = root.section('meter_provider');
  const logger = root.section('logger_provider');
  const sampler = tracer?.section('sampler');
  const traces = tracer && {
    ...readProcessors(tracer, { signal: 'traces', scheduleDelay: 5000 }),
    limits: { ...limits, ...readSpanLimits(tracer.section('limits')) },
  };
  const logs = logger && {
    ...readProcessors(logger, { signal: 'logs', scheduleDelay: 1000 }),
    limits: { ...limits, ...readRecordLimits(logger.section('limits')) },
  };
  readIdGenerator(tracer);
  tracer?.unsupported('tracer_configurator/development');
  logger?.unsupported('logger_configurator/development');
  const instrumentations = readInstrumentations(root.section('instrumentation/development'));
  // What vendors and distributions keep there for themselves.
  root.section('distribution')?.skip();
  const declared = sampler && readSampler(sampler);
  const severity = root.choice('log_level', severities)?.replace(/\d$/, '');
  return {
    disabled: root.boolean('disabled') ?? false,
    logLevel: severity && (levels[severity] ?? severity),
    propagators: readPropagators(root.section('propagator')),
    disabledInstrumentations: instrumentations.disabled,
    options: {
      ...readResource(root.section('resource'), variables),
      ...instrumentations.options,
      traces: traces ?? false,
      metrics: meter ? { ...readMeterProvider(meter), host: instrumentations.measuresHost } : false,
      logs: logs ?? false,
      ...(declared && { sampler: declared }),
    },
  };
}

/** Any 1.x is read; what a later one adds is not known here and said so where it is. */
function checkFormat(root: Section): void {
  root.require('file_format');
  const format = root.text('file_format');
  if (format !== undefined && !/^1\.\d+(?:-.+)?$/.test(format))
    root.error(`file_format ${format} is not supported; it must be "1.0" or a later 1.x`, 'file_format');
}

function readPropagators(propagator: Section | undefined): readonly string[] {
  const entries = (propagator?.sections('composite') ?? []).flatMap((entry) => {
    const chosen = entry.single();
    return chosen === undefined ? [] : [chosen.key];
  });
  const listed = propagator?.text('composite_list')?.split(',') ?? [];
  return [...new Set([...entries, ...listed.map((name) => name.trim()).filter((name) => name !== '')])];
}

function readIdGenerator(tracer: Section | undefined): void {
  const chosen = tracer?.section('id_generator')?.single();
  if (chosen === undefined || chosen.key === 'random') return;
  chosen.section.skip();
  chosen.section.ignore(`${chosen.section.path} is not supported; ids are random`);
}
