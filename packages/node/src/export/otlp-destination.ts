import { readFileSync } from 'node:fs';
import type { Environment } from '../environment.ts';
import type { OtlpOptions, OtlpProtocol, TlsOptions } from '../options.ts';
import type { Warnings } from '../warnings.ts';

export type OtlpSignal = 'TRACES' | 'METRICS' | 'LOGS';

const protocols = ['http/protobuf', 'http/json', 'grpc'] as const;
const defaultPorts: Readonly<Record<OtlpProtocol, number>> = { 'http/protobuf': 4318, 'http/json': 4318, grpc: 4317 };
const grpcServices: Readonly<Record<OtlpSignal, string>> = {
  TRACES: 'trace.v1.TraceService',
  METRICS: 'metrics.v1.MetricsService',
  LOGS: 'logs.v1.LogsService',
};

/** Where and how one signal's requests go. */
export interface OtlpDestination {
  readonly signal: OtlpSignal;
  /** What is posted to; for gRPC the path is that of the method. */
  readonly url: string;
  readonly protocol: OtlpProtocol;
  readonly headers: Readonly<Record<string, string>>;
  readonly compression: 'gzip' | 'none';
  /** Milliseconds that one request may take. */
  readonly timeoutMillis: number;
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

interface Sources {
  readonly signal: OtlpSignal;
  /** Options of this signal, and those of all. */
  readonly own: OtlpOptions;
  readonly general: OtlpOptions;
  readonly env: Environment;
  readonly warnings: Warnings;
}

/** https://opentelemetry.io/docs/specs/otel/protocol/exporter/#configuration-options */
export function resolveDestination(sources: Sources): OtlpDestination {
  const { signal, own, general, env } = sources;
  const timeoutMillis =
    own.timeoutMillis ??
    general.timeoutMillis ??
    env.number(`OTEL_EXPORTER_OTLP_${signal}_TIMEOUT`, 1) ??
    env.number('OTEL_EXPORTER_OTLP_TIMEOUT', 1) ??
    10_000;
  const certificates = {
    ca: readPem(sources, 'caFile', 'CERTIFICATE'),
    cert: readPem(sources, 'certFile', 'CLIENT_CERTIFICATE'),
    key: readPem(sources, 'keyFile', 'CLIENT_KEY'),
  };
  const protocol = own.protocol ?? general.protocol ?? protocolFromEnvironment(sources);
  return {
    signal,
    url: resolveUrl(sources, protocol),
    protocol,
    headers: {
      ...env.pairs('OTEL_EXPORTER_OTLP_HEADERS'),
      ...env.pairs(`OTEL_EXPORTER_OTLP_${signal}_HEADERS`),
      ...general.headers,
      ...own.headers,
    },
    compression: own.compression ?? general.compression ?? compressionFromEnvironment(sources),
    timeoutMillis,
    ...(certificates.ca && { ca: certificates.ca }),
    ...(certificates.cert && { cert: certificates.cert }),
    ...(certificates.key && { key: certificates.key }),
  };
}

/** The signal's variable, else the general one. */
function either({ signal, env }: Sources, suffix: string): string | undefined {
  return env.string(`OTEL_EXPORTER_OTLP_${signal}_${suffix}`) ?? env.string(`OTEL_EXPORTER_OTLP_${suffix}`);
}

/** https://opentelemetry.io/docs/specs/otel/protocol/exporter/#endpoint-urls-for-otlphttp; over gRPC the path says nothing. */
function resolveUrl(sources: Sources, protocol: OtlpProtocol): string {
  const { signal, own, general, env, warnings } = sources;
  const isGrpc = protocol === 'grpc';
  const path = isGrpc ? `opentelemetry.proto.collector.${grpcServices[signal]}/Export` : `v1/${signal.toLowerCase()}`;
  const fallback = `http://localhost:${defaultPorts[protocol]}/${path}`;
  const full =
    own.endpoint ?? (general.endpoint === undefined ? env.string(`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`) : undefined);
  const given = full ?? general.endpoint ?? env.string('OTEL_EXPORTER_OTLP_ENDPOINT');
  if (given === undefined) return fallback;
  // `collector:4318` is what people write; as a URL it would have the scheme `collector:`.
  const hasScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(given);
  const withScheme = hasScheme ? given : `${isGrpc && !isInsecure(sources) ? 'https' : 'http'}://${given}`;
  const url = URL.canParse(withScheme) ? new URL(withScheme) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    warnings.once(`the OTLP endpoint ${given} is not an http or https URL; using ${fallback}`);
    return fallback;
  }
  if (isGrpc) return new URL(`/${path}`, url).href;
  if (full === undefined) url.pathname = `${url.pathname}${url.pathname.endsWith('/') ? '' : '/'}${path}`;
  return url.href;
}

/** Only asked where an endpoint for gRPC has no scheme; the specification's default is TLS. */
function isInsecure({ signal, env }: Sources): boolean {
  return env.boolean(`OTEL_EXPORTER_OTLP_${signal}_INSECURE`) ?? env.boolean('OTEL_EXPORTER_OTLP_INSECURE') ?? false;
}

function protocolFromEnvironment(sources: Sources): OtlpProtocol {
  const value = either(sources, 'PROTOCOL');
  if (value === undefined) return 'http/protobuf';
  const known = protocols.find((protocol) => protocol === value.toLowerCase());
  if (known === undefined)
    sources.warnings.once(
      `OTEL_EXPORTER_OTLP_PROTOCOL=${value} is not one of ${protocols.join(', ')}; using http/protobuf (port 4318, not 4317)`,
    );
  return known ?? 'http/protobuf';
}

function compressionFromEnvironment(sources: Sources): 'gzip' | 'none' {
  const value = either(sources, 'COMPRESSION');
  if (value === undefined || value === 'gzip' || value === 'none') return value ?? 'none';
  sources.warnings.once(`OTEL_EXPORTER_OTLP_COMPRESSION=${value} is neither gzip nor none; sending uncompressed`);
  return 'none';
}

function readPem(sources: Sources, option: keyof TlsOptions, suffix: string): Buffer | undefined {
  const { own, general, warnings } = sources;
  const given = own.tls?.[option] ?? general.tls?.[option];
  const path = given ?? either(sources, suffix);
  if (path === undefined) return undefined;
  try {
    return readFileSync(path);
  } catch (error) {
    const name = given === undefined ? `OTEL_EXPORTER_OTLP_${suffix}` : `tls.${option}`;
    warnings.once(`${name}: cannot read ${path} (${error instanceof Error ? error.message : String(error)})`);
    return undefined;
  }
}
