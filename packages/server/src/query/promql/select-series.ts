import { childrenOf, type Expr, type VectorSelector } from '@signalbox/query-language';
import { detectReset } from './histogram/counter-reset.ts';
import type { FloatHistogram } from './histogram/float-histogram.ts';
import type { Queryable, RawSeries, Selection } from './queryable.ts';

interface Place {
  /** First and last time of the evaluations around. */
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
  readonly function: string;
  /** A function around takes only count and sum of histograms. */
  readonly takesStats: boolean;
  /** Something around takes the buckets, or would miss resets without them. */
  readonly takesBuckets: boolean;
}

const STATS_FUNCTIONS = new Set(['histogram_count', 'histogram_sum', 'histogram_avg']);
const BUCKET_FUNCTIONS = new Set(['histogram_quantile', 'histogram_quantiles', 'histogram_fraction']);

/** What a resolved expression needs to read, by its selectors. `stepMs` 0: it is evaluated once. */
export function selectionsOf(
  expr: Expr,
  place: Pick<Place, 'startMs' | 'endMs' | 'stepMs'>,
  lookbackMs: number,
): Map<VectorSelector, Selection> {
  const selections = new Map<VectorSelector, Selection>();
  visit(expr, { ...place, function: '', takesStats: false, takesBuckets: false });
  return selections;

  function visit(node: Expr, at: Place): void {
    switch (node.kind) {
      case 'vectorSelector':
        add(node, 0, at);
        break;
      case 'matrixSelector':
        add(node.selector, node.rangeMs, at);
        break;
      case 'subquery': {
        const startMs = (node.at === undefined ? at.startMs : (node.at as number)) - node.offsetMs - node.rangeMs;
        const endMs = (node.at === undefined ? at.endMs : (node.at as number)) - node.offsetMs;
        visit(node.expr, { ...at, startMs, endMs, stepMs: node.stepMs, function: '', takesBuckets: true });
        break;
      }
      case 'call':
        // The second argument of info() is no vector: the function looks for series itself.
        for (const argument of node.name === 'info' ? node.args.slice(0, 1) : node.args) {
          visit(argument, {
            ...at,
            function: node.name,
            takesStats: at.takesStats || STATS_FUNCTIONS.has(node.name),
            takesBuckets: at.takesBuckets || BUCKET_FUNCTIONS.has(node.name),
          });
        }
        break;
      case 'binary': {
        const trims = node.operator === '</' || node.operator === '>/';
        for (const child of childrenOf(node)) visit(child, { ...at, takesBuckets: at.takesBuckets || trims });
        break;
      }
      case 'aggregation':
        for (const child of childrenOf(node)) visit(child, { ...at, function: node.operator });
        break;
      default:
        for (const child of childrenOf(node)) visit(child, at);
    }
  }

  function add(selector: VectorSelector, rangeMs: number, at: Place): void {
    const startMs = (selector.at === undefined ? at.startMs : (selector.at as number)) - selector.offsetMs;
    const endMs = (selector.at === undefined ? at.endMs : (selector.at as number)) - selector.offsetMs;
    const before = rangeMs === 0 ? lookbackMs : selector.extended === undefined ? rangeMs : rangeMs + lookbackMs;
    selections.set(selector, {
      matchers: selector.matchers,
      // A sample exactly a range before its evaluation does not belong to it.
      startMs: startMs - before + 1,
      endMs: endMs + (selector.extended === 'smoothed' ? lookbackMs : 0),
      hints: { stepMs: at.stepMs, rangeMs, function: at.function, histogramStats: at.takesStats && !at.takesBuckets },
    });
  }
}

/** Reads what all selectors need, at once. */
export async function selectSeries(
  queryable: Queryable,
  selections: ReadonlyMap<VectorSelector, Selection>,
  signal: AbortSignal | undefined,
): Promise<Map<VectorSelector, readonly RawSeries[]>> {
  const entries = Array.from(selections, async ([selector, selection]) => {
    const series = await queryable.select(selection, signal);
    // Who takes no buckets can't find resets: they are looked for while the buckets are there.
    return [selector, selection.hints.histogramStats ? series.map(withDetectedResets) : series] as const;
  });
  return new Map(await Promise.all(entries));
}

function withDetectedResets(series: RawSeries): RawSeries {
  if (!series.histograms) return series;
  let previous: FloatHistogram | undefined;
  const histograms = series.histograms.map((histogram) => {
    const before = previous;
    previous = histogram;
    if (!histogram || !before || histogram.resetHint !== 'unknown') return histogram;
    const hinted = histogram.copy();
    hinted.resetHint = detectReset(histogram, before) ? 'reset' : 'not_reset';
    return hinted;
  });
  return { ...series, histograms };
}
