import type { LabelMatcher, Stage } from '@signalbox/query-language';
import type { RangeWindows } from './range-windows.ts';
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
  /** Labels whose values matter; undefined: all do. A source may leave out metadata of other names. */
  readonly labels?: readonly string[] | undefined;
  /** Entries that will do, unless stages drop some of them; undefined: all are needed. */
  readonly limit: number | undefined;
}

/** Lines that are only counted. */
export interface CountSelection {
  readonly matchers: readonly LabelMatcher[];
  readonly stages: readonly Stage[];
  readonly windows: RangeWindows;
  /** All labels that the count depends on, those that stages look at included. */
  readonly labels: readonly string[];
  /** Those of them whose values tell counts apart. */
  readonly groups: readonly string[];
  /** The length of lines is wanted, too. */
  readonly countsBytes: boolean;
}

/** Lines in the same windows that are all the same to a query. */
export interface LogCount {
  /** What stands for each of them: line filters are done with, all other stages make of it what they make of the line itself. */
  readonly entry: LogEntry;
  readonly first: number;
  readonly last: number;
  readonly lines: number;
  /** Of the lines, in UTF-8; 0 unless it was wanted. */
  readonly bytes: number;
}

export interface LogCounts {
  readonly counts: readonly LogCount[];
  /** Lines that are not among the counts. */
  readonly rest: AsyncIterable<readonly LogEntry[]>;
}

/** Where logs come from. */
export interface LogSource {
  /**
   * Entries of the streams that fulfil all matchers, in the order of their times, some at a time. Rejects with LogqlError, or when
   * `signal` aborts; whoever stops reading before the end stops the source.
   */
  select(selection: LogSelection, signal?: AbortSignal): AsyncIterable<readonly LogEntry[]>;

  /** Counts lines without handing them out; undefined where the source can't do it exactly. */
  count?(selection: CountSelection): Promise<LogCounts | undefined>;
}
