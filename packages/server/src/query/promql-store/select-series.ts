import { compileMatcher, type LabelMatcher } from '@signalbox/query-language';
import { type Labels, METRIC_NAME } from '../promql/labels.ts';
import type { QueryContext } from '../query-context.ts';
import type { TimeRange } from '../time-range.ts';
import type { SeriesCatalog } from './series-catalog.ts';
import { type NamedPart, type Part, partsOf, pointTable } from './series-parts.ts';
import { namedLabels, type StoredSeries } from './stored-series.ts';

/** Stored series that are one series to PromQL but for `le` and `quantile`: after a restart, say, of a service in a new version. */
export interface SelectedSeries {
  readonly part: Part;
  /** With `__name__`, without `le` and `quantile`. */
  readonly labels: Labels;
  readonly members: StoredSeries[];
  readonly isDelta: boolean;
}

export interface Selection {
  readonly series: readonly SelectedSeries[];
  /** These are all series of their metrics. */
  readonly isWhole: boolean;
  /** Whether a bucket or a quantile, by the value of its `le` or `quantile`, is among what was asked for. */
  readonly hasBound: (part: 'bucket' | 'quantile', value: string) => boolean;
}

const boundLabels = { bucket: 'le', quantile: 'quantile' } as const;

/** Finds the series that fulfil all matchers, as far as their labels are known without their points. */
export async function selectSeries(
  context: QueryContext,
  catalog: SeriesCatalog,
  matchers: readonly LabelMatcher[],
  range: TimeRange,
): Promise<Selection> {
  const tests = matchers.map((matcher) => ({ name: matcher.name, matches: remembering(compileMatcher(matcher)) }));
  const fulfils = (name: string, value: string): boolean =>
    tests.every((test) => test.name !== name || test.matches(value));

  const names = new Set<string>();
  const partsByMetric = new Map<string, readonly NamedPart[]>();
  for (const metric of await catalog.metrics(context, range)) {
    const parts = partsOf(metric.type, metric.family).filter(({ name }) => fulfils(METRIC_NAME, name));
    if (parts.length === 0) continue;
    names.add(metric.name);
    partsByMetric.set(metricKey(metric.type, metric.family), parts);
  }

  /** By kind, then by labels: their keys are long, and made once. */
  const selected = new Map<string, Map<string, SelectedSeries>>();
  const all = await catalog.series(context, [...names], range);
  const wanted = new Set<StoredSeries>();
  for (const series of all) {
    for (const { part, name } of partsByMetric.get(metricKey(series.type, series.family)) ?? []) {
      const bound = part === 'bucket' || part === 'quantile' ? boundLabels[part] : undefined;
      const isWanted = tests.every(
        (test) => test.name === METRIC_NAME || test.name === bound || test.matches(series.labels.get(test.name)),
      );
      if (!isWanted) continue;
      wanted.add(series);
      const labels = namedLabels(series, name);
      const kind = `${part} ${pointTable(series.type)} ${series.isDelta}`;
      const own = selected.get(kind) ?? new Map<string, SelectedSeries>();
      selected.set(kind, own);
      const known = own.get(labels.key);
      if (known === undefined) own.set(labels.key, { part, labels, members: [series], isDelta: series.isDelta });
      else known.members.push(series);
    }
  }
  return {
    series: Array.from(selected.values(), (own) => [...own.values()]).flat(),
    isWhole: wanted.size === all.length,
    hasBound: (part, value) => fulfils(boundLabels[part], value),
  };
}

/** What the parts of a metric follow from. */
function metricKey(type: number, family: string): string {
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
