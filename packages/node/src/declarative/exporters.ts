import { isAbsolute } from 'node:path';
import { parsePairs } from '../environment.ts';
import type { BatchOptions, ExporterName, OtlpOptions } from '../options.ts';
import type { Section } from './section.ts';

/** Where records of one signal go: over OTLP, with everything that says how, or to standard output. */
export type DeclaredExporter =
  | { readonly name: 'otlp'; readonly options: OtlpOptions; readonly section: Section }
  | { readonly name: 'console'; readonly section: Section };

/** Milliseconds that stand for the schema's `0`, no limit: the longest that Node's timers know. */
const unlimited = 2 ** 31 - 1;

/** `exporter:` of a processor or reader. Undefined if it is one that we do not have; that is said. */
export function readExporter(parent: Section, signal: string): DeclaredExporter | undefined {
  parent.require('exporter');
  const chosen = parent.section('exporter')?.single();
  if (chosen === undefined) return undefined;
  const { key, section } = chosen;
  if (key === 'otlp_http') {
    const options = { ...readOtlp(section), ...readHttp(section, signal) };
    return { name: 'otlp', options, section };
  }
  if (key === 'otlp_grpc') return { name: 'otlp', options: { ...readOtlp(section), ...readGrpc(section) }, section };
  if (key === 'console') return { name: 'console', section };
  section.skip();
  section.ignore(`${section.path} is not supported; there are otlp_http, otlp_grpc and console`);
  return undefined;
}

function readHttp(section: Section, signal: string): OtlpOptions {
  const encoding = section.choice('encoding', ['protobuf', 'json'] as const) ?? 'protobuf';
  return {
    protocol: encoding === 'json' ? 'http/json' : 'http/protobuf',
    endpoint: section.string('endpoint') ?? `http://localhost:4318/v1/${signal}`,
    tls: readTls(section.section('tls')),
  };
}

function readGrpc(section: Section): OtlpOptions {
  const endpoint = section.string('endpoint') ?? 'http://localhost:4317';
  const tls = section.section('tls');
  const isInsecure = tls?.boolean('insecure') ?? false;
  // Without a scheme our own option would take the environment's word for it, which counts for nothing here.
  const hasScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(endpoint);
  return {
    protocol: 'grpc',
    endpoint: hasScheme ? endpoint : `${isInsecure ? 'http' : 'https'}://${endpoint}`,
    tls: readTls(tls),
  };
}

function readOtlp(section: Section): OtlpOptions {
  section.unsupported('max_request_size', 'requests are bounded by max_export_batch_size');
  section.unsupported('max_response_size');
  const timeoutMillis = section.integer('timeout', 0) ?? 10_000;
  return {
    headers: readHeaders(section),
    compression: section.choice('compression', ['gzip', 'none'] as const) ?? 'none',
    timeoutMillis: timeoutMillis === 0 ? unlimited : timeoutMillis,
  };
}

function readHeaders(section: Section): Record<string, string> {
  const list = section.text('headers_list');
  const { pairs, malformed } = parsePairs(list ?? '');
  // Headers are secrets more often than not.
  if (malformed > 0) section.error(`${section.path}.headers_list holds an entry that is not key=value`, 'headers_list');
  for (const entry of section.sections('headers') ?? []) {
    entry.require('name');
    entry.require('value');
    const [name, value] = [entry.string('name'), entry.text('value')];
    if (name !== undefined && value !== undefined) pairs[name] = value;
  }
  return pairs;
}

function readTls(section: Section | undefined): NonNullable<OtlpOptions['tls']> {
  const path = (key: string): string | undefined => {
    const value = section?.string(key);
    if (value !== undefined && !isAbsolute(value))
      section?.error(`${section.path}.${key} must be an absolute path`, key);
    return value;
  };
  const [caFile, certFile, keyFile] = [path('ca_file'), path('cert_file'), path('key_file')];
  return {
    ...(caFile !== undefined && { caFile }),
    ...(certFile !== undefined && { certFile }),
    ...(keyFile !== undefined && { keyFile }),
  };
}

/** The processors of traces or logs: the schema's defaults, not our own, apply to what a batch leaves out. */
export function readProcessors(
  provider: Section,
  { signal, scheduleDelay }: { readonly signal: string; readonly scheduleDelay: number },
): BatchOptions {
  const exporters: ExporterName[] = [];
  let options: BatchOptions = {};
  provider.require('processors');
  for (const processor of provider.sections('processors') ?? []) {
    const chosen = processor.single();
    if (chosen === undefined) continue;
    const { key, section } = chosen;
    if (key !== 'batch' && key !== 'simple') {
      section.skip();
      section.ignore(`${section.path} is not supported; there are batch and simple`);
      continue;
    }
    const batch = key === 'batch' ? readBatch(section, scheduleDelay) : { maxExportBatchSize: 1 };
    const exporter = readExporter(section, signal);
    if (exporter === undefined) continue;
    if (exporters.includes(exporter.name))
      section.ignore(`${section.path}: only the first ${exporter.name} exporter is used`);
    else {
      exporters.push(exporter.name);
      if (exporter.name === 'otlp') options = { ...batch, ...exporter.options };
    }
  }
  return { ...options, exporters };
}

function readBatch(section: Section, scheduleDelay: number): BatchOptions {
  const exportTimeout = section.integer('export_timeout', 0) ?? 30_000;
  return {
    scheduledDelayMillis: section.integer('schedule_delay', 0) ?? scheduleDelay,
    exportTimeoutMillis: exportTimeout === 0 ? unlimited : exportTimeout,
    maxQueueSize: section.integer('max_queue_size', 1) ?? 2048,
    maxExportBatchSize: section.integer('max_export_batch_size', 1) ?? 512,
  };
}
