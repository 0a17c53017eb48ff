import type { LabelMatcher } from '@signalbox/query-language';
import type { FloatHistogram } from './histogram/float-histogram.ts';
import type { Labels } from './labels.ts';

/** Samples of one series, in the order of their times. */
export interface RawSeries {
  readonly labels: Labels;
  /** In ms since 1970, ascending, none twice. */
  readonly times: Float64Array;
  /** Of a histogram: anything. */
  readonly values: Float64Array;
  /** undefined: all samples are numbers; else those that are histograms. They belong to the series: nobody changes them. */
  readonly histograms?: readonly (FloatHistogram | undefined)[];
  /** 1: the series ended here, and the sample is no value. JavaScript may lose the payload of NaN that Prometheus has for it. */
  readonly stale?: Uint8Array;
  /** When the counter of a sample began, in ms since 1970; 0: unknown. */
  readonly startTimes?: Float64Array;
}

/** What a part of a query needs of a metric. */
export interface Selection {
  readonly matchers: readonly LabelMatcher[];
  /** First and last time of samples that matter, in ms since 1970, both included. */
  readonly startMs: number;
  readonly endMs: number;
  readonly hints: SelectionHints;
}

/** What is done with the samples: a source may use it to read less. */
export interface SelectionHints {
  /** Between evaluations, in ms; 0: there is one. */
  readonly stepMs: number;
  /** Of the range selector around it, in ms; 0: only the last sample before each evaluation matters. */
  readonly rangeMs: number;
  /** Name of the function or the aggregator that takes it; '' when none does. */
  readonly function: string;
  /** Of histograms only count, sum and resets matter. */
  readonly histogramStats: boolean;
}

/** Where samples come from. */
export interface Queryable {
  /**
   * The series that fulfil all matchers, with their samples in the time; each series once, in any order. Series without a
   * sample in the time are left out. Rejects with PromqlError, or when `signal` aborts.
   */
  select(selection: Selection, signal?: AbortSignal): Promise<readonly RawSeries[]>;
}
