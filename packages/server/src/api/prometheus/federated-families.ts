import type { FloatHistogram } from '../../query/promql/histogram/float-histogram.ts';
import type { Labels } from '../../query/promql/labels.ts';
import type { RawSeries } from '../../query/promql/queryable.ts';
import { sortByLabels } from '../../query/promql/sort-by-labels.ts';
import type { Turns } from '../../query/turns.ts';

/** Series of one name whose newest samples are of one kind. */
export interface FederatedFamily {
  readonly name: string;
  readonly type: 'untyped' | 'histogram' | 'gaugeHistogram';
  readonly series: readonly NewestSample[];
}

/** The newest sample of a series. */
export interface NewestSample {
  readonly labels: Labels;
  readonly timeMs: number;
  readonly value: number | FloatHistogram;
}

/**
 * The newest sample of each series, by names. Series of one name are one family, unless some are histograms.
 *
 * @param takesExponential whether there is a place for histograms with exponential buckets; otherwise they are left out
 */
export async function* federatedFamilies(
  series: readonly RawSeries[],
  takesExponential: boolean,
  turns: Turns,
): AsyncGenerator<FederatedFamily> {
  const byName = new Map<string, NewestSample[]>();
  for (const one of series) {
    if (turns.isOver) await turns.next();
    const newest = newestOf(one, takesExponential);
    if (newest === undefined) continue;
    const name = newest.labels.metricName;
    const known = byName.get(name);
    if (known === undefined) byName.set(name, [newest]);
    else known.push(newest);
  }
  for (const name of [...byName.keys()].sort()) {
    const own = byName.get(name) ?? [];
    await sortByLabels(own, turns);
    for (const { kind: type, items } of runs(own, typeOf)) yield { name, type, series: items };
    byName.delete(name);
  }
}

/** Neighbours of one kind together. */
export function* runs<Item, Kind>(
  items: readonly Item[],
  kindOf: (item: Item) => Kind,
): Generator<{ readonly kind: Kind; readonly items: readonly Item[] }> {
  for (let from = 0; from < items.length; ) {
    const kind = kindOf(items[from]);
    let end = from + 1;
    while (end < items.length && kindOf(items[end]) === kind) end++;
    yield { kind, items: items.slice(from, end) };
    from = end;
  }
}

/** Some series at a time. */
export function* batches<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  const size = 256;
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}

/** Without the name. */
export function shownLabels(labels: Labels): [name: string, value: string][] {
  const shown = labels.entries().filter(([name]) => name !== '__name__');
  // That the label is empty keeps the scraper from putting its own there.
  if (labels.get('instance') === '') shown.push(['instance', '']);
  return shown;
}

function typeOf({ value }: NewestSample): FederatedFamily['type'] {
  if (typeof value === 'number') return 'untyped';
  return value.resetHint === 'gauge' ? 'gaugeHistogram' : 'histogram';
}

/** Undefined: the series has ended, or can't be shown. */
function newestOf(
  { labels, times, values, stale, histograms }: RawSeries,
  takesExponential: boolean,
): NewestSample | undefined {
  const last = times.length - 1;
  if (last < 0 || stale?.[last] === 1 || labels.metricName === '') return undefined;
  const histogram = histograms?.[last];
  if (histogram !== undefined && !histogram.hasCustomBuckets && !takesExponential) return undefined;
  return { labels, timeMs: times[last], value: histogram ?? values[last] };
}
