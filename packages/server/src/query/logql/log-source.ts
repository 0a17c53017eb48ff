import type { LabelMatcher, Stage } from '@signalbox/query-language';
import type { LogEntry } from './stream-labels.ts';

export type Direction = 'forward' | 'backward';

/** Which logs a part of a query needs. */
export interface LogSelection {
  readonly matchers: readonly LabelMatcher[];
  /** Nanoseconds since 1970; `toNs` is the first that is out. */
  readonly fromNs: bigint;
  readonly toNs: bigint;
  readonly direction: Direction;
  /** What will be done with each line: a source may use it to read less. It does not need to. */
  readonly stages: readonly Stage[];
  /** Entries that will do, unless stages drop some of them; undefined: all are needed. */
  readonly limit: number | undefined;
}

/** Where logs come from. */
export interface LogSource {
  /**
   * Entries of the streams that fulfil all matchers, in the order of their times, some at a time. Rejects with LogqlError, or when
   * `signal` aborts; whoever stops reading before the end stops the source.
   */
  select(selection: LogSelection, signal?: AbortSignal): AsyncIterable<readonly LogEntry[]>;
}
