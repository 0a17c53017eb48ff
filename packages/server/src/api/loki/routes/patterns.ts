import { parseLogql } from '@signalbox/query-language';
import type { LogEntry } from '../../../query/logql/stream-labels.ts';
import { PatternFinder } from '../../../query/logql-store/patterns/pattern-finder.ts';
import { StoreLogs } from '../../../query/logql-store/store-logs.ts';
import type { StreamCatalog } from '../../../query/logql-store/stream-catalog.ts';
import { LokiError } from '../loki-error.ts';
import { type LokiRoute, route, success } from '../loki-route.ts';

/** Lines that are looked at, the newest; and how much of them may be in memory, in UTF-16 units. */
const maxLines = 20_000;
const maxLength = 16 * 1024 * 1024;
const maxSteps = 11_000n;

/** Lines that are the same but for some words, counted by time. */
export function patternRoutes(catalog: StreamCatalog): readonly LokiRoute[] {
  return route('patterns', async ({ parameters, context }) => {
    const expr = parseLogql(parameters.text('query'));
    if (expr.kind !== 'log' || expr.stages.length > 0) throw new LokiError(400, 'only label matchers are supported');
    const range = parameters.range();
    const stepNs = parameters.step(range);
    const { startNs, endNs } = range;
    if ((endNs - startNs) / stepNs > maxSteps) {
      throw new LokiError(
        400,
        `exceeded maximum resolution of ${maxSteps.toLocaleString('en')} points per time series. Try increasing the value of the step parameter`,
      );
    }
    const { matchers } = expr;
    const selection = {
      matchers,
      stages: [],
      fromNs: startNs,
      toNs: endNs,
      direction: 'backward' as const,
      limit: maxLines,
      labels: ['detected_level'],
    };
    const newest: LogEntry[] = [];
    let length = 0;
    reading: for await (const entries of new StoreLogs(context, catalog).select(selection)) {
      for (const entry of entries) {
        length += entry.line.length;
        newest.push(entry);
        if (newest.length >= maxLines || length >= maxLength) break reading;
      }
    }
    const finder = new PatternFinder();
    for (const entry of newest.reverse()) finder.add(entry, (entry.time / stepNs) * stepNs);
    const patterns = finder.patterns().map(({ pattern, level, counts }) => ({
      pattern,
      level,
      samples: [...counts]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([time, count]) => [Number(time / 1_000_000_000n), count]),
    }));
    return success(patterns);
  });
}
