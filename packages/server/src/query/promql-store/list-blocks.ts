import { PARTITION_MS } from '../../store/clickhouse/partitions.ts';
import { type QueryContext, select } from '../query-context.ts';

/** What the store holds of metrics in one of its partitions. */
export interface MetricBlock {
  /** In ms since 1970. */
  readonly startMs: number;
  /** The first ms that is no longer in it. */
  readonly endMs: number;
  /** Points, a histogram or a summary as one. */
  readonly points: number;
  /** Those of `points` that are exponential histograms. */
  readonly exponentialHistograms: number;
  /** Series of the store: PromQL makes several of a histogram or a summary. */
  readonly series: number;
  /** How often what lies in it was merged at most: 0 for what was only inserted. */
  readonly merges: number;
}

const exponential = 'exponential_histogram_points';
const pointTables = ['number_points', 'histogram_points', exponential, 'summary_points'];

/** The partitions that have metric points, the oldest first, with what has entered their tables. */
export async function listBlocks(context: QueryContext): Promise<readonly MetricBlock[]> {
  const tables = pointTables.map((table) => `'${table}'`).join();
  const parts = await select<[id: string, points: string, exponentials: string, merges: number]>(context, {
    sql: `SELECT partition_id, sum(rows) AS points, sumIf(rows, table = '${exponential}'), max(level) FROM system.parts
          WHERE database = currentDatabase() AND active AND table IN (${tables}) GROUP BY partition_id HAVING points > 0`,
    parameters: {},
  });
  const series = await select<[startSeconds: number, count: string]>(context, {
    sql: `SELECT toUnixTimestamp(toStartOfInterval(time, INTERVAL 6 HOUR)) AS start, uniq(series_id)
          FROM series GROUP BY start`,
    parameters: {},
  });
  const counts = new Map(series.map(([start, count]) => [start * 1000, Number(count)]));
  return parts
    .map(([id, points, exponentials, merges]) => {
      // The key is a DateTime, whose id is its seconds since 1970.
      const startMs = Number(id) * 1000;
      return {
        startMs,
        endMs: startMs + PARTITION_MS,
        points: Number(points),
        exponentialHistograms: Number(exponentials),
        series: counts.get(startMs) ?? 0,
        merges,
      };
    })
    .sort((a, b) => a.startMs - b.startMs);
}
