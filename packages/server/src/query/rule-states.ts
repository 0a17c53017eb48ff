import type { Labels } from './promql/labels.ts';

/** Where an alert stands; inactive ones are not listed. */
export type AlertState = 'inactive' | 'pending' | 'firing';

/** An alert that its rule's expression gives now. Times in ms since 1970. */
export interface ActiveAlert {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly state: AlertState;
  readonly activeAtMs: number;
  /** Since when it fires only because of `keep_firing_for`. */
  readonly keepFiringSinceMs?: number | undefined;
  readonly value: number;
}

interface CommonRuleState {
  readonly name: string;
  /** PromQL as it is printed. */
  readonly query: string;
  readonly labels: Labels;
  readonly health: 'unknown' | 'ok' | 'err';
  /** '' without one. */
  readonly lastError: string;
  /** 0: not yet evaluated. */
  readonly lastEvaluationMs: number;
  readonly evaluationMs: number;
}

export interface AlertingRuleState extends CommonRuleState {
  readonly kind: 'alerting';
  readonly state: AlertState;
  readonly forMs: number;
  readonly keepFiringForMs: number;
  readonly annotations: Labels;
  readonly alerts: readonly ActiveAlert[];
}

export interface RecordingRuleState extends CommonRuleState {
  readonly kind: 'recording';
}

export type RuleState = AlertingRuleState | RecordingRuleState;

export interface RuleGroupState {
  readonly name: string;
  readonly file: string;
  readonly intervalMs: number;
  /** Most series or alerts of a rule; 0: any number. */
  readonly limit: number;
  readonly rules: readonly RuleState[];
  readonly lastEvaluationMs: number;
  readonly evaluationMs: number;
}

/** What is evaluated at intervals and what came of it, for those who ask; whoever evaluates rules implements it. */
export interface RuleStates {
  /** In the order of files, then of the groups in them. */
  groups(): readonly RuleGroupState[];
  /** URLs of the Alertmanagers that alerts go to. */
  alertmanagers(): readonly string[];
}

/** Of a program that has no rules. */
export const NO_RULES: RuleStates = { groups: () => [], alertmanagers: () => [] };
