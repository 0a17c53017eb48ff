import type { LogSelection } from '../logql/log-source.ts';
import type { SqlParameters } from '../sql-parameters.ts';
import { isInTime } from '../time-condition.ts';
import type { TimeRange } from '../time-range.ts';
import type { SelectedStreams } from './stream-catalog.ts';

/** A statement's text, parameters included, has at most 256 KiB. */
const MAX_IDS = 5_000;
const MAX_SERVICES = 200;

/** Rows of a time that belong to streams; of very many streams more than theirs, which the reader has to leave out. */
export function logCondition({ streams, isAll }: SelectedStreams, range: TimeRange, parameters: SqlParameters): string {
  const conditions = [isInTime(range, parameters)];
  if (!isAll) {
    // The table is in the order of services within five minutes.
    const services = [...new Set(streams.map(({ service }) => service))];
    if (services.length <= MAX_SERVICES) conditions.push(`service IN ${parameters.strings(services)}`);
    if (streams.length <= MAX_IDS) {
      conditions.push(`resource_id IN ${parameters.uint64s(streams.map(({ id }) => id))}`);
    }
  }
  return conditions.join(' AND ');
}

/** Whether `logCondition` leaves out all rows of other streams. */
export function selectsExactly({ streams, isAll }: SelectedStreams): boolean {
  return isAll || streams.length <= MAX_IDS;
}

/** The time of a selection, as far as the store can have records in it. */
export function withinStore({ fromNs, toNs }: Pick<LogSelection, 'fromNs' | 'toNs'>): TimeRange {
  const latest = 2n ** 63n - 1n;
  return { from: fromNs < 0n ? 0n : fromNs, to: toNs > latest ? latest : toNs };
}
