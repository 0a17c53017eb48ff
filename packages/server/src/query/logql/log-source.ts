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
  /** All that the count depends on besides the stages. */
  readonly labels: readonly string[];
  /** The length of lines is wanted, too. */
  readonly countsBytes: boolean;
}

/** Lines with the same labels, as far as those were asked for, in the same windows. */
export interface LogCount {
  readonly entry: Pick<LogEntry, 'stream' | 'metadata' | 'implied'>;
  readonly first: number;
  readonly last: number;
  readonly lines: number;
  /** Of the lines, in UTF-8; 0 unless it was wanted. */
  readonly bytes: number;
}

/** Where logs come from. */
export interface LogSource {
  /**
   * Entries of the streams that fulfil all matchers, in the order of their times, some at a time. Rejects with LogqlError, or when
   * `signal` aborts; whoever stops reading before the end stops the source.
   */
  select(selection: LogSelection, signal?: AbortSignal): AsyncIterable<readonly LogEntry[]>;

  /** Counts lines without handing them out; undefined where the source can't do it exactly. */
  count?(selection: CountSelection): Promise<readonly LogCount[] | undefined>;
}
