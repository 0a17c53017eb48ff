import { Temporality } from '@signalbox/records';
import type { SettingsMap } from '../../config/settings-map.ts';
import { type Dimension, dimension } from '../dimensions.ts';
import type { HistogramKind } from './span-series.ts';

export interface SpanMetricsSettings {
  readonly namespace: string;
  /** Null: none. */
  readonly histogram: HistogramKind | null;
  readonly unit: 'ms' | 's';
  readonly dimensions: readonly Dimension[];
  /** Of the four that every series has. */
  readonly excluded: ReadonlySet<string>;
  readonly temporality: Temporality;
  readonly flushIntervalMs: number;
  /** 0: never. */
  readonly expirationMs: number;
  /** Exemplars of a series between two flushes; 0: none. */
  readonly maxExemplars: number;
  /** Attributes of events that tell series of the events metric apart; null: there is no such metric. */
  readonly eventDimensions: readonly Dimension[] | null;
  /** Attributes of resources that tell resources apart; null: all. */
  readonly resourceKeys: readonly string[] | null;
  /** Series of all resources; further ones become one with `otel.metric.overflow`. */
  readonly maxSeries: number;
}

const DEFAULT_BUCKETS = '2ms 4ms 6ms 8ms 10ms 50ms 100ms 200ms 400ms 800ms 1s 1400ms 2s 5s 10s 15s'.split(' ');
const DEFAULT_MAX_SERIES = 100_000;

export function readSpanMetricsSettings(settings: SettingsMap): SpanMetricsSettings {
  const histogram = settings.table('histogram');
  const unit = histogram.choice('unit', ['ms', 's'], 'ms');
  const exemplars = settings.table('exemplars');
  const events = settings.table('events');
  const resourceKeys = settings.strings('resource_metrics_key_attributes');
  const eventDimensions = events.tables('dimensions').map(readDimension);
  const countsEvents = events.boolean('enabled', false);
  if (countsEvents && eventDimensions.length === 0) {
    throw settings.fail('events', 'needs dimensions, the attributes of events to count by');
  }
  // Caches of upstream's whose sizes bound memory there; here `aggregation_cardinality_limit` does.
  settings.integer('dimensions_cache_size', 1000, { min: 0 });
  settings.integer('resource_metrics_cache_size', 1000, { min: 0 });
  const maxPerPoint = exemplars.integer('max_per_data_point', 5, { min: 1, max: 100 });
  return {
    namespace: settings.string('namespace', 'traces.span.metrics'),
    histogram: readHistogram(histogram, unit),
    unit,
    dimensions: settings.tables('dimensions').map(readDimension),
    excluded: new Set(settings.strings('exclude_dimensions')),
    temporality:
      settings.choice(
        'aggregation_temporality',
        ['AGGREGATION_TEMPORALITY_CUMULATIVE', 'AGGREGATION_TEMPORALITY_DELTA'],
        'AGGREGATION_TEMPORALITY_CUMULATIVE',
      ) === 'AGGREGATION_TEMPORALITY_DELTA'
        ? Temporality.Delta
        : Temporality.Cumulative,
    flushIntervalMs: Math.max(settings.duration('metrics_flush_interval', '60s'), 1),
    expirationMs: settings.duration('metrics_expiration', '0'),
    maxExemplars: exemplars.boolean('enabled', false) ? maxPerPoint : 0,
    eventDimensions: countsEvents ? eventDimensions : null,
    resourceKeys: resourceKeys.length === 0 ? null : resourceKeys,
    maxSeries: settings.integer('aggregation_cardinality_limit', 0, { min: 0 }) || DEFAULT_MAX_SERIES,
  };
}

function readHistogram(settings: SettingsMap, unit: 'ms' | 's'): HistogramKind | null {
  const isDisabled = settings.boolean('disable', false);
  const exponential = settings.optionalTable('exponential');
  const buckets = settings.table('explicit').durations('buckets', DEFAULT_BUCKETS);
  if (isDisabled) {
    return null;
  }
  if (exponential !== null) {
    return { kind: 'exponential', maxSize: exponential.integer('max_size', 160, { min: 2, max: 10_000 }) };
  }
  if (buckets.some((bucket, i) => i > 0 && bucket <= (buckets[i - 1] as number))) {
    throw settings.fail('explicit', 'buckets must ascend');
  }
  return { kind: 'explicit', bounds: unit === 'ms' ? buckets : buckets.map((bucket) => bucket / 1000) };
}

function readDimension(settings: SettingsMap): Dimension {
  return dimension(settings.string('name'), settings.string('default', null) ?? undefined);
}
