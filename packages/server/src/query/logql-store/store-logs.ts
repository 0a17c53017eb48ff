import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import type { CountSelection, Direction, LogCounts, LogSelection, LogSource } from '../logql/log-source.ts';
import type { LogEntry } from '../logql/stream-labels.ts';
import { type QueryContext, selectColumns } from '../query-context.ts';
import { SqlParameters, type Statement } from '../sql-parameters.ts';
import type { TimeRange } from '../time-range.ts';
import { countLines } from './count-lines.ts';
import { failsNumber, type NumberFilter, numberFilters } from './json-filters.ts';
import { jsonLabels } from './json-labels.ts';
import { lineConditions } from './line-conditions.ts';
import { logCondition, withinStore } from './log-condition.ts';
import { attributesColumn, type LogCells, logEntry, recordColumns } from './log-rows.ts';
import type { SelectedStreams, StreamCatalog } from './stream-catalog.ts';

/** Rows that are in memory at once. */
const MAX_ROWS = 50_000;
const MIN_ROWS = 100;
/** Where a reader begins to look; it goes on with more or less at a time, as it finds few or many. */
const FIRST_SLICE_NS = 300_000_000_000n;
/** How much more or less time at least and at most: each statement has its price, and one that covers too much reads what nobody wants. */
const LEAST_CHANGE = 0.25;
const MOST_CHANGE = 48;
const GROWTH = 4;
/** More than those found so far let expect is read, since they may lie unevenly. */
const MARGIN = 1.5;
/** Rows more than wanted, so that a few of the same time at a page's end don't need another page. */
const SPARE_ROWS = 16;

/** Logs of the store as Loki has them. Times beyond those that the store can hold are cut off. */
export class StoreLogs implements LogSource {
  readonly #context: QueryContext;
  readonly #catalog: StreamCatalog;

  constructor(context: QueryContext, catalog: StreamCatalog) {
    this.#context = context;
    this.#catalog = catalog;
  }

