import type { ColumnResult, ResultList } from '../../../store/connection.ts';
import type { RawSeries } from '../../promql/queryable.ts';
import { type QueryContext, selectColumns } from '../../query-context.ts';
import { bucketsPerDoubling } from '../../red/duration-buckets.ts';
import { SqlParameters } from '../../sql-parameters.ts';
import { samplesFrom } from '../delta-to-cumulative.ts';
import { type ReadRange, tooManySamples } from '../read-points.ts';
import { boundLabels } from '../select-series.ts';
import { heldCounter } from './held-counter.ts';
import { inCountedTime, keyColumns, keyText, type SelectedSpanMetric } from './select-span-metrics.ts';

/** What a row of the answer has of one series: lists of the same length, in no order. */
interface CountedRow {
  /** In ms since 1970. */
  readonly times: readonly number[];
  /** Of each time as many as there are bounds, or one. */
  readonly counts: readonly number[];
}

/** Reads the samples of the series, from the figures that are kept of every span. Throws `too_large` beyond `maxPoints`. */
export async function spanMetricSeries(
  context: QueryContext,
  selected: readonly SelectedSpanMetric[],
  { range, maxPoints }: { readonly range: ReadRange; readonly maxPoints: number },
): Promise<RawSeries[]> {
  // Refused before it is read: what is held while nothing happens comes on top, and is looked at below.
  const counted = selected.flatMap(({ series, bounds }) =>
    Array.from(series.values(), ({ counts }) => counts * Math.max(1, bounds.length)),
  );
  if (counted.reduce((sum, counts) => sum + counts, 0) > maxPoints) throw tooManySamples(maxPoints);
  const found: RawSeries[] = [];
  let samples = 0;
  for (const one of selected) {
    const rows = await readRows(context, one, range);
    for (const [key, { labels }] of one.series) {
      const row = rows.get(key);
      if (row === undefined) continue;
      const order = [...row.times.keys()].sort((a, b) => (row.times[a] as number) - (row.times[b] as number));
      const times = order.map((index) => row.times[index] as number);
      const width = Math.max(1, one.bounds.length);
      for (let place = 0; place < width; place++) {
        const counts = order.map((index) => row.counts[index * width + place] as number);
        const series = samplesFrom(heldCounter(times, counts, range.toMs), range.fromMs);
        const bound = one.bounds[place];
        samples += series.times.length;
        if (samples > maxPoints) throw tooManySamples(maxPoints);
        const { times: at, values, stale } = series;
        found.push({
          labels: bound === undefined ? labels : labels.with(boundLabels.bucket, bound.text),
          times: at,
          values,
          ...(stale && { stale }),
        });
      }
    }
  }
  return found;
}

async function readRows(
  context: QueryContext,
  selected: SelectedSpanMetric,
  range: ReadRange,
): Promise<ReadonlyMap<string, CountedRow>> {
  const { table, failedOnly } = selected.family;
  const parameters = new SqlParameters();
  const columns = keyColumns[table].map((sql, index) => `${sql} AS key${index}`);
  const keys = columns.map((_, index) => `key${index}`).join(', ');
  const counted = countedColumn(parameters, selected);
  const { columns: found, rowCount } = await selectColumns(
    context,
    parameters.statement(
      `SELECT ${keys}, groupArray(toFloat64(toUnixTimestamp(time)) * 1000) AS times, groupArrayArray(counted) AS counts
FROM (
  SELECT ${columns.join(', ')}, time, ${counted} AS counted
  FROM ${table}
  WHERE ${inCountedTime(parameters, range)}${failedOnly ? ' AND error = 1' : ''}
  GROUP BY ${keys}, time
)
GROUP BY ${keys}`,
    ),
  );
  const rows = new Map<string, CountedRow>();
  for (let row = 0; row < rowCount; row++) {
    const [first = '', second = '', third = '', fourth = ''] = [0, 1, 2, 3].map(
      (index) => (found[`key${index}`] as readonly string[])[row],
    );
    const key = keyText([first, second, third, fourth]);
    rows.set(key, { times: listOf(found, 'times', row), counts: listOf(found, 'counts', row) });
  }
  return rows;
}

/** An array of one number, or of one for each bound: what of the row's figures the part shows. */
function countedColumn(parameters: SqlParameters, { part, bounds }: SelectedSpanMetric): string {
  if (part === 'sum') return '[sum(duration_sum) / 1e9]';
  if (part !== 'bucket') return '[sum(count)]';
  // Bucket i of the figures ends where the logarithm is i + 1. A bound in the middle of one takes the part that lies below it.
  const below = bounds.map(({ seconds }) =>
    seconds === Number.POSITIVE_INFINITY
      ? 'sum(count)'
      : `arraySum((bucket, spans) -> spans * least(1, greatest(0, ${parameters.float64(
          bucketsPerDoubling * Math.log2(seconds * 1e9),
        )} - bucket)), mapKeys(sumMap(buckets)), mapValues(sumMap(buckets)))`,
  );
  return `[${below.join(', ')}]`;
}

function listOf(columns: ColumnResult['columns'], name: string, row: number): readonly number[] {
  const { offsets, values } = columns[name] as ResultList;
  return Array.from(values.subarray(offsets[row], offsets[row + 1]), Number);
}
