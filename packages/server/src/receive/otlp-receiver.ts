import type { AddressInfo } from 'node:net';
import type { SettingsMap, SettingText } from '../config/settings-map.ts';
import { readServerTls, type ServerTls } from '../config/tls-settings.ts';
import type { Endpoint } from '../config/values.ts';
import type { Component, ListeningAddress } from '../pipeline/component.ts';
import type { ComponentContext } from '../pipeline/component-context.ts';
import type { ReceiverFactory } from '../pipeline/component-factory.ts';
import { type Consumers, SIGNALS, type Signal } from '../pipeline/signal.ts';
import { ExportService } from './otlp/export-service.ts';
import { InFlightBytes } from './otlp/in-flight-bytes.ts';
import { OtlpGrpcReceiver } from './otlp-grpc/otlp-grpc-receiver.ts';
import { OTLP_PATHS } from './otlp-http/otlp-http-options.ts';
import { OtlpHttpReceiver } from './otlp-http/otlp-http-receiver.ts';

interface ServerSettings {
  readonly endpoint: Endpoint;
  readonly tls: ServerTls | null;
  /** An extension that checks who sends. */
  readonly authenticator: SettingText | null;
}

interface GrpcSettings extends ServerSettings {
  readonly maxMessageBytes: number;
  readonly maxConcurrentStreams: number;
  readonly keepAliveMs: number;
}

interface HttpSettings extends ServerSettings {
  readonly maxBodyBytes: number;
  readonly paths: Readonly<Record<Signal, string>>;
  readonly corsOrigins: readonly string[];
  readonly corsMaxAgeS: number;
}

interface OtlpSettings {
  readonly grpc: GrpcSettings | null;
  readonly http: HttpSettings | null;
  readonly maxInFlightBytes: number;
}

const MIB = 1024 * 1024;

function readSettings(settings: SettingsMap): OtlpSettings {
  const protocols = settings.table('protocols');
  const grpc = protocols.optionalTable('grpc');
  const http = protocols.optionalTable('http');
  if (grpc === null && http === null) {
    throw settings.fail('protocols', 'must specify at least one protocol: grpc, http');
  }
  return {
    grpc: grpc && readGrpc(grpc),
    http: http && readHttp(http),
    maxInFlightBytes: settings.size('max_in_flight_size', '128MiB'),
  };
}

function readServer(settings: SettingsMap, defaultEndpoint: string): ServerSettings {
  // Nothing here looks at a request's headers later, so there is nothing to include them for.
  settings.boolean('include_metadata', false);
  return {
    endpoint: settings.endpoint('endpoint', defaultEndpoint),
    tls: readServerTls(settings.optionalTable('tls')),
    authenticator: settings.optionalTable('auth')?.text('authenticator') ?? null,
  };
}

function readGrpc(settings: SettingsMap): GrpcSettings {
  settings.choice('transport', ['tcp'], 'tcp');
  return {
    ...readServer(settings, 'localhost:4317'),
    maxMessageBytes: settings.integer('max_recv_msg_size_mib', 64, { min: 1, max: 1024 }) * MIB,
    maxConcurrentStreams: settings.integer('max_concurrent_streams', 128, { min: 1, max: 100_000 }),
    keepAliveMs: settings.table('keepalive').table('server_parameters').duration('time', '60s'),
  };
}

function readHttp(settings: SettingsMap): HttpSettings {
  const maxBodyBytes = settings.size('max_request_body_size', '64MiB');
  // Places in a request are 32-bit numbers, and texts made of its parts must fit a JavaScript string.
  if (maxBodyBytes < 1024 || maxBodyBytes > 1024 * MIB) {
    throw settings.fail('max_request_body_size', 'it is out of range; write 1KiB to 1GiB');
  }
  const cors = settings.table('cors');
  // A page that may send at all may send any header: none of them means anything here but who sends.
  cors.strings('allowed_headers');
  return {
    ...readServer(settings, 'localhost:4318'),
    maxBodyBytes,
    paths: readPaths(settings),
    corsOrigins: cors.strings('allowed_origins'),
    corsMaxAgeS: cors.integer('max_age', 7_200, { min: 0 }),
  };
}

