import type { LokiRoute } from '../loki-route.ts';
import { route } from '../loki-route.ts';

export interface LokiStatus {
  /** Of the program. */
  readonly version: string;
  readonly maxSeries: number;
  readonly retentionMs: number;
}

/** The Loki whose API and language this is: clients decide by it what they may ask. */
const lokiVersion = '3.5.0';

export function statusRoutes({ version, maxSeries, retentionMs }: LokiStatus): readonly LokiRoute[] {
  return [
    { method: 'GET', pattern: 'ready', run: () => ({ text: 'ready\n' }) },
    ...route('status/buildinfo', () => ({
      json: {
        version: lokiVersion,
        revision: `signalbox-${version}`,
        branch: '',
        buildUser: '',
        buildDate: '',
        goVersion: '',
      },
    })),
    ...route('drilldown-limits', () => ({
      json: {
        limits: {
          discover_log_levels: true,
          discover_service_name: [],
          log_level_fields: [],
          max_entries_limit_per_query: 5000,
          max_line_size_truncate: false,
          max_query_bytes_read: '0B',
          max_query_length: '0s',
          max_query_lookback: '0s',
          max_query_range: '0s',
          max_query_series: maxSeries,
          metric_aggregation_enabled: false,
          otlp_config: {},
          pattern_persistence_enabled: false,
          query_timeout: '0s',
          retention_period: `${Math.round(retentionMs / 1000)}s`,
          retention_stream: [],
          volume_enabled: true,
          volume_max_series: 1000,
        },
        pattern_ingester_enabled: true,
        version: lokiVersion,
      },
    })),
  ];
}
