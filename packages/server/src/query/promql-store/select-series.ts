import { compileMatcher, type LabelMatcher } from '@signalbox/query-language';
import { MetricType } from '@signalbox/records';
import { type Labels, METRIC_NAME } from '../promql/labels.ts';
import type { QueryContext } from '../query-context.ts';
import type { TimeRange } from '../time-range.ts';
import { PointSlots } from './point-slots.ts';
import { partitionsOf, type SeriesCatalog } from './series-catalog.ts';
import { type NamedPart, type Part, partsOf, pointTable } from './series-parts.ts';
import { namedLabels, type StoredSeries } from './stored-series.ts';

/** Stored series that are one series to PromQL but for `le` and `quantile`: after a restart, say, of a service in a new version. */
export interface SelectedSeries {
  readonly part: Part;
  /** With `__name__`, without `le` and `quantile`. */
  readonly labels: Labels;
  readonly members: StoredSeries[];
  readonly isDelta: boolean;
  /** The labels with `le` or `quantile`, by their values: most queries ask for the same. */
  readonly bounded: Map<string, Labels>;
}

/** Series whose points lie in one table and have one temporality: they are read at once. */
export interface SelectedGroup {
  readonly type: MetricType;
  readonly isDelta: boolean;
  readonly slots: PointSlots;
  /** By their slots: several are made of the same points, as count and sum of a histogram are. */
  readonly series: readonly (readonly SelectedSeries[])[];
}

export interface Selection {
  readonly series: readonly SelectedSeries[];
  readonly groups: readonly SelectedGroup[];
  /** These are all series of their metrics. */
  readonly isWhole: boolean;
  /** Asking again would find the same as long as no series are written of these, or of metrics that `mayChoose` tells of. */
  readonly isFinal: boolean;
  /** The metrics whose series were looked at, by their names in the store. */
  readonly metrics: ReadonlySet<string>;
  /** Whether series of this name in Prometheus may be among what was asked for. */
  readonly mayChoose: (name: string) => boolean;
  /** Whether a bucket or a quantile, by the value of its `le` or `quantile`, is among what was asked for. */
  readonly hasBound: (part: 'bucket' | 'quantile', value: string) => boolean;
}

export const boundLabels = { bucket: 'le', quantile: 'quantile' } as const;

/** Finds the series that fulfil all matchers, as far as their labels are known without their points. */
export async function selectSeries(
  context: QueryContext,
  catalog: SeriesCatalog,
  matchers: readonly LabelMatcher[],
  range: TimeRange,
): Promise<Selection> {
  const asked = matchers.map(({ name, operator, value }) => [name, operator, value]);
  return await catalog.selections.get(context.connection, JSON.stringify([partitionsOf(range), asked]), () =>
    choose(context, catalog, matchers, range),
  );
}

async function choose(
  context: QueryContext,
  catalog: SeriesCatalog,
  matchers: readonly LabelMatcher[],
  range: TimeRange,
): Promise<Selection> {
  const tests = matchers.map((matcher) => {
    const matches = compileMatcher(matcher);
    const isSlow = matcher.operator === '=~' || matcher.operator === '!~';
    return { name: matcher.name, matches: isSlow ? remembering(matches) : matches };
  });
  const fulfils = (name: string, value: string): boolean =>
    tests.every((test) => test.name !== name || test.matches(value));

  // Not the remembering ones: this may be asked of many names, and is kept.
  const named = matchers.filter(({ name }) => name === METRIC_NAME).map((matcher) => compileMatcher(matcher));

  const names = new Set<string>();
  const partsByMetric = new Map<string, readonly NamedPart[]>();
  for (const metric of await catalog.metrics(context, range)) {
    const parts = partsOf(metric.type, metric.family).filter(({ name }) => fulfils(METRIC_NAME, name));
    if (parts.length === 0) continue;
    names.add(metric.name);
    partsByMetric.set(metricKey(metric), parts);
  }

  /** By kind, then by labels: their keys are long, and made once. */
  const selected = new Map<string, Map<string, SelectedSeries>>();
  const { series: all, isFinal } = await catalog.series(context, [...names], range);
  for (const [key, ofMetric] of byMetric(all)) {
    for (const { part, name } of partsByMetric.get(key) ?? []) {
      const bound = part === 'bucket' || part === 'quantile' ? boundLabels[part] : undefined;
      const own = tests.filter((test) => test.name !== METRIC_NAME && test.name !== bound);
      for (const series of ofMetric) {
        if (!own.every((test) => test.matches(series.labels.get(test.name)))) continue;
        const kind = `${part} ${pointTable(series.type)} ${series.isDelta}`;
        let ofKind = selected.get(kind);
        if (ofKind === undefined) {
          ofKind = new Map();
          selected.set(kind, ofKind);
        }
        let labels = namedLabels(series, name);
        // An attribute of this name is hidden by the bound.
        if (bound !== undefined && labels.get(bound) !== '') labels = labels.with(bound, '');
        const known = ofKind.get(labels.key);
        if (known !== undefined) known.members.push(series);
        else {
          const { isDelta } = series;
          ofKind.set(labels.key, { part, labels, members: [series], isDelta, bounded: new Map() });
        }
      }
    }
  }
  const series = Array.from(selected.values(), (own) => [...own.values()]).flat();
  return {
    series,
    groups: groupsOf(series),
    isWhole: new Set(series.flatMap(({ members }) => members)).size === all.length,
    isFinal,
    metrics: names,
    mayChoose: (name) => named.every((matches) => matches(name)),
    hasBound: (part, value) => fulfils(boundLabels[part], value),
  };
}

/** Series by what their points are read from. */
function groupsOf(selected: readonly SelectedSeries[]): SelectedGroup[] {
  const groups = new Map<string, { type: MetricType; isDelta: boolean; series: Map<string, SelectedSeries[]> }>();
  for (const one of selected) {
    const type = one.members[0]?.type ?? MetricType.None;
    const kind = `${pointTable(type)} ${one.isDelta}`;
    let group = groups.get(kind);
    if (group === undefined) {
      group = { type, isDelta: one.isDelta, series: new Map() };
      groups.set(kind, group);
    }
    const points = one.part === 'value' ? one.labels.key : one.members.map(({ id }) => id).join();
    const same = group.series.get(points);
    if (same === undefined) group.series.set(points, [one]);
    else same.push(one);
  }
  return Array.from(groups.values(), ({ type, isDelta, series }) => {
    const bySlot = [...series.values()];
    return { type, isDelta, series: bySlot, slots: new PointSlots(bySlot.map(([first]) => first?.members ?? [])) };
  });
}

function byMetric(all: readonly StoredSeries[]): ReadonlyMap<string, readonly StoredSeries[]> {
  const found = new Map<string, StoredSeries[]>();
  let last: StoredSeries | undefined;
  let own: StoredSeries[] = [];
  for (const series of all) {
    if (series.type !== last?.type || series.family !== last.family) {
      const key = metricKey(series);
      own = found.get(key) ?? [];
      found.set(key, own);
    }
    own.push(series);
    last = series;
  }
  return found;
}

/** What the parts of a metric follow from. */
function metricKey({ type, family }: Pick<StoredSeries, 'type' | 'family'>): string {
  return `${type} ${family}`;
}

/** Values of labels repeat from series to series, and regular expressions are slow. */
function remembering(matches: (value: string) => boolean): (value: string) => boolean {
  const known = new Map<string, boolean>();
  return (value) => {
    let answer = known.get(value);
    if (answer === undefined) {
      answer = matches(value);
      known.set(value, answer);
    }
    return answer;
  };
}
