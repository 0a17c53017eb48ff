import type { RecordedSpan } from './recorded-span.ts';
import type { RecordedTrace } from './recorded-trace.ts';

/** The same query, made again and again by one span: what one query for all rows would have answered. */
export interface RepeatedQuery {
  /** The statement with literals replaced, or what else names it. */
  readonly query: string;
  readonly times: number;
  /** Name of the span that made them; undefined for roots. */
  readonly parent: string | undefined;
}

/** Queries that one span of the trace made more than `atMost` times, the most frequent first. */
export function repeatedQueries(trace: RecordedTrace, atMost: number): RepeatedQuery[] {
  const counts = new Map<string, { query: string; times: number; parent: string | undefined }>();
  const names = new Map(trace.spans.map(({ spanId, name }) => [spanId, name]));
  for (const span of trace.spans) {
    const query = queryOf(span);
    if (query === undefined) continue;
    const key = JSON.stringify([span.parentSpanId, query]);
    const known = counts.get(key);
    if (known === undefined)
      counts.set(key, { query, times: 1, parent: span.parentSpanId && names.get(span.parentSpanId) });
    else known.times++;
  }
  return [...counts.values()].filter(({ times }) => times > atMost).sort((a, b) => b.times - a.times);
}

/** Undefined for what is no query of a database. */
function queryOf({ name, kind, attributes }: RecordedSpan): string | undefined {
  const system = attributes['db.system.name'] ?? attributes['db.system'];
  if (system === undefined || kind !== 'client') return undefined;
  const text = attributes['db.query.text'] ?? attributes['db.statement'];
  return typeof text === 'string' ? withoutLiterals(text) : name;
}

/** Two queries that differ by their values only are the same one. */
function withoutLiterals(text: string): string {
  return text
    .replace(/'(?:[^']|'')*'/g, '?')
    .replace(/\$\d+|\b\d+(?:\.\d+)?\b/g, '?')
    .replace(/\s+/g, ' ')
    .trim();
}
