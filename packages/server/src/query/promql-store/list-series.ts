import type { LabelMatcher } from '@signalbox/query-language';
import { MetricType } from '@signalbox/records';
import type { ResultList } from '../../store/connection.ts';
import { formatSample } from '../promql/format-go.ts';
import { type Labels, METRIC_NAME } from '../promql/labels.ts';
import { type QueryContext, selectColumns } from '../query-context.ts';
import { SqlParameters } from '../sql-parameters.ts';
import { isInTime } from '../time-condition.ts';
import { nanoRange } from './nano-range.ts';
import type { ReadRange } from './read-points.ts';
import { type SelectedSeries, type Selection, selectSeries } from './select-series.ts';
import type { SeriesCatalog } from './series-catalog.ts';
import { partsOf, pointTable } from './series-parts.ts';
import { selectSpanMetrics, spanMetricLabels } from './span-metrics/select-span-metrics.ts';
import { selectTargets, targetInfoName } from './target-info.ts';

/** Conditions of which any one is enough; an empty list: everything. */
export type MatcherSets = readonly (readonly LabelMatcher[])[];

/** The labels of all series that fulfil one of the conditions, of the 6 hours that the range touches; each once, in order. */
export async function listSeries(
  context: QueryContext,
  catalog: SeriesCatalog,
  sets: MatcherSets,
  range: ReadRange,
): Promise<Labels[]> {
  const found = new Map<string, Labels>();
  for (const matchers of anyOf(sets)) {
    const selection = await selectSeries(context, catalog, matchers, nanoRange(range.fromMs, range.toMs));
    for (const labels of await withBounds(context, selection, range)) found.set(labels.key, labels);
    for (const { labels } of await selectTargets(context, catalog, matchers, nanoRange(range.fromMs, range.toMs))) {
      found.set(labels.key, labels);
    }
    for (const labels of spanMetricLabels(await selectSpanMetrics(context, catalog, matchers, range))) {
      found.set(labels.key, labels);
    }
  }
  return [...found.values()].sort((a, b) => a.compare(b));
}

/** The names of all labels of such series, in order. */
export async function listLabelNames(
  context: QueryContext,
  catalog: SeriesCatalog,
  sets: MatcherSets,
  range: ReadRange,
): Promise<string[]> {
  const names = new Set<string>();
  for (const matchers of anyOf(sets)) {
    const nanos = nanoRange(range.fromMs, range.toMs);
    const { series } = await selectSeries(context, catalog, matchers, nanos);
    for (const { labels, part } of series) {
      for (const name of labels.names) names.add(name);
      if (part === 'bucket') names.add('le');
      if (part === 'quantile') names.add('quantile');
    }
    for (const { labels } of await selectTargets(context, catalog, matchers, nanos)) {
      for (const name of labels.names) names.add(name);
    }
    for (const labels of spanMetricLabels(await selectSpanMetrics(context, catalog, matchers, range))) {
      for (const name of labels.names) names.add(name);
    }
  }
  return [...names].sort();
}

/** The values that a label has in such series, in order. */
export async function listLabelValues(
  context: QueryContext,
  catalog: SeriesCatalog,
  name: string,
  sets: MatcherSets,
  range: ReadRange,
): Promise<string[]> {
  if (name === METRIC_NAME && sets.length === 0) return await listMetricNames(context, catalog, range);
  const values = new Set<string>();
  for (const labels of await listSeries(context, catalog, sets, range)) values.add(labels.get(name));
  values.delete('');
  return [...values].sort();
}

/** The question that editors ask most: it needs no series. */
async function listMetricNames(context: QueryContext, catalog: SeriesCatalog, range: ReadRange): Promise<string[]> {
  const nanos = nanoRange(range.fromMs, range.toMs);
  const metrics = await catalog.metrics(context, nanos);
  const names = new Set(metrics.flatMap(({ type, family }) => partsOf(type, family).map((part) => part.name)));
  if ((await selectTargets(context, catalog, [], nanos)).length > 0) names.add(targetInfoName);
  for (const labels of spanMetricLabels(await selectSpanMetrics(context, catalog, [], range))) {
    names.add(labels.metricName);
  }
  return [...names].sort();
}

function anyOf(sets: MatcherSets): MatcherSets {
  return sets.length === 0 ? [[]] : sets;
}

/** All series of a selection; those of buckets and quantiles by the bounds that their points have in the time. */
async function withBounds(context: QueryContext, { series, hasBound }: Selection, range: ReadRange): Promise<Labels[]> {
  const plain = series.filter(({ part }) => part !== 'bucket' && part !== 'quantile').map(({ labels }) => labels);
  const bounded = await Promise.all(
    ([MetricType.Histogram, MetricType.Summary] as const).map(async (type) => {
      const part = type === MetricType.Histogram ? 'bucket' : 'quantile';
      const own = series.filter((one) => one.part === part);
      const bounds = await boundsOf(context, own, type, range);
      return own.flatMap(({ labels, members }) => {
        const texts = new Set(members.flatMap(({ id }) => bounds.get(id) ?? []).map(formatSample));
        if (part === 'bucket') texts.add('+Inf');
        const name = part === 'bucket' ? 'le' : 'quantile';
        return [...texts].filter((text) => hasBound(part, text)).map((text) => labels.with(name, text));
      });
    }),
  );
  return [...plain, ...bounded.flat()];
}

async function boundsOf(
  context: QueryContext,
  series: readonly SelectedSeries[],
  type: MetricType,
  range: ReadRange,
): Promise<ReadonlyMap<bigint, number[]>> {
  const bounds = new Map<bigint, number[]>();
  if (series.length === 0) return bounds;
  const parameters = new SqlParameters();
  const metrics = [...new Set(series.flatMap(({ members }) => members.map(({ metric }) => metric)))];
  const { from, to } = nanoRange(range.fromMs, range.toMs);
  const column = type === MetricType.Histogram ? 'explicit_bounds' : 'quantiles';
  const { columns } = await selectColumns(
    context,
    parameters.statement(
      `SELECT series_id, groupUniqArrayArray(${column}) AS bounds
FROM ${pointTable(type)}
WHERE metric_name IN ${parameters.strings(metrics)} AND ${isInTime({ from, to: to + 1_000_000n }, parameters, 'quarter')}
GROUP BY series_id`,
    ),
    maxBoundedSeries,
  );
  const ids = (columns.series_id ?? new BigUint64Array(0)) as BigUint64Array;
  const { offsets, values } = (columns.bounds ?? { offsets: [], values: [] }) as ResultList;
  for (const [row, id] of ids.entries()) {
    bounds.set(
      id,
      Array.from({ length: offsets[row + 1] - offsets[row] }, (_, i) => Number(values[offsets[row] + i])),
    );
  }
  return bounds;
}

const maxBoundedSeries = 1_000_000;
