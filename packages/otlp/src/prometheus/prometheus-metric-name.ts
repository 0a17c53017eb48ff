import { MetricType } from '@signalbox/records';
import { cleanSuffix, unitSuffixes } from './prometheus-unit.ts';
import { addsSuffixes, escapesNames, type TranslationStrategy } from './translation-strategy.ts';

/** What a metric's name in Prometheus follows from. */
export interface NamedMetric {
  readonly name: string;
  readonly unit: string;
  readonly type: MetricType;
  readonly isMonotonic: boolean;
}

/**
 * The name of a metric in Prometheus (opentelemetry-specification, "Prometheus and OpenMetrics Compatibility", and
 * Prometheus's otlptranslator); of histograms and summaries that of the family, to which `_bucket`, `_sum` and `_count` are
 * added. Undefined when nothing is left of it.
 */
export function prometheusMetricName(metric: NamedMetric, strategy: TranslationStrategy): string | undefined {
  const name = escapesNames(strategy) ? escaped(metric, addsSuffixes(strategy)) : unescaped(metric, strategy);
  return name === '' || (name !== metric.name && /^_+$/.test(name)) ? undefined : name;
}

function isCounter({ type, isMonotonic }: NamedMetric): boolean {
  return type === MetricType.Sum && isMonotonic;
}

/** A unit of 1 is a ratio only of gauges: many count things with it. */
function isRatio({ type, unit }: NamedMetric): boolean {
  return type === MetricType.Gauge && unit === '1';
}

function escaped(metric: NamedMetric, withSuffixes: boolean): string {
  const foreign = withSuffixes ? /[^a-zA-Z0-9:]+/u : /[^a-zA-Z0-9:_]+/u;
  let parts = metric.name.split(foreign).filter((part) => part !== '');
  if (withSuffixes) {
    parts = withUnit(parts, metric.unit);
    if (isCounter(metric)) parts = [...parts.filter((part) => part !== 'total'), 'total'];
    if (isRatio(metric)) parts = [...parts.filter((part) => part !== 'ratio'), 'ratio'];
  }
  const name = parts.join('_');
  return /^\d/.test(name) ? `_${name}` : name;
}

/** Adds the unit unless the name has it already. */
function withUnit(parts: readonly string[], unit: string): string[] {
  const suffixes = unitSuffixes(unit);
  const cleanPer = cleanSuffix(suffixes.per);
  let main = cleanSuffix(suffixes.main);
  let per = cleanPer === 'per_' ? '' : cleanPer.replace(/_$/, '');
  if (parts.includes(main)) main = '';
  if (parts.includes(per)) per = '';
  if (per !== '') main = main.replace(/_$/, '');
  return [...parts, main, per].filter((part) => part !== '');
}

function unescaped(metric: NamedMetric, strategy: TranslationStrategy): string {
  if (!addsSuffixes(strategy)) return metric.name;
  const { main, per } = unitSuffixes(metric.unit);
  const outer = [per, isCounter(metric) ? 'total' : '', isRatio(metric) ? 'ratio' : ''].filter((part) => part !== '');
  // What is there already is taken off and put on again, so that the order is always the same.
  let { name } = metric;
  for (const suffix of [...outer].reverse()) name = withoutSuffix(name, suffix);
  if (main !== '' && !name.endsWith(main)) name = `${name}_${main}`;
  return [name, ...outer].join('_');
}

/** Takes off the suffix and the one character before it, taken for a delimiter. */
function withoutSuffix(name: string, suffix: string): string {
  return name.endsWith(suffix) && name.length > suffix.length + 1 ? name.slice(0, -suffix.length - 1) : name;
}
