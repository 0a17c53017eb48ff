import { prometheusLabelName, prometheusMetricName, prometheusUnit, type TranslationStrategy } from '@signalbox/otlp';
import {
  type AttributeEntry,
  type MetricBatch,
  type MetricPointObject,
  MetricType,
  metricPointObjects,
} from '@signalbox/records';
import { labelValue } from './label-value.ts';

export type Labels = readonly (readonly [name: string, value: string])[];

export interface TranslateOptions {
  readonly strategy: TranslationStrategy;
  /** In front of every name; '' for none. */
  readonly namespace: string;
  /** On every series. A label of a series' own wins. */
  readonly constLabels: Labels;
  /** All resource attributes become labels. */
  readonly resourceLabels: boolean;
  /** `otel_scope_name`, `otel_scope_version`, `otel_scope_schema_url`. */
  readonly scopeLabels: boolean;
}

export interface PrometheusFamily {
  /** Of histograms and summaries without `_bucket`, `_sum`, `_count`; of counters with `_total`. */
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary';
  readonly help: string;
  /** As Prometheus spells it; '' for none. */
  readonly unit: string;
}

export interface PrometheusExemplar {
  readonly labels: Labels;
  readonly value: number;
  /** Milliseconds since 1970; 0: unknown. */
  readonly timeMs: number;
}

/** Value of a series at a time. Counts of buckets are of each bucket alone. */
export type PrometheusValue =
  | { readonly kind: 'number'; readonly value: number }
  | {
      readonly kind: 'histogram';
      readonly count: number;
      readonly sum: number | null;
      readonly bounds: readonly number[];
      readonly counts: readonly number[];
    }
  | {
      readonly kind: 'native';
      readonly count: number;
      readonly sum: number | null;
      readonly scale: number;
      readonly zeroCount: number;
      readonly zeroThreshold: number;
      readonly positive: NativeBuckets;
      readonly negative: NativeBuckets;
    }
  | {
      readonly kind: 'summary';
      readonly count: number;
      readonly sum: number;
      readonly quantiles: readonly (readonly [quantile: number, value: number])[];
    };

export interface NativeBuckets {
  /** As in OTLP: bucket i holds values above base^(offset + i). */
  readonly offset: number;
  readonly counts: readonly number[];
}

export interface PrometheusPoint {
  readonly family: PrometheusFamily;
  /** Sorted by name. */
  readonly labels: Labels;
  readonly timeMs: number;
  readonly startMs: number;
  /** The value is the change since the last point. */
  readonly delta: boolean;
  /** The series ended: no value was recorded. */
  readonly stale: boolean;
  readonly value: PrometheusValue;
  readonly exemplars: readonly PrometheusExemplar[];
}

const IDENTIFYING: ReadonlySet<string> = new Set(['service.name', 'service.namespace', 'service.instance.id']);

/**
 * Points as Prometheus names and labels them (OpenTelemetry specification, "OTLP Metric points to Prometheus"), and for each resource that
 * says more than who it is a point of `target_info`. Metrics without a name in Prometheus, and those that Prometheus has no kind for (without
 * temporality, or deltas that may fall), are left out and counted.
 */
export function translateMetrics(
  batch: MetricBatch,
  options: TranslateOptions,
): { points: PrometheusPoint[]; skipped: number } {
  const points: PrometheusPoint[] = [];
  let skipped = 0;
  const targets = new Map<string, PrometheusPoint>();
  for (const point of metricPointObjects(batch)) {
    const translated = translatePoint(point, options);
    if (translated === null) {
      skipped++;
      continue;
    }
    points.push(translated);
    const target = targetInfo(point, options);
    if (target !== null) targets.set(JSON.stringify(target.labels), target);
  }
  return { points: [...points, ...targets.values()], skipped };
}

function translatePoint(point: MetricPointObject, options: TranslateOptions): PrometheusPoint | null {
  const { metric, resource, scope } = point;
  const isDelta = metric.temporality === 1;
  const hasTemporality = metric.type !== MetricType.Gauge && metric.type !== MetricType.Summary;
  if (hasTemporality && metric.temporality === 0) return null;
  if (metric.type === MetricType.Sum && isDelta && !metric.monotonic) return null;
  const name = prometheusMetricName(
    { name: metric.name, unit: metric.unit, type: metric.type as MetricType, isMonotonic: metric.monotonic },
    options.strategy,
  );
  if (name === undefined) return null;
  const labels = new LabelBuilder(options.strategy);
  labels.add(point.attributes);
  if (options.resourceLabels) labels.add(resource.attributes);
  if (options.scopeLabels) {
    labels.set('otel_scope_name', scope.name);
    labels.set('otel_scope_version', scope.version);
    labels.set('otel_scope_schema_url', scope.schemaUrl);
  }
  for (const [key, value] of identity(resource.attributes)) labels.set(key, value);
  return {
    family: {
      name: withNamespace(name, options),
      type: familyType(point),
      help: metric.description,
      unit: prometheusUnit(metric.unit),
    },
    labels: labels.sorted(options.constLabels),
    timeMs: milliseconds(point.time),
    startMs: milliseconds(point.startTime),
    delta: isDelta && hasTemporality,
    stale: (point.flags & 1) !== 0,
    value: pointValue(point),
    exemplars: 'exemplars' in point ? point.exemplars.map((exemplar) => exemplarOf(exemplar, options.strategy)) : [],
  };
}

