import { type Alert, labelsKey } from './alert.ts';
import { AlertingRule, type AlertingRuleOptions } from './alerting-rule.ts';
import { RecordingRule } from './recording-rule.ts';
import type { Rule, RuleHealth } from './rule.ts';
import type { RuleDefinition, RuleGroupDefinition } from './rule-file.ts';
import type { ProducedSample, RuleQuery, SampleWriter } from './rule-query.ts';

/** How the last evaluation of a rule went. */
export interface RuleStatus {
  readonly health: RuleHealth;
  /** '' unless `health` is err. */
  readonly lastError: string;
  /** Start of the last evaluation, in ms since 1970; 0: none yet. */
  readonly lastEvaluation: number;
  readonly evaluationMs: number;
}

const NEVER_EVALUATED: RuleStatus = { health: 'unknown', lastError: '', lastEvaluation: 0, evaluationMs: 0 };

interface RunningRule {
  readonly rule: Rule;
  status: RuleStatus;
  /** Series that its last evaluation produced, by the key of their labels. */
  series: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

export interface RuleGroupOptions extends AlertingRuleOptions {
  readonly query: RuleQuery;
  readonly write: SampleWriter;
  readonly defaultIntervalMs: number;
}

/**
 * The rules of a group, evaluated one after the other at the same time, so that a rule sees what those before it recorded.
 * A series that a rule no longer produces is marked as ended.
 */
export class RuleGroup {
  readonly file: string;
  readonly definition: RuleGroupDefinition;
  readonly intervalMs: number;
  /** Of the last evaluation of all rules. */
  lastEvaluation = 0;
  evaluationMs = 0;
  readonly #options: RuleGroupOptions;
  readonly #rules: RunningRule[];
  /** Series of rules that this group no longer has. */
  #orphans: ReadonlyMap<string, string>[] = [];

  constructor(file: string, definition: RuleGroupDefinition, options: RuleGroupOptions) {
    this.file = file;
    this.definition = definition;
    this.intervalMs = definition.intervalMs ?? options.defaultIntervalMs;
    this.#options = options;
    this.#rules = definition.rules.map((rule) => ({
      rule: rule.kind === 'alerting' ? new AlertingRule(rule, options) : new RecordingRule(rule),
      status: NEVER_EVALUATED,
      series: new Map(),
    }));
  }

  get rules(): readonly { readonly rule: Rule; readonly status: RuleStatus }[] {
    return this.#rules;
  }

  get alertingRules(): readonly AlertingRule[] {
    return this.#rules.flatMap(({ rule }) => (rule instanceof AlertingRule ? [rule] : []));
  }

  /** Goes on where a group of another version of the file stood: rules are the same when name and labels are. */
  takeOver(from: RuleGroup): void {
    const rest = [...from.#rules];
    for (const running of this.#rules) {
      const index = rest.findIndex(({ rule }) => isSameRule(rule.definition, running.rule.definition));
      const [known] = index < 0 ? [] : rest.splice(index, 1);
      if (!known) continue;
      running.series = known.series;
      running.status = known.status;
      if (running.rule instanceof AlertingRule && known.rule instanceof AlertingRule) {
        running.rule.restore(known.rule.alerts);
      }
    }
    this.#orphans = [...from.#orphans, ...rest.flatMap(({ series }) => [...series.values()])];
    this.lastEvaluation = from.lastEvaluation;
    this.evaluationMs = from.evaluationMs;
  }

  /** Gives a rule the alerts of the program's earlier life, and ends the series of those that are others by now. */
  restore(rule: AlertingRule, alerts: readonly Alert[]): void {
    const running = this.#rules.find((candidate) => candidate.rule === rule);
    if (!running) return;
    rule.restore(alerts);
    running.series = new Map(rule.series.map((labels) => [labelsKey(labels), labels]));
  }

  /** Evaluates all rules at `timeMs`. A rule that fails says so in its status and does not keep the others from running. */
  async evaluate(timeMs: number, signal?: AbortSignal): Promise<void> {
    const start = performance.now();
    for (const running of this.#rules) {
      if (signal?.aborted) return;
      await this.#evaluateRule(running, timeMs, signal);
    }
    await this.#endOrphans(timeMs);
    this.lastEvaluation = Date.now();
    this.evaluationMs = performance.now() - start;
  }

  /** Marks every series of the group as ended: it no longer exists. */
  async end(timeMs: number): Promise<void> {
    for (const running of this.#rules) {
      this.#orphans.push(...running.series.values());
      running.series = new Map();
    }
    await this.#endOrphans(timeMs);
  }

  async #evaluateRule(running: RunningRule, timeMs: number, signal: AbortSignal | undefined): Promise<void> {
    const { query, write } = this.#options;
    const { queryOffsetMs, limit } = this.definition;
    const start = performance.now();
    const lastEvaluation = Date.now();
    const settle = (health: RuleHealth, lastError: string) => {
      running.status = { health, lastError, lastEvaluation, evaluationMs: performance.now() - start };
    };
    try {
      const evaluation = { timeMs, queryOffsetMs, limit, query, ...(signal ? { signal } : {}) };
      const samples = await running.rule.evaluate(evaluation);
      const series = new Map(samples.map(({ labels }) => [labelsKey(labels), labels]));
      const ended = Array.from(running.series).filter(([key]) => !series.has(key));
      const marks: ProducedSample[] = ended.map(([, labels]) => ({
        labels,
        timeMs: timeMs - queryOffsetMs,
        value: 'stale',
      }));
      if (samples.length + marks.length > 0) await write([...samples, ...marks]);
      running.series = series;
      settle('ok', '');
    } catch (error) {
      if (signal?.aborted) return;
      settle('err', error instanceof Error ? error.message : String(error));
    }
  }

  async #endOrphans(timeMs: number): Promise<void> {
    if (this.#orphans.length === 0) return;
    const produced = new Set(this.#rules.flatMap(({ series }) => [...series.keys()]));
    const ended = this.#orphans.filter((labels) => !produced.has(labelsKey(labels)));
    const marks = ended.map((labels) => ({
      labels,
      timeMs: timeMs - this.definition.queryOffsetMs,
      value: 'stale' as const,
    }));
    if (marks.length > 0) await this.#options.write(marks);
    this.#orphans = [];
  }
}

function isSameRule(a: RuleDefinition, b: RuleDefinition): boolean {
  return a.kind === b.kind && a.name === b.name && labelsKey(a.labels) === labelsKey(b.labels);
}
