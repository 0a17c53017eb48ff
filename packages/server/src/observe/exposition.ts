import type { TelemetryAttributes } from '../pipeline/telemetry.ts';
import type { TelemetryMetric, TelemetrySeries } from '../pipeline/telemetry-registry.ts';

export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Metrics in Prometheus's text format 0.0.4. */
export function exposition(metrics: readonly TelemetryMetric[]): string {
  return metrics.map(family).join('');
}

function family({ name, description, kind, bounds, series }: TelemetryMetric): string {
  const full = kind === 'counter' ? `${name}_total` : name;
  const lines = [
    `# HELP ${full} ${description.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')}`,
    `# TYPE ${full} ${kind}`,
  ];
  for (const one of series) lines.push(...samples(full, bounds, one));
  return `${lines.join('\n')}\n`;
}

function samples(name: string, bounds: readonly number[], series: TelemetrySeries): string[] {
  const { attributes } = series;
  if ('value' in series) return [`${name}${labels(attributes)} ${series.value}`];
  let cumulative = 0;
  return [
    ...series.buckets.map((count, index) => {
      cumulative += count;
      const le = index < bounds.length ? String(bounds[index]) : '+Inf';
      return `${name}_bucket${labels({ ...attributes, le })} ${cumulative}`;
    }),
    `${name}_sum${labels(attributes)} ${series.sum}`,
    `${name}_count${labels(attributes)} ${series.count}`,
  ];
}

function labels(attributes: TelemetryAttributes): string {
  const pairs = Object.entries(attributes).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(value: string): string {
  return value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}
