import type { Attributes, HrTime } from '@opentelemetry/api';
import {
  type DataPoint,
  DataPointType,
  type ExponentialHistogram,
  type Histogram,
  type MetricData,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import type { Exemplar } from '../exemplar-reservoir.ts';
import { escapeName, labelName, metricName, type TranslationStrategy } from './metric-name.ts';

/** What a scraper asked for. */
export interface ExpositionFormat {
  /** OpenMetrics 1.0, which has exemplars; otherwise Prometheus's text format. */
  readonly openMetrics: boolean;
  /** Names may hold any character; otherwise those that need it are escaped after all. */
  readonly utf8: boolean;
}

type Label = readonly [name: string, value: string];

interface Family {
  readonly type: 'counter' | 'gauge' | 'histogram' | 'info' | 'unknown';
  readonly help: string;
  readonly lines: string[];
}

/** Exemplars of one point of a histogram. */
export type ExemplarsOf = (
  scope: string,
  version: string | undefined,
  metric: string,
  point: DataPoint<unknown>,
) => readonly Exemplar[];

/**
 * Writes what one reader collected (cumulative) as https://prometheus.io/docs/specs/om/open_metrics_spec/ or
 * https://prometheus.io/docs/instrumenting/exposition_formats/ has it. Series under a name that two kinds of instruments
 * ask for are left out but for the first kind, and named in `conflicts`.
 */
export class Exposition {
  readonly #format: ExpositionFormat;
  readonly #strategy: TranslationStrategy;
  readonly #exemplarsOf: ExemplarsOf;
  readonly #families = new Map<string, Family>();
  readonly conflicts: string[] = [];

  constructor(format: ExpositionFormat, strategy: TranslationStrategy, exemplarsOf: ExemplarsOf) {
    this.#format = format;
    this.#strategy = strategy;
    this.#exemplarsOf = exemplarsOf;
  }

  add({ resource, scopeMetrics }: ResourceMetrics): void {
    this.#addTargetInfo(resource.attributes);
    for (const { scope, metrics } of scopeMetrics) {
      const scopeLabels: Label[] = [['otel_scope_name', scope.name]];
      if (scope.version !== undefined && scope.version !== '') scopeLabels.push(['otel_scope_version', scope.version]);
      for (const metric of metrics)
        this.#addMetric(metric, scopeLabels, (point) =>
          this.#format.openMetrics ? this.#exemplarsOf(scope.name, scope.version, metric.descriptor.name, point) : [],
        );
    }
  }

  text(): string {
    let text = '';
    for (const [name, { type, help, lines }] of this.#families) {
      const shown = this.#quoted(name);
      if (help !== '') text += `# HELP ${shown} ${escapeHelp(help, this.#format.openMetrics)}\n`;
      text += `# TYPE ${shown} ${type}\n${lines.join('\n')}\n`;
    }
    return this.#format.openMetrics ? `${text}# EOF\n` : text;
  }

  /** https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#resource-attributes-1 */
  #addTargetInfo(attributes: Attributes): void {
    const labels = this.#labels(attributes, []);
    if (labels.length === 0) return;
    // OpenMetrics has a type for it, of which Prometheus's text format knows nothing.
    const [name, type] = this.#format.openMetrics ? (['target', 'info'] as const) : (['target_info', 'gauge'] as const);
    this.#families.set(name, { type, help: 'Target metadata', lines: [this.#line('target_info', labels, '1')] });
  }

  #addMetric(
    metric: MetricData,
    scopeLabels: readonly Label[],
    exemplarsOf: (point: DataPoint<unknown>) => readonly Exemplar[],
  ): void {
    const { descriptor } = metric;
    const isCounter = metric.dataPointType === DataPointType.SUM && metric.isMonotonic;
    const isGauge =
      !isCounter && (metric.dataPointType === DataPointType.SUM || metric.dataPointType === DataPointType.GAUGE);
    const translated = metricName({ name: descriptor.name, unit: descriptor.unit, isCounter, isGauge }, this.#strategy);
    const name = this.#format.utf8 ? translated : escapeName(translated);
    const hasSuffix = name.endsWith('_total');
    // OpenMetrics names a counter's family without the suffix that its samples must have; without, it may not say counter.
    const isUnknown = this.#format.openMetrics && isCounter && !hasSuffix;
    const type = isUnknown ? 'unknown' : isCounter ? 'counter' : isGauge ? 'gauge' : 'histogram';
    const familyName = this.#format.openMetrics && type === 'counter' ? name.slice(0, -'_total'.length) : name;
    const family = this.#family(familyName, type, descriptor.description);
    if (family === undefined) {
      this.conflicts.push(name);
      return;
    }
    if (
      metric.dataPointType === DataPointType.HISTOGRAM ||
      metric.dataPointType === DataPointType.EXPONENTIAL_HISTOGRAM
    ) {
      const points: readonly DataPoint<Histogram | ExponentialHistogram>[] = metric.dataPoints;
      for (const point of points)
        this.#addHistogram(family, name, point, this.#labels(point.attributes, scopeLabels), exemplarsOf(point));
    } else {
      for (const { attributes, value } of metric.dataPoints)
        family.lines.push(this.#line(name, this.#labels(attributes, scopeLabels), number(value)));
    }
  }

  #family(name: string, type: Family['type'], help: string): Family | undefined {
    let family = this.#families.get(name);
    if (family === undefined) {
      family = { type, help, lines: [] };
      this.#families.set(name, family);
    }
    return family.type === type ? family : undefined;
  }

  #addHistogram(
    { lines }: Family,
    name: string,
    { value }: DataPoint<Histogram | ExponentialHistogram>,
    labels: readonly Label[],
    exemplars: readonly Exemplar[],
  ): void {
    const { boundaries, counts } = 'buckets' in value ? value.buckets : explicitBuckets(value);
    let cumulative = 0;
    let lower = Number.NEGATIVE_INFINITY;
    for (const [index, upper] of [...boundaries, Number.POSITIVE_INFINITY].entries()) {
      cumulative += counts[index] ?? 0;
      const from = lower;
      const exemplar = exemplars.find((each) => each.value > from && each.value <= upper);
      lines.push(
        this.#line(`${name}_bucket`, [...labels, ['le', number(upper, this.#format.openMetrics)]], number(cumulative)) +
          exemplarText(exemplar),
      );
      lower = upper;
    }
    lines.push(
      this.#line(`${name}_sum`, labels, number(value.sum ?? 0)),
      this.#line(`${name}_count`, labels, number(value.count)),
    );
  }

  /** Attributes whose names become the same share a label, their values joined, as the specification asks. */
  #labels(attributes: Attributes, more: readonly Label[]): Label[] {
    const values = new Map<string, string[]>();
    for (const key of Object.keys(attributes).sort()) {
      const value = attributes[key];
      if (value === undefined || value === null) continue;
      const translated = labelName(key, this.#strategy);
      const name = this.#format.utf8 ? translated : labelName(translated, 'UnderscoreEscapingWithSuffixes');
      values.set(name, [...(values.get(name) ?? []), Array.isArray(value) ? JSON.stringify(value) : String(value)]);
    }
    return [...more, ...[...values].map(([name, parts]): Label => [name, parts.join(';')])];
  }

  #line(name: string, labels: readonly Label[], value: string): string {
    const inside = labels.map(([key, text]) => `${this.#quoted(key)}="${escapeLabel(text)}"`);
    // A name of other characters than Prometheus's stands among the labels, in quotes.
    const isPlain = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name);
    if (!isPlain) inside.unshift(`"${escapeLabel(name)}"`);
    return `${isPlain ? name : ''}${inside.length === 0 ? '' : `{${inside.join(',')}}`} ${value}`;
  }

  #quoted(name: string): string {
    return /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name) ? name : `"${escapeLabel(name)}"`;
  }
}

