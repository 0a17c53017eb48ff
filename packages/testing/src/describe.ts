import { inspect } from 'node:util';
import type { RecordedSeries } from './recorded-metric.ts';
import type { RecordedSpan } from './recorded-span.ts';
import type { Recording } from './recording.ts';

/** How many names a message lists at most. */
const MAX_LISTED = 30;

export function show(value: unknown): string {
  return inspect(value, { depth: 6, breakLength: 120, compact: 3, sorted: true });
}

/** The names of spans with how often each is there: what was recorded instead of what was expected. */
export function listSpans(spans: readonly RecordedSpan[]): string {
  return listNames(spans.map(({ name }) => name)) || 'no span at all';
}

export function listMetrics({ metrics }: Recording): string {
  return listNames(metrics.map(({ name }) => name)) || 'no metric at all';
}

export function listSeries(series: readonly RecordedSeries[]): string {
  return series.map(({ attributes, value, count }) => `${show(attributes)} = ${value ?? `${count} values`}`).join('; ');
}

function listNames(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  const listed = Array.from(counts, ([name, count]) => (count > 1 ? `"${name}" ×${count}` : `"${name}"`));
  const more = listed.length - MAX_LISTED;
  return more > 0 ? `${listed.slice(0, MAX_LISTED).join(', ')} and ${more} more` : listed.join(', ');
}
