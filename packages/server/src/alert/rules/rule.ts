import type { RuleDefinition } from './rule-file.ts';
import type { ProducedSample, RuleQuery } from './rule-query.ts';

/** What the evaluation of a rule needs from its group. */
export interface Evaluation {
  /** Time of the evaluation, in ms since 1970. */
  readonly timeMs: number;
  /** How far before it the expression is evaluated, and the samples are dated. */
  readonly queryOffsetMs: number;
  /** Upper limit of series or alerts; 0: none. */
  readonly limit: number;
  readonly query: RuleQuery;
  readonly signal?: AbortSignal;
}

export type RuleHealth = 'unknown' | 'ok' | 'err';

/** A rule of a group, as the group runs it. */
export interface Rule {
  readonly definition: RuleDefinition;
  /** Evaluates the rule once and returns the samples to store. Throws when it can't; its state is then as before. */
  evaluate(evaluation: Evaluation): Promise<readonly ProducedSample[]>;
}
