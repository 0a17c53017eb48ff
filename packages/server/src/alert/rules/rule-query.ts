import type { FloatHistogram } from '../../query/promql/histogram/float-histogram.ts';

/** One element of an instant query's result. */
export interface RuleSample {
  /** Includes `__name__` where the expression keeps it. */
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number | FloatHistogram;
}

/**
 * Evaluates PromQL at one time (ms since 1970) for a rule. A scalar is one sample without labels. Throws when the expression
 * can't be evaluated, or gives neither a vector nor a scalar.
 */
export type RuleQuery = (expression: string, timeMs: number, signal?: AbortSignal) => Promise<readonly RuleSample[]>;

/** A sample that a rule produced. */
export interface ProducedSample {
  /** Includes `__name__`. */
  readonly labels: ReadonlyMap<string, string>;
  /** In ms since 1970. */
  readonly timeMs: number;
  /** `stale`: the series has ended. */
  readonly value: number | FloatHistogram | 'stale';
}

/** Stores what rules produced; resolves when it can be queried. */
export type SampleWriter = (samples: readonly ProducedSample[]) => Promise<void>;
