import { compileMatcher, type LabelMatcher } from '@signalbox/query-language';
import { formatSample } from '../../promql/format-go.ts';
import { Labels, METRIC_NAME } from '../../promql/labels.ts';
import { type QueryContext, select } from '../../query-context.ts';
import { shownService } from '../../service-name.ts';
import { SqlParameters } from '../../sql-parameters.ts';
import { nanoRange } from '../nano-range.ts';
import type { ReadRange } from '../read-points.ts';
import { boundLabels } from '../select-series.ts';
import type { SeriesCatalog } from '../series-catalog.ts';
import type { NamedPart } from '../series-parts.ts';
import { countingBeginsAt } from './held-counter.ts';
import {
  bucketBounds,
  labelValues,
  type RowKey,
  type SpanMetricFamily,
  type SpanTable,
  spanMetricFamilies,
  spanMetricParts,
} from './span-metric-families.ts';

export interface CountedSeries {
  readonly labels: Labels;
  /** Tens of seconds in which something was counted. */
  readonly counts: number;
}

type KeyRow = readonly [...RowKey, failed: number, counts: number];

/** Series of one part of a family. */
export interface SelectedSpanMetric {
  readonly family: SpanMetricFamily;
  readonly part: NamedPart['part'];
  /** With `__name__`, without `le`; by the key of the rows that they count. */
  readonly series: ReadonlyMap<string, CountedSeries>;
  /** The bounds that were asked for, of buckets; the last is +Inf. Empty for other parts. */
  readonly bounds: readonly { readonly text: string; readonly seconds: number }[];
}

const allBounds = [...bucketBounds, Number.POSITIVE_INFINITY].map((seconds) => ({
  text: formatSample(seconds),
  seconds,
}));

/** The SQL of `RowKey`, whose parts are texts. */
export const keyColumns: Readonly<Record<SpanTable, readonly string[]>> = {
  red: [shownService(), 'name', 'toString(kind)', 'toString(error)'].map(asText),
  edges: [
    shownService('source'),
    `if(target_type = 'service', ${shownService('target')}, target)`,
    'target_type',
    "''",
  ].map(asText),
};

function asText(sql: string): string {
  return `CAST(${sql}, 'String')`;
}

/**
 * The series that Tempo's metrics generator would have made of the spans, and that nobody sent: a metric that is stored under such a name, because
 * a connector makes it, stands for itself.
 */
export async function selectSpanMetrics(
  context: QueryContext,
  catalog: SeriesCatalog,
  matchers: readonly LabelMatcher[],
  range: ReadRange,
): Promise<SelectedSpanMetric[]> {
  const tests = matchers.map((matcher) => ({ name: matcher.name, matches: compileMatcher(matcher) }));
  const fulfils = (name: string, value: string): boolean =>
    tests.every((test) => test.name !== name || test.matches(value));
  const wanted = spanMetricFamilies.flatMap((family) => {
    const parts = spanMetricParts(family).filter(
      ({ name, part }) =>
        fulfils(METRIC_NAME, name) &&
        tests.every(({ name: label, matches }) => hasLabel(family, part, label) || matches('')),
    );
    return parts.length === 0 ? [] : [{ family, parts }];
  });
  if (wanted.length === 0) return [];
  const stored = new Set(
    (await catalog.metrics(context, nanoRange(range.fromMs, range.toMs))).map(({ family }) => family),
  );
  const keys = new Map<SpanTable, Promise<readonly KeyRow[]>>();
  const selected: SelectedSpanMetric[] = [];
  for (const { family, parts } of wanted) {
    if (stored.has(family.family)) continue;
    const { table, labels: names, failedOnly } = family;
    const reading = keys.get(table) ?? readKeys(context, table, range);
    keys.set(table, reading);
    const rows = await reading;
    for (const { part, name } of parts) {
      const series = new Map<string, CountedSeries>();
      for (const [first, second, third, fourth, failed, counts] of rows) {
        if (failedOnly && failed === 0) continue;
        const key: RowKey = [first, second, third, fourth];
        const values = labelValues(table, key);
        if (!names.every((label, index) => fulfils(label, values[index] ?? ''))) continue;
        const entries = names.map((label, index): [string, string] => [label, values[index] ?? '']);
        const labels = Labels.from([[METRIC_NAME, name], ...entries.filter(([, value]) => value !== '')]);
        series.set(keyText(key), { labels, counts });
      }
      const bounds = part === 'bucket' ? allBounds.filter(({ text }) => fulfils(boundLabels.bucket, text)) : [];
      if (series.size > 0 && (part !== 'bucket' || bounds.length > 0)) selected.push({ family, part, series, bounds });
    }
  }
  return selected;
}

/** The labels of all of the series. */
export function spanMetricLabels(selected: readonly SelectedSpanMetric[]): Labels[] {
  return selected.flatMap(({ part, series, bounds }) =>
    Array.from(series.values()).flatMap(({ labels }) =>
      part === 'bucket' ? bounds.map(({ text }) => labels.with(boundLabels.bucket, text)) : [labels],
    ),
  );
}

/** Names are what senders chose: no character is sure to be in none of them. */
export function keyText(key: RowKey): string {
  return JSON.stringify(key);
}

/** Whether rows begin in the time, in seconds, in which what counts for the range is counted. */
export function inCountedTime(parameters: SqlParameters, { fromMs, toMs }: ReadRange): string {
  const from = parameters.secondTime(BigInt(Math.floor(Math.max(0, countingBeginsAt(fromMs)) / 1000)));
  const to = parameters.secondTime(BigInt(Math.floor(Math.min(Math.max(0, toMs), latestMs) / 1000)));
  return `time >= ${from} AND time < ${to}`;
}

/** Later than any row. */
const latestMs = Date.UTC(2100, 0, 1);

function hasLabel({ labels }: SpanMetricFamily, part: NamedPart['part'], name: string): boolean {
  return name === METRIC_NAME || labels.includes(name) || (part === 'bucket' && name === boundLabels.bucket);
}

async function readKeys(context: QueryContext, table: SpanTable, range: ReadRange): Promise<readonly KeyRow[]> {
  const parameters = new SqlParameters();
  const columns = keyColumns[table].map((sql, index) => `${sql} AS key${index}`);
  return await select<KeyRow>(
    context,
    parameters.statement(
      `SELECT ${columns.join(', ')}, max(error), toUInt32(uniqExact(time))
FROM ${table}
WHERE ${inCountedTime(parameters, range)}
GROUP BY key0, key1, key2, key3`,
    ),
  );
}
