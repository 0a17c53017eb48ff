import type { Attributes, Context } from '@opentelemetry/api';

/** What identifies a series within an instrument, in the instrument's own order: (method, status, route) and the like. */
export type SeriesKey = string | number | boolean | undefined;

/** One series of a histogram. Keep it, or find it again by its keys: recording then touches no attribute. */
export interface HistogramCell {
  /** `context` says which span the value belongs to, for exemplars; without one there is no exemplar. */
  record(value: number, context?: Context): void;
}

/** One series of a counter or an up-down counter. */
export interface SumCell {
  add(value: number): void;
}

export interface CellOptions {
  readonly description: string;
  /** UCUM, as the semantic conventions write it: `s`, `By`, `{request}`. */
  readonly unit: string;
  /** Puts the `metricPrefix` option before the name. For names of our own; those of the conventions stay as they are. */
  readonly prefixed?: boolean;
}

export interface HistogramCellOptions extends CellOptions {
  /** Upper bounds of the buckets, inclusive, ascending. */
  readonly boundaries: readonly number[];
}

/** Finds the cell of the series that `keys` name; `attributesOf` is asked once for each series. */
export type CellLookup<Keys extends readonly SeriesKey[], Cell> = (...keys: Keys) => Cell;

/** The metric instruments that an instrumentation gets: values go straight to a cached series instead of through attributes. */
export interface CellMeter {
  histogram<Keys extends readonly SeriesKey[]>(
    name: string,
    options: HistogramCellOptions,
    attributesOf: (...keys: Keys) => Attributes,
  ): CellLookup<Keys, HistogramCell>;
  counter<Keys extends readonly SeriesKey[]>(
    name: string,
    options: CellOptions,
    attributesOf: (...keys: Keys) => Attributes,
  ): CellLookup<Keys, SumCell>;
  upDownCounter<Keys extends readonly SeriesKey[]>(
    name: string,
    options: CellOptions,
    attributesOf: (...keys: Keys) => Attributes,
  ): CellLookup<Keys, SumCell>;
}

/** https://opentelemetry.io/docs/specs/otel/metrics/sdk/#cardinality-limits: this many series, and one for what exceeds them. */
export const maxSeries = 2000;
export const overflowAttributes: Attributes = { 'otel.metric.overflow': true };

interface Branch<Cell> {
  readonly branches: Map<SeriesKey, Branch<Cell>>;
  cell: Cell | undefined;
}

/**
 * A lookup over nested maps, one level for each key, so that no text has to be built to find a series; the last one is
 * remembered, since most processes do the same again and again. `create` makes the cell of a new series; past `maxSeries` all further ones share one, after `onOverflow` has been told once.
 */
export function cellLookup<Keys extends readonly SeriesKey[], Cell>(
  attributesOf: (...keys: Keys) => Attributes,
  create: (attributes: Attributes) => Cell,
  onOverflow: () => void,
): CellLookup<Keys, Cell> {
  const root: Branch<Cell> = { branches: new Map(), cell: undefined };
  let size = 0;
  let overflow: Cell | undefined;
  let lastKeys: Keys | undefined;
  let lastCell: Cell | undefined;
  const find = (keys: Keys): Cell => {
    let branch = root;
    for (let index = 0; index < keys.length; index += 1) {
      let next = branch.branches.get(keys[index]);
      if (next === undefined) {
        if (size >= maxSeries) break;
        next = { branches: new Map(), cell: undefined };
        branch.branches.set(keys[index], next);
      }
      branch = next;
      if (index === keys.length - 1 && branch.cell !== undefined) return branch.cell;
    }
    if (keys.length === 0 && root.cell !== undefined) return root.cell;
    if (size >= maxSeries) {
      if (overflow === undefined) {
        onOverflow();
        overflow = create(overflowAttributes);
      }
      return overflow;
    }
    size += 1;
    branch.cell = create(attributesOf(...keys));
    return branch.cell;
  };
  return (...keys) => {
    if (lastKeys === undefined || lastCell === undefined || !areSame(lastKeys, keys)) {
      lastCell = find(keys);
      lastKeys = keys;
    }
    return lastCell;
  };
}

function areSame(one: readonly SeriesKey[], other: readonly SeriesKey[]): boolean {
  for (let index = 0; index < one.length; index += 1) if (one[index] !== other[index]) return false;
  return true;
}
