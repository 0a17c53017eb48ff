import type { LabelMatcher } from '@signalbox/query-language';
import { parseKeyValues } from '../key-values.ts';
import { formatSample } from '../promql/format-go.ts';
import { Labels } from '../promql/labels.ts';
import { type QueryContext, select } from '../query-context.ts';
import { SqlParameters } from '../sql-parameters.ts';
import { attributeText } from './attribute-text.ts';
import { listSeries } from './list-series.ts';
import { nanoRange } from './nano-range.ts';
import type { ReadRange } from './read-points.ts';
import { type SelectedSeries, selectSeries } from './select-series.ts';
import type { SeriesCatalog } from './series-catalog.ts';

export interface Exemplar {
  /** `trace_id`, `span_id` and the filtered attributes. */
  readonly labels: Labels;
  readonly value: number;
  /** In ms since 1970. */
  readonly timeMs: number;
}

export interface SeriesExemplars {
  readonly labels: Labels;
  readonly exemplars: readonly Exemplar[];
}

/** Characters that Prometheus lets the labels of an exemplar have; beyond, only the ids are shown. */
const maxExemplarCharacters = 128;
const maxExemplars = 10_000;

/**
 * Exemplars by series. Those of a histogram belong to the bucket that they fell into, those of its family to the series
 * itself; sums and counts have none.
 */
export async function listExemplars(
  context: QueryContext,
  catalog: SeriesCatalog,
  selectors: readonly (readonly LabelMatcher[])[],
  range: ReadRange,
): Promise<SeriesExemplars[]> {
  const found = new Map<string, { labels: Labels; exemplars: Exemplar[] }>();
  for (const matchers of selectors) {
    const selection = await selectSeries(context, catalog, matchers, nanoRange(range.fromMs, range.toMs));
    const own = selection.series.filter(({ part }) => part === 'value' || part === 'histogram' || part === 'bucket');
    if (own.length === 0) continue;
    const wanted = new Map(own.flatMap((series) => series.members.map(({ id }) => [id, series] as const)));
    const buckets = own.some(({ part }) => part === 'bucket')
      ? bucketBounds(await listSeries(context, catalog, [matchers.filter(({ name }) => name !== 'le')], range))
      : new Map<string, readonly number[]>();
    for (const [id, exemplar] of await readExemplars(context, own, range)) {
      const series = wanted.get(id);
      if (series === undefined) continue;
      const labels = labelsOf(series, exemplar, buckets);
      if (series.part === 'bucket' && !selection.hasBound('bucket', labels.get('le'))) continue;
      const entry = found.get(labels.key) ?? { labels, exemplars: [] };
      found.set(labels.key, entry);
      entry.exemplars.push(exemplar);
    }
  }
  return [...found.values()].sort((a, b) => a.labels.compare(b.labels));
}

function labelsOf(
  { part, labels }: SelectedSeries,
  { value }: Exemplar,
  buckets: ReadonlyMap<string, readonly number[]>,
): Labels {
  if (part !== 'bucket') return labels;
  const bound = buckets.get(labels.key)?.find((upper) => value <= upper) ?? Number.POSITIVE_INFINITY;
  return labels.with('le', formatSample(bound));
}

/** Ascending bounds of buckets by the labels of their series without `le`. */
function bucketBounds(series: readonly Labels[]): ReadonlyMap<string, readonly number[]> {
  const bounds = new Map<string, number[]>();
  for (const labels of series) {
    const le = labels.get('le');
    const { key } = labels.with('le', '');
    bounds.set(key, [...(bounds.get(key) ?? []), le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le)]);
  }
  for (const own of bounds.values()) own.sort((a, b) => a - b);
  return bounds;
}

async function readExemplars(
  context: QueryContext,
  series: readonly SelectedSeries[],
  range: ReadRange,
): Promise<(readonly [id: bigint, exemplar: Exemplar])[]> {
  const parameters = new SqlParameters();
  const metrics = [...new Set(series.flatMap(({ members }) => members.map(({ metric }) => metric)))];
  const { from, to } = nanoRange(range.fromMs, range.toMs);
  type Row = [id: string, time: string, value: number | string, trace: string, span: string, attributes: string];
  const rows = await select<Row>(
    context,
    parameters.statement(
      `SELECT series_id, toUnixTimestamp64Milli(time) AS at, value,
  if(trace_id = toFixedString('', 16), '', lower(hex(trace_id))), if(span_id = toFixedString('', 8), '', lower(hex(span_id))), attributes
FROM exemplars
WHERE metric_name IN ${parameters.strings(metrics)} AND time >= ${parameters.nanoTime(from)} AND time < ${parameters.nanoTime(to + 1_000_000n)}
ORDER BY at, trace_id, span_id
LIMIT 1 BY series_id, at, trace_id, span_id, value
LIMIT ${maxExemplars}`,
    ),
  );
  return rows.map(([id, time, value, trace, span, attributes]) => [
    BigInt(id),
    { labels: exemplarLabels(trace, span, attributes), value: doubles[value] ?? Number(value), timeMs: Number(time) },
  ]);
}

function exemplarLabels(trace: string, span: string, attributes: string): Labels {
  const ids: [string, string][] = [
    ['trace_id', trace],
    ['span_id', span],
  ];
  const all = [
    ...ids,
    ...parseKeyValues(attributes).map(({ key, value }): [string, string] => [key, attributeText(value)]),
  ];
  const length = all.reduce((sum, [name, value]) => sum + (value === '' ? 0 : [...name].length + [...value].length), 0);
  return Labels.from(length <= maxExemplarCharacters ? all : ids);
}

/** How the engine writes doubles that JSON has no word for. */
const doubles: Readonly<Record<string, number>> = { inf: Number.POSITIVE_INFINITY, '-inf': Number.NEGATIVE_INFINITY };
