import { QueryInputError } from '../query-input-error.ts';

/**
 * The place after a record in the order of the search: by time and then by a hash of the whole record, both falling.
 * Records may be equal in all of that, so the place also says how many of those were given.
 */
export interface LogCursor {
  /** Nanoseconds. */
  readonly time: bigint;
  readonly hash: bigint;
  /** Records with this time and this hash that were given. */
  readonly given: number;
  /** Records with this time that were given. */
  readonly givenAtTime: number;
}

/** Records of one and the same nanosecond that can be paged through: the engine must hold as many times at once. */
const mostGiven = 1_000_000;

export function printCursor({ time, hash, given, givenAtTime }: LogCursor): string {
  return `${time}.${hash}.${given}.${givenAtTime}`;
}

export function parseCursor(text: string): LogCursor {
  const match = /^(\d{1,19})\.(\d{1,20})\.(\d{1,9})\.(\d{1,9})$/.exec(text);
  const [time, hash] = [BigInt(match?.[1] ?? -1), BigInt(match?.[2] ?? -1)];
  const given = Math.max(Number(match?.[3]), Number(match?.[4]));
  if (match === null || given > mostGiven || time >= 2n ** 63n || hash >= 2n ** 64n) {
    throw new QueryInputError('cursor is not one that a search gave', {
      parameter: 'cursor',
      position: { start: 0, end: text.length },
    });
  }
  return { time, hash, given: Number(match[3]), givenAtTime: Number(match[4]) };
}
