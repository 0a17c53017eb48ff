import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import type { CountSelection, Direction, LogCount, LogSelection, LogSource } from '../logql/log-source.ts';
import type { LogEntry } from '../logql/stream-labels.ts';
import { type QueryContext, selectColumns } from '../query-context.ts';
import { SqlParameters, type Statement } from '../sql-parameters.ts';
import type { TimeRange } from '../time-range.ts';
import { countLines } from './count-lines.ts';
import { lineConditions } from './line-conditions.ts';
import { logCondition, withinStore } from './log-condition.ts';
import { attributesColumn, LOG_COLUMNS, type LogCells, logEntry } from './log-rows.ts';
import type { SelectedStreams, StreamCatalog } from './stream-catalog.ts';

/** Rows that are in memory at once. */
const MAX_ROWS = 50_000;
const MIN_ROWS = 100;
/** Where a reader begins to look; it goes on with more or less at a time, as it finds few or many. */
const FIRST_SLICE_NS = 300_000_000_000n;
const GROWTH = 4n;

/** Logs of the store as Loki has them. Times beyond those that the store can hold are cut off. */
export class StoreLogs implements LogSource {
  readonly #context: QueryContext;
  readonly #catalog: StreamCatalog;

  constructor(context: QueryContext, catalog: StreamCatalog) {
    this.#context = context;
    this.#catalog = catalog;
  }

  count(selection: CountSelection): Promise<readonly LogCount[] | undefined> {
    return countLines(this.#context, this.#catalog, selection);
  }

  async *select(selection: LogSelection): AsyncGenerator<readonly LogEntry[]> {
    const range = withinStore(selection);
    if (range.from >= range.to) return;
    const selected = await this.#catalog.select(this.#context, selection.matchers, range);
    if (selected.streams.length === 0) return;
    const byId = new Map(selected.streams.map((stream) => [stream.id, stream]));
    const { direction } = selection;
    let rest = range;
    let length = FIRST_SLICE_NS;
    let page = selection.limit === undefined ? MAX_ROWS : Math.min(Math.max(selection.limit, MIN_ROWS), MAX_ROWS);
    while (rest.from < rest.to) {
      const slice = nearest(rest, length, direction);
      const statement = planLines(selection, selected, slice, page);
      const { rowCount, columns } = await selectColumns(this.#context, statement, page);
      const cells = columns as unknown as LogCells;
      // A page that is full may end among records of the same time: those are read with the next one.
      const isFull = rowCount === page;
      const edge = isFull ? (cells.at[rowCount - 1] as bigint) : undefined;
      if (edge !== undefined && cells.at[0] === edge) {
        if (page === MAX_ROWS) throw crowded();
        page = Math.min(page * Number(GROWTH), MAX_ROWS);
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
      if (isFull) length = length / GROWTH || 1n;
      else if (rowCount < page / 8) length *= GROWTH;
      page = Math.min(page * Number(GROWTH), MAX_ROWS);
    }
  }
}

function crowded(): SignalboxError {
  return new SignalboxError('too_large', `More than ${MAX_ROWS} records have the same time`, {
    hint: 'Use more selective matchers or line filters.',
  });
}

function nearest({ from, to }: TimeRange, length: bigint, direction: Direction): TimeRange {
  if (direction === 'forward') return { from, to: from + length < to ? from + length : to };
  return { from: to - length > from ? to - length : from, to };
}

/** Lines of a slice of time, in order, `page` at most. */
export function planLines(
  { stages, direction, labels }: LogSelection,
  selected: SelectedStreams,
  slice: TimeRange,
  page: number,
): Statement {
  const parameters = new SqlParameters();
  const where = [logCondition(selected, slice, parameters), ...lineConditions(stages, parameters).conditions];
  return parameters.statement(
    `SELECT ${LOG_COLUMNS},
  ${attributesColumn(labels, parameters)}
FROM logs
WHERE ${where.join('\n  AND ')}
ORDER BY time ${direction === 'forward' ? 'ASC' : 'DESC'}
LIMIT ${parameters.uint32(page)}`,
  );
}
