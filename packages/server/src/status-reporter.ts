import type { AddressInfo } from 'node:net';
import type { StatusResponse, UnixNano } from '@signalbox/api-contract';
import type { Config } from './config/options.ts';
import type { Graph } from './graph/graph.ts';
import type { TelemetryRegistry } from './pipeline/telemetry-registry.ts';
import type { Store, StoreUsage } from './store/store.ts';
import { version } from './version.ts';

export interface StatusSources {
  readonly config: Config;
  /** null: the configuration keeps nothing. */
  readonly store: Store | null;
  readonly telemetry: TelemetryRegistry;
  /** Unix milliseconds. */
  readonly startedAt: number;
  readonly graph: Graph;
}

/** Which tables hold the rows that people count in a signal. */
const tablesOf = {
  spans: ['spans'],
  logs: ['logs'],
  metrics: ['number_points', 'histogram_points', 'exponential_histogram_points', 'summary_points'],
} as const;

const NOTHING_KEPT: StoreUsage = { schemaVersion: 0, bytes: 0, tables: [] };

/** What `GET /api/signalbox/status` answers with. */
export function statusReporter({
  config,
  store,
  telemetry,
  startedAt,
  graph,
}: StatusSources): () => Promise<StatusResponse> {
  return async () => {
    const usage = (await store?.usage()) ?? NOTHING_KEPT;
    const received = (records: string) => ({
      accepted: telemetry.sum(`otelcol_receiver_accepted_${records}`),
      rejected: telemetry.sum(`signalbox_receiver_rejected_${records}`),
    });
    const addressOf = (protocol: string) =>
      graph.addresses.find((address) => address.protocol === protocol)?.address ?? null;
    return {
      version,
      uptimeMs: Date.now() - startedAt,
      store: {
        kind: store === null ? 'none' : config['clickhouse-url'] === undefined ? 'embedded' : 'server',
        signals: {
          spans: signalUsage(usage, 'spans'),
          logs: signalUsage(usage, 'logs'),
          metrics: signalUsage(usage, 'metrics'),
        },
        retention: {
          spans: durationText(config['retention-traces']),
          logs: durationText(config['retention-logs']),
          metrics: durationText(config['retention-metrics']),
        },
        maxBytes: config['max-size'] ?? null,
      },
      endpoints: { otlpHttp: addressOf('OTLP/HTTP'), otlpGrpc: addressOf('OTLP/gRPC') },
      received: { spans: received('spans'), logs: received('log_records'), metrics: received('metric_points') },
    };
  };
}

function signalUsage(
  usage: StoreUsage,
  signal: keyof typeof tablesOf,
): { rows: number; bytes: number; oldest: UnixNano | null } {
  const tables = usage.tables.filter(({ name }) => (tablesOf[signal] as readonly string[]).includes(name));
  const oldest = tables.flatMap((table) => (table.oldest === null ? [] : [table.oldest]));
  return {
    rows: tables.reduce((sum, { rows }) => sum + rows, 0),
    bytes: tables.reduce((sum, { bytes }) => sum + bytes, 0),
    oldest: oldest.length === 0 ? null : `${BigInt(Math.min(...oldest)) * 1_000_000n}`,
  };
}

/** 604800000 → `7d`; the largest unit that divides it. */
export function durationText(ms: number): string {
  for (const [unit, size] of [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
  ] as const) {
    if (ms % size === 0) return `${ms / size}${unit}`;
  }
  return `${ms}ms`;
}

/** `http://127.0.0.1:4319` of a listener's address. */
export function httpUrl(address: AddressInfo): string {
  return `http://${hostPort(address)}`;
}

function hostPort({ address, family, port }: AddressInfo): string {
  return `${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