/** `traces_url_path` and its sisters; a missing first slash is put there, as upstream does. */
function readPaths(settings: SettingsMap): Record<Signal, string> {
  const paths = { ...OTLP_PATHS };
  const taken = new Map<string, string>();
  for (const signal of SIGNALS) {
    const key = `${signal}_url_path`;
    const written = settings.string(key, OTLP_PATHS[signal]);
    const path = written.startsWith('/') ? written : `/${written}`;
    if (/[?#\s]/.test(path)) throw settings.fail(key, 'it is a path alone, without a query, a fragment or spaces');
    const other = taken.get(path);
    if (other !== undefined) throw settings.fail(key, `${other} is the same path; each signal has one of its own`);
    taken.set(path, key);
    paths[signal] = path;
  }
  return paths;
}

/** `otlp`: OTLP over gRPC and HTTP on ports of their own, with one limit on what both hold in memory. */
export const otlpReceiverFactory: ReceiverFactory = {
  kind: 'receiver',
  type: 'otlp',
  signals: SIGNALS,
  configure(settings) {
    const read = readSettings(settings);
    return { create: (context, next) => new OtlpReceiver(read, context, next) };
  },
};

class OtlpReceiver implements Component {
  readonly #grpc: OtlpGrpcReceiver | null;
  readonly #http: OtlpHttpReceiver | null;
  readonly #scheme: 'http' | 'https';

  constructor({ grpc, http, maxInFlightBytes }: OtlpSettings, context: ComponentContext, consumers: Consumers) {
    this.#scheme = http?.tls ? 'https' : 'http';
    const inFlight = new InFlightBytes(maxInFlightBytes);
    const rejected = (records: string) =>
      context.telemetry.counter(
        `signalbox_receiver_rejected_${records}`,
        'Records refused for good inside requests that were otherwise accepted',
        { receiver: context.id },
      );
    const invalid = {
      traces: rejected('spans'),
      metrics: rejected('metric_points'),
      logs: rejected('log_records'),
    };
    context.telemetry.gauge('signalbox_receiver_in_flight_bytes', 'Bytes of requests in memory', () => inFlight.used, {
      receiver: context.id,
    });
    const service = (maxRequestBytes: number) =>
      new ExportService({
        consumers,
        maxRequestBytes,
        inFlight,
        onInvalidRows: (signal, count) => invalid[signal].add(count),
        onRefusedRequest: (signal, reason) =>
          context.telemetry
            .counter('signalbox_receiver_refused_requests', 'Requests refused as a whole, by why', {
              receiver: context.id,
              signal,
              reason,
            })
            .add(1),
        onInternalError: (error) => context.log.error('A request failed for a reason of ours', error),
      });
    const authenticator = ({ authenticator: name }: ServerSettings) => name && context.serverAuthenticator(name);
    this.#grpc =
      grpc &&
      new OtlpGrpcReceiver(service(grpc.maxMessageBytes), {
        ...grpc,
        ...grpc.endpoint,
        authenticator: authenticator(grpc),
      });
    this.#http =
      http &&
      new OtlpHttpReceiver(service(http.maxBodyBytes), {
        ...http,
        ...http.endpoint,
        authenticator: authenticator(http),
      });
  }

  get addresses(): ListeningAddress[] {
    return [
      ...(this.#http ? [{ protocol: 'OTLP/HTTP', address: `${this.#scheme}://${hostPort(this.#http.address)}` }] : []),
      ...(this.#grpc ? [{ protocol: 'OTLP/gRPC', address: hostPort(this.#grpc.address) }] : []),
    ];
  }

  async start(): Promise<void> {
    await this.#http?.start();
    await this.#grpc?.start();
  }

  async shutdown(deadlineMs: number): Promise<void> {
    await Promise.all([this.#http?.shutdown(deadlineMs), this.#grpc?.shutdown(deadlineMs)]);
  }
}

function hostPort({ address, family, port }: AddressInfo): string {
  return `${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
