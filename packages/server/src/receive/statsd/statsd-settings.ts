import { RE2JS } from 're2js';
import type { SettingsMap } from '../../config/settings-map.ts';
import type { Endpoint } from '../../config/values.ts';

export type CounterType = 'int' | 'float' | 'stochastic_int';

/** What becomes of the values of timings, histograms and distributions. */
export type Observer =
  | { readonly kind: 'disabled' }
  /** Each value a point of a gauge. */
  | { readonly kind: 'gauge' }
  /** Percentiles are 0 to 100. */
  | { readonly kind: 'summary'; readonly percentiles: readonly number[] }
  | {
      readonly kind: 'histogram';
      /** Buckets of exponential histograms, per sign. */
      readonly maxSize: number;
      /** The first whose pattern some part of the name matches makes it a histogram of these bounds. */
      readonly explicit: readonly { readonly pattern: RE2JS; readonly bounds: readonly number[] }[];
    };

export interface AggregationSettings {
  readonly timings: Observer;
  /** Distributions too. */
  readonly histograms: Observer;
  readonly counterType: CounterType;
  readonly monotonicCounters: boolean;
  readonly simpleTags: boolean;
  readonly metricTypeAttribute: boolean;
  readonly maxSeries: number;
  /** What is gathered may hold so much memory, by estimate. */
  readonly maxBytes: number;
}

export interface StatsdSettings {
  readonly transport: 'udp' | 'tcp';
  /** Null: whatever the endpoint's name stands for. */
  readonly family: 4 | 6 | null;
  readonly endpoint: Endpoint;
  readonly intervalMs: number;
  /** Who counts as one sender: a port of an address, an address, or all together. */
  readonly sender: 'port' | 'address' | 'all';
  /** `SO_RCVBUF`; 0: what the system gives. */
  readonly socketBufferBytes: number;
  readonly aggregation: AggregationSettings;
}

const TRANSPORTS = ['udp', 'udp4', 'udp6', 'tcp', 'tcp4', 'tcp6', 'unixgram'] as const;
const TYPES = ['timing', 'timer', 'histogram', 'distribution'] as const;
const OBSERVERS = ['gauge', 'summary', 'histogram', 'disabled'] as const;
const DEFAULT_PERCENTILES = [0, 10, 50, 90, 95, 100];
const MAX_BOUNDS = 1_000;
/** More than this would not fit the tables of one batch. */
const MOST_BYTES = 128 * 1024 ** 2;

/** Reads the settings of the Collector's receiver, with `max_series` and `max_in_flight_size` of our own. */
export function readStatsdSettings(settings: SettingsMap): StatsdSettings {
  const transport = settings.choice('transport', TRANSPORTS, 'udp');
  if (transport === 'unixgram') throw settings.fail('transport', 'unixgram is not supported: Node has no such sockets');
  const intervalMs = settings.duration('aggregation_interval', '60s');
  if (intervalMs < 100 || intervalMs > 86_400_000) {
    throw settings.fail('aggregation_interval', 'it is out of range; write 100ms to 24h');
  }
  const ipOnly = settings.boolean('enable_ip_only_aggregation', false);
  const maxBytes = settings.size('max_in_flight_size', '64MiB');
  if (maxBytes < 1024 ** 2 || maxBytes > MOST_BYTES) {
    throw settings.fail('max_in_flight_size', 'it is out of range; write 1MiB to 128MiB');
  }
  return {
    transport: transport.startsWith('udp') ? 'udp' : 'tcp',
    family: transport.endsWith('4') ? 4 : transport.endsWith('6') ? 6 : null,
    endpoint: settings.endpoint('endpoint', 'localhost:8125'),
    intervalMs,
    sender: settings.boolean('ignore_host', false) ? 'all' : ipOnly ? 'address' : 'port',
    socketBufferBytes: settings.integer('socket_buffer_size', 0, { min: 0, max: 1024 ** 3 }),
    aggregation: {
      ...readMapping(settings),
      counterType: settings.choice('counter_type', ['int', 'float', 'stochastic_int'], 'int'),
      monotonicCounters: settings.boolean('is_monotonic_counter', false),
      simpleTags: settings.boolean('enable_simple_tags', false),
      metricTypeAttribute: settings.boolean('enable_metric_type', false),
      maxSeries: settings.integer('max_series', 100_000, { min: 1, max: 1_000_000 }),
      maxBytes,
    },
  };
}

/** A mapping replaces the default one as a whole: values of types that it does not name are not kept. */
function readMapping(settings: SettingsMap): Pick<AggregationSettings, 'timings' | 'histograms'> {
  const tables = settings.tables('timer_histogram_mapping');
  if (!settings.has('timer_histogram_mapping')) return { timings: { kind: 'gauge' }, histograms: { kind: 'gauge' } };
  let timings: Observer = { kind: 'disabled' };
  let histograms: Observer = { kind: 'disabled' };
  for (const table of tables) {
    const type = table.choice('statsd_type', TYPES);
    const observer = readObserver(table);
    if (type === 'timing' || type === 'timer') timings = observer;
    else histograms = observer;
  }
  return { timings, histograms };
}

function readObserver(table: SettingsMap): Observer {
  const kind = table.choice('observer_type', OBSERVERS);
  if (kind !== 'histogram' && table.has('histogram')) {
    throw table.fail('histogram', 'it belongs to observer_type: histogram');
  }
  if (kind !== 'summary' && table.has('summary')) throw table.fail('summary', 'it belongs to observer_type: summary');
  switch (kind) {
    case 'summary': {
      const summary = table.table('summary');
      const percentiles = summary.numbers('percentiles', DEFAULT_PERCENTILES);
      if (percentiles.some((percentile) => percentile < 0 || percentile > 100)) {
        throw summary.fail('percentiles', 'they are out of range; write 0 to 100');
      }
      if (percentiles.length > MAX_BOUNDS) throw summary.fail('percentiles', `more than ${MAX_BOUNDS}`);
      return { kind, percentiles: percentiles.length === 0 ? DEFAULT_PERCENTILES : percentiles };
    }
    case 'histogram': {
      const histogram = table.table('histogram');
      const maxSize = histogram.integer('max_size', 160, { min: 0, max: 16_384 });
      if (maxSize === 1) throw histogram.fail('max_size', '"1" is out of range; write 2 to 16384');
      const explicit = histogram.tables('explicit_buckets').map(readExplicit);
      return { kind, maxSize: maxSize || 160, explicit };
    }
    default:
      return { kind };
  }
}

function readExplicit(table: SettingsMap): { pattern: RE2JS; bounds: number[] } {
  const { text, fail } = table.text('matcher_pattern');
  if (text === '') throw fail('it is empty');
  const bounds = table.numbers('buckets');
  if (bounds.length === 0 || bounds.length > MAX_BOUNDS) {
    throw table.fail('buckets', `expected 1 to ${MAX_BOUNDS} upper bounds`);
  }
  if (bounds.some((bound, i) => i > 0 && bound <= (bounds[i - 1] as number))) {
    throw table.fail('buckets', 'upper bounds must rise');
  }
  try {
    return { pattern: RE2JS.compile(text), bounds };
  } catch (error) {
    throw fail((error as Error).message.replace('error parsing regexp: ', ''));
  }
}
