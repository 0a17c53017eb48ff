import type { FloatHistogram } from '../../query/promql/histogram/float-histogram.ts';
import type { Labels } from '../../query/promql/labels.ts';
import type { MemorySample } from '../../query/promql/memory-series.ts';

/** A file of unit tests for rules, in the format of `promtool test rules`; durations in ms. */
export interface RuleTestFile {
  /** Globs, relative to the folder of the file. */
  readonly ruleFiles: readonly string[];
  readonly evaluationIntervalMs: number;
  /** Names of groups in the order of their evaluation; others come first. */
  readonly groupOrder: readonly string[];
  /** Numbers that differ in the last bit are equal. */
  readonly isFuzzy: boolean;
  readonly tests: readonly RuleTest[];
}

/** A world of its own: series, and what is to be true of them and of the rules. */
export interface RuleTest {
  /** '' without one. */
  readonly name: string;
  /** When it begins, in ms since 1970; times of evaluation count from here. */
  readonly startMs: number;
  readonly series: readonly { readonly labels: Labels; readonly samples: readonly MemorySample[] }[];
  readonly externalLabels: ReadonlyMap<string, string>;
  readonly externalUrl: URL;
  readonly alertTests: readonly AlertTest[];
  readonly expressionTests: readonly ExpressionTest[];
}

/** Which alerts of a name fire at a time (ms after the start). */
export interface AlertTest {
  readonly afterMs: number;
  readonly alertName: string;
  readonly expected: readonly ExpectedAlert[];
}

export interface ExpectedAlert {
  /** With `alertname`. */
  readonly labels: Labels;
  readonly annotations: Labels;
}

/** What an expression gives at a time (ms after the start). */
export interface ExpressionTest {
  readonly afterMs: number;
  readonly expression: string;
  readonly expected: readonly ExpectedSample[];
}

export interface ExpectedSample {
  readonly labels: Labels;
  readonly value: number | FloatHistogram;
}
