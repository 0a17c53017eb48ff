/** The groups of one file in Prometheus's format of rules; durations in milliseconds. */
export interface RuleFile {
  readonly groups: readonly RuleGroupDefinition[];
}

export interface RuleGroupDefinition {
  readonly name: string;
  /** How often its rules are evaluated; undefined: as often as the program's setting says. */
  readonly intervalMs: number | undefined;
  /** How far in the past its rules are evaluated. */
  readonly queryOffsetMs: number;
  /** Upper limit of the series that a recording rule may produce, and of the alerts of an alerting rule; 0: none. */
  readonly limit: number;
  readonly rules: readonly RuleDefinition[];
}

export type RuleDefinition = RecordingRuleDefinition | AlertingRuleDefinition;

interface AnyRuleDefinition {
  readonly name: string;
  /** PromQL, as the file has it. */
  readonly expression: string;
  /** The group's labels and the rule's own, which win. Those of an alert are templates. */
  readonly labels: ReadonlyMap<string, string>;
}

export interface RecordingRuleDefinition extends AnyRuleDefinition {
  readonly kind: 'recording';
}

export interface AlertingRuleDefinition extends AnyRuleDefinition {
  readonly kind: 'alerting';
  /** How long the expression must hold before the alert fires. */
  readonly forMs: number;
  /** How long the alert goes on firing after the expression has ceased to hold. */
  readonly keepFiringForMs: number;
  /** Templates. */
  readonly annotations: ReadonlyMap<string, string>;
}

/** A mistake in a file of rules. Lines and columns count from 1. */
export interface RuleFileProblem {
  readonly message: string;
  readonly line: number;
  readonly column: number;
}
