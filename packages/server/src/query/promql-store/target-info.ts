import { compileMatcher, type LabelMatcher } from '@signalbox/query-language';
import { MetricType } from '@signalbox/records';
import { type Labels, METRIC_NAME } from '../promql/labels.ts';
import type { RawSeries } from '../promql/queryable.ts';
import type { QueryContext } from '../query-context.ts';
import type { TimeRange } from '../time-range.ts';
import { PointSlots } from './point-slots.ts';
import { type ReadOptions, readPoints } from './read-points.ts';
import type { SeriesCatalog } from './series-catalog.ts';
import { pointTable } from './series-parts.ts';
import { type StoredSeries, targetInfoLabels } from './stored-series.ts';

export const targetInfoName = 'target_info';

/** Resources that have the same `target_info`, with their series. */
export interface Target {
  readonly labels: Labels;
  readonly members: StoredSeries[];
}

/** The `target_info` series that fulfil all matchers. */
export async function selectTargets(
  context: QueryContext,
  catalog: SeriesCatalog,
  matchers: readonly LabelMatcher[],
  range: TimeRange,
): Promise<Target[]> {
  const tests = matchers.map((matcher) => ({ name: matcher.name, matches: compileMatcher(matcher) }));
  if (!tests.every(({ name, matches }) => name !== METRIC_NAME || matches(targetInfoName))) return [];
  const metrics = await catalog.metrics(context, range);
  const { series } = await catalog.series(context, [...new Set(metrics.map(({ name }) => name))], range);
  const resources = await catalog.resources(
    context,
    series.map(({ resourceId }) => resourceId),
  );
  const targetByResource = new Map<string, Target>();
  const targets = new Map<string, Target>();
  for (const [id, attributes] of resources) {
    const labels = targetInfoLabels(attributes, catalog.translation)?.with(METRIC_NAME, targetInfoName);
    if (labels === undefined || !tests.every(({ name, matches }) => matches(labels.get(name)))) continue;
    const target = targets.get(labels.key) ?? { labels, members: [] };
    targets.set(labels.key, target);
    targetByResource.set(id, target);
  }
  for (const one of series) targetByResource.get(one.resourceId)?.members.push(one);
  return [...targets.values()];
}

/** Series of a resource whose points tell when it was there: those of some metrics that are sent with every export. */
const witnesses = 8;

/**
 * The samples of `target_info`: 1 whenever a point of the resource came, so that it ends when the resource falls silent, as it
 * does in Prometheus. Not all of a resource's series are looked at: a few of different metrics, those first that are sent even
 * when nothing happens.
 */
export async function targetInfoSeries(
  context: QueryContext,
  targets: readonly Target[],
  options: Omit<ReadOptions, 'isDelta'>,
): Promise<RawSeries[]> {
  const found: RawSeries[] = [];
  const times = targets.map(() => new Set<number>());
  for (const table of pointTables) {
    const slots = new PointSlots(
      targets.map(({ members }) => witnessesOf(members).filter((one) => pointTable(one.type) === table)),
    );
    if (slots.ids.length === 0) continue;
    const points = await readPoints(context, table, slots, {}, { ...options, isDelta: false });
    for (const [slot, own] of times.entries())
      for (const time of points.runs.timesOf(points.times, slot)) own.add(time);
  }
  for (const [slot, { labels }] of targets.entries()) {
    const sorted = Float64Array.from(times[slot] ?? []).sort();
    found.push({ labels, times: sorted, values: new Float64Array(sorted.length).fill(1) });
  }
  return found;
}

const pointTables = ['number_points', 'histogram_points', 'exponential_histogram_points', 'summary_points'];

function witnessesOf(members: readonly StoredSeries[]): StoredSeries[] {
  const byMetric = new Map<string, StoredSeries>();
  for (const one of members) {
    const key = `${one.resourceId} ${one.metric}`;
    if (!byMetric.has(key)) byMetric.set(key, one);
  }
  const steady = (one: StoredSeries): number => (one.isDelta ? 1 : 0) + (one.type === MetricType.Gauge ? 0 : 0.5);
  return [...byMetric.values()].sort((a, b) => steady(a) - steady(b)).slice(0, witnesses);
}