/**
 * Text formats have explicit buckets only: one for each exponential bucket that holds something, with its upper bound
 * (https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponential-scale).
 */
function explicitBuckets({ scale, zeroCount, positive, negative }: ExponentialHistogram): {
  boundaries: number[];
  counts: number[];
} {
  const base = 2 ** (2 ** -scale);
  const buckets: [bound: number, count: number][] = [];
  // A negative bucket (-base^(i+1), -base^i] ends where its counterpart begins.
  for (const [index, count] of negative.bucketCounts.entries())
    if (count > 0) buckets.push([-(base ** (negative.offset + index)), count]);
  buckets.reverse();
  if (zeroCount > 0) buckets.push([0, zeroCount]);
  for (const [index, count] of positive.bucketCounts.entries())
    if (count > 0) buckets.push([base ** (positive.offset + index + 1), count]);
  return { boundaries: buckets.map(([bound]) => bound), counts: buckets.map(([, count]) => count) };
}

function exemplarText(exemplar: Exemplar | undefined): string {
  if (exemplar === undefined) return '';
  const { value, traceId, spanId, time } = exemplar;
  const ids = traceId === undefined ? '' : `trace_id="${traceId}",span_id="${spanId}"`;
  return ` # {${ids}} ${number(value)} ${seconds(time)}`;
}

function seconds([whole, nanos]: HrTime): string {
  return `${whole}.${String(Math.floor(nanos / 1e6)).padStart(3, '0')}`;
}

/** OpenMetrics wants bounds to look like floats. */
function number(value: number, asFloat = false): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return asFloat && Number.isInteger(value) && Math.abs(value) < 1e15 ? `${value}.0` : String(value);
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}

function escapeHelp(text: string, openMetrics: boolean): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  return openMetrics ? escaped.replaceAll('"', '\\"') : escaped;
}
