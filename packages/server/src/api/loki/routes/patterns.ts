import { parseLogql } from '@signalbox/query-language';
import { PatternFinder } from '../../../query/logql-store/find-patterns.ts';
import { StoreLogs } from '../../../query/logql-store/store-logs.ts';
import type { StreamCatalog } from '../../../query/logql-store/stream-catalog.ts';
import { LokiError } from '../loki-error.ts';
import { type LokiRoute, route, success } from '../loki-route.ts';

/** Lines that are looked at: the newest. */
const maxLines = 20_000;
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
    const finder = new PatternFinder();
    const { matchers } = expr;
    const selection = {
      matchers,
      stages: [],
      fromNs: startNs,
      toNs: endNs,
      direction: 'backward' as const,
      limit: maxLines,
    };
    let lines = 0;
    reading: for await (const entries of new StoreLogs(context, catalog).select(selection)) {
      for (const { line, time } of entries) {
        finder.add(line, (time / stepNs) * stepNs);
        if (++lines >= maxLines) break reading;
      }
    }
    const patterns = finder.patterns().map(({ pattern, counts }) => ({
      pattern,
      samples: [...counts]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([time, count]) => [Number(time / 1_000_000_000n), count]),
    }));
    return success(patterns);
  });
}