  async count(selection: CountSelection): Promise<LogCounts | undefined> {
    const counted = await countLines(this.#context, this.#catalog, selection);
    if (counted === undefined) return undefined;
    const { matchers, stages, windows, labels } = selection;
    const { fromNs, toNs } = windows;
    const rest = { matchers, stages, fromNs, toNs, labels, direction: 'forward' as const, limit: undefined };
    return { counts: counted.counts, rest: counted.rest ? this.#read(rest, counted.rest) : nothing() };
  }

  select(selection: LogSelection): AsyncIterable<readonly LogEntry[]> {
    return this.#read(selection);
  }

  /** @param condition that records have to fulfil as well */
  async *#read(selection: LogSelection, condition?: SqlCondition): AsyncGenerator<readonly LogEntry[]> {
    const range = withinStore(selection);
    if (range.from >= range.to) return;
    const selected = await this.#catalog.select(this.#context, selection.matchers, range);
    if (selected.streams.length === 0) return;
    const plan = await this.#plan(selection, selected, range, condition);
    const byId = new Map(selected.streams.map((stream) => [stream.id, stream]));
    const { direction } = selection;
    let rest = range;
    let length = FIRST_SLICE_NS;
    let page = MAX_ROWS;
    if (selection.limit !== undefined) page = Math.min(Math.max(selection.limit, MIN_ROWS) + SPARE_ROWS, MAX_ROWS);
    while (rest.from < rest.to) {
      const slice = nearest(rest, length, direction);
      const { rowCount, columns } = await selectColumns(this.#context, planLines(plan, slice, page), page);
      const cells = columns as unknown as LogCells;
      // A page that is full may end among records of the same time: those are read with the next one.
      const isFull = rowCount === page;
      const edge = isFull ? (cells.at[rowCount - 1] as bigint) : undefined;
      if (edge !== undefined && cells.at[0] === edge) {
        if (page === MAX_ROWS) throw crowded();
        page = Math.min(page * GROWTH, MAX_ROWS);
        continue;
      }
      const entries: LogEntry[] = [];
      for (let row = 0; row < rowCount && cells.at[row] !== edge; row++) {
        const stream = byId.get(cells.resource_id[row] as bigint);
        if (stream) entries.push(logEntry(cells, row, stream));
      }
      if (entries.length > 0) yield entries;
      rest =
        direction === 'forward'
          ? { from: edge ?? slice.to, to: rest.to }
          : { from: rest.from, to: edge === undefined ? slice.from : edge + 1n };
      length = nextLength(length, isFull, rowCount, page);
      page = Math.min(page * GROWTH, MAX_ROWS);
    }
  }

  async #plan(
    selection: LogSelection,
    selected: SelectedStreams,
    range: TimeRange,
    condition: SqlCondition | undefined,
  ): Promise<LinePlan> {
    const { stages, labels } = selection;
    const { attributes } = this.#catalog;
    const keys = labels && (await attributes.named(this.#context, labels, range));
    const compared = numberFilters(stages, selected.streams, []).map(({ label }) => label);
    const inTheWay = await attributes.named(this.#context, compared, range);
    const filters = inTheWay ? numberFilters(stages, selected.streams, inTheWay) : [];
    return { selection, selected, keys, filters, condition };
  }
}

async function* nothing(): AsyncGenerator<never> {}

function crowded(): SignalboxError {
  return new SignalboxError('too_large', `More than ${MAX_ROWS} records have the same time`, {
    hint: 'Use more selective matchers or line filters.',
  });
}

function nearest({ from, to }: TimeRange, length: bigint, direction: Direction): TimeRange {
  if (direction === 'forward') return { from, to: from + length < to ? from + length : to };
  return { from: to - length > from ? to - length : from, to };
}

/** Of the next slice, in nanoseconds: about as much as fills a page. */
function nextLength(length: bigint, isFull: boolean, rowCount: number, page: number): bigint {
  const expected = isFull ? LEAST_CHANGE : (MARGIN * page) / Math.max(rowCount, 1);
  const change = Math.min(MOST_CHANGE, Math.max(LEAST_CHANGE, expected));
  return BigInt(Math.round(Number(length) * change)) || 1n;
}

/** A condition of SQL, with its values among the parameters. */
type SqlCondition = (parameters: SqlParameters) => string;

/** What all statements of a selection have in common. */
export interface LinePlan {
  readonly selection: LogSelection;
  readonly selected: SelectedStreams;
  /** Attributes that matter; undefined: all do. */
  readonly keys: readonly string[] | undefined;
  /** Filters that leave out lines that are plain JSON. */
  readonly filters: readonly NumberFilter[];
  readonly condition?: SqlCondition | undefined;
}

/** The engine would compare the time of each row with those found so far, which costs more than it spares where few rows are found. */
const LINE_SETTINGS = 'use_top_k_dynamic_filtering = 0';

/** Lines of a slice of time, in order, `page` at most. */
export function planLines(
  { selection, selected, keys, filters, condition }: LinePlan,
  slice: TimeRange,
  page: number,
): Statement {
  const { stages, direction, labels } = selection;
  const parameters = new SqlParameters();
  const where = [logCondition(selected, slice, parameters), ...lineConditions(stages, parameters).conditions];
  if (condition) where.push(condition(parameters));
  for (const filter of filters) {
    const json = jsonLabels([filter.label], parameters);
    if (json) where.push(`NOT (${json.isPlain} AND ${failsNumber(filter, parameters)})`);
  }
  return parameters.statement(
    `SELECT toUnixTimestamp64Nano(time) AS at, resource_id, body, body_type, ${recordColumns(labels)},
  ${attributesColumn(keys, parameters)}
FROM logs
WHERE ${where.join('\n  AND ')}
ORDER BY time ${direction === 'forward' ? 'ASC' : 'DESC'}
LIMIT ${parameters.uint32(page)}
SETTINGS ${LINE_SETTINGS}`,
  );
}