function withNamespace(name: string, { namespace }: TranslateOptions): string {
  if (namespace === '') return name;
  // A digit needs no underscore before it when something else stands there.
  return `${namespace}_${name.replace(/^_(?=\d)/, '')}`;
}

function familyType({ metric }: MetricPointObject): PrometheusFamily['type'] {
  switch (metric.type) {
    case MetricType.Sum:
      return metric.monotonic ? 'counter' : 'gauge';
    case MetricType.Histogram:
    case MetricType.ExponentialHistogram:
      return 'histogram';
    case MetricType.Summary:
      return 'summary';
    default:
      return 'gauge';
  }
}

function pointValue(point: MetricPointObject): PrometheusValue {
  if ('value' in point) return { kind: 'number', value: Number(point.value ?? Number.NaN) };
  if ('explicitBounds' in point) {
    const { count, sum, explicitBounds, bucketCounts } = point;
    return {
      kind: 'histogram',
      count: Number(count),
      sum,
      bounds: explicitBounds,
      counts: bucketCounts.map(Number),
    };
  }
  if ('quantiles' in point) {
    const { count, sum, quantiles, quantileValues } = point;
    return {
      kind: 'summary',
      count: Number(count),
      sum,
      quantiles: quantiles.map((quantile, index) => [quantile, quantileValues[index] ?? Number.NaN]),
    };
  }
  const { count, sum, scale, zeroCount, zeroThreshold } = point;
  return {
    kind: 'native',
    count: Number(count),
    sum,
    scale,
    zeroCount: Number(zeroCount),
    zeroThreshold,
    positive: { offset: point.positiveOffset, counts: point.positiveCounts.map(Number) },
    negative: { offset: point.negativeOffset, counts: point.negativeCounts.map(Number) },
  };
}

interface ExemplarObject {
  readonly time: bigint;
  readonly value: bigint | number | null;
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: readonly AttributeEntry[];
}

function exemplarOf(exemplar: ExemplarObject, strategy: TranslationStrategy): PrometheusExemplar {
  const labels = new LabelBuilder(strategy);
  labels.add(exemplar.attributes);
  if (!/^0*$/.test(exemplar.traceId)) labels.set('trace_id', exemplar.traceId);
  if (!/^0*$/.test(exemplar.spanId)) labels.set('span_id', exemplar.spanId);
  return { labels: labels.sorted([]), value: Number(exemplar.value ?? 0), timeMs: milliseconds(exemplar.time) };
}

/** `job` and `instance` of a resource (specification, "Resource Attributes"). */
function identity(attributes: readonly AttributeEntry[]): Labels {
  const values = new Map(attributes.map(([key, value]) => [key, labelValue(value)]));
  const name = values.get('service.name');
  const namespace = values.get('service.namespace');
  const instance = values.get('service.instance.id');
  return [
    ...(name ? [['job', namespace ? `${namespace}/${name}` : name] as const] : []),
    ...(instance ? [['instance', instance] as const] : []),
  ];
}

function targetInfo({ resource, time }: MetricPointObject, options: TranslateOptions): PrometheusPoint | null {
  const more = resource.attributes.filter(([key]) => !IDENTIFYING.has(key));
  const who = identity(resource.attributes);
  if (more.length === 0 || who.length === 0) return null;
  const labels = new LabelBuilder(options.strategy);
  labels.add(more);
  for (const [key, value] of who) labels.set(key, value);
  return {
    family: { name: withNamespace('target_info', options), type: 'gauge', help: 'Target metadata', unit: '' },
    labels: labels.sorted(options.constLabels),
    timeMs: milliseconds(time),
    startMs: 0,
    delta: false,
    stale: false,
    value: { kind: 'number', value: 1 },
    exemplars: [],
  };
}

/** Keys that become one name have their values joined, in the order of the keys. */
class LabelBuilder {
  readonly #strategy: TranslationStrategy;
  readonly #labels = new Map<string, string>();

  constructor(strategy: TranslationStrategy) {
    this.#strategy = strategy;
  }

  /** Adds attributes; those of an earlier call win. */
  add(attributes: readonly AttributeEntry[]): void {
    const added = new Map<string, string>();
    for (const [key, value] of [...attributes].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))) {
      const name = prometheusLabelName(key, this.#strategy);
      if (name === undefined) continue;
      const before = added.get(name);
      added.set(name, before === undefined ? labelValue(value) : `${before};${labelValue(value)}`);
    }
    for (const [name, value] of added) if (!this.#labels.has(name)) this.#labels.set(name, value);
  }

  set(name: string, value: string): void {
    if (value !== '') this.#labels.set(name, value);
  }

  sorted(constLabels: Labels): Labels {
    const all = new Map([...constLabels, ...this.#labels]);
    return [...all].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}

function milliseconds(nanoseconds: bigint): number {
  return Number(nanoseconds / 1_000_000n);
}
