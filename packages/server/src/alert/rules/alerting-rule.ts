import type { ParsedTemplate } from '../../go-template/nodes.ts';
import { TemplateError } from '../../go-template/template-error.ts';
import { expandAlertTemplate, parseAlertTemplate } from '../template/expand-template.ts';
import { type Alert, labelsKey } from './alert.ts';
import type { Evaluation, Rule } from './rule.ts';
import type { AlertingRuleDefinition } from './rule-file.ts';
import type { ProducedSample, RuleSample } from './rule-query.ts';

/** A resolved alert is kept, and its end told again, for so long: a receiver may have been away when it was told first. */
const RESOLVED_RETENTION_MS = 15 * 60_000;

export interface AlertingRuleOptions {
  /** Labels that receivers see on every alert of this program; templates may refer to them. */
  readonly externalLabels: ReadonlyMap<string, string>;
  readonly externalUrl: URL;
}

/**
 * Raises an alert for each element of an expression's result: pending at first, firing when it has held for the rule's `for`.
 * Its states are series too: `ALERTS`, with value 1, and `ALERTS_FOR_STATE`, with the time (s) since when it holds.
 */
export class AlertingRule implements Rule {
  readonly definition: AlertingRuleDefinition;
  readonly #options: AlertingRuleOptions;
  readonly #labels: readonly (readonly [string, ParsedTemplate])[];
  readonly #annotations: readonly (readonly [string, ParsedTemplate])[];
  /** By the key of their labels. */
  #alerts = new Map<string, Alert>();

  constructor(definition: AlertingRuleDefinition, options: AlertingRuleOptions) {
    this.definition = definition;
    this.#options = options;
    const parse = (templates: ReadonlyMap<string, string>) =>
      Array.from(templates, ([name, source]) => [name, parseAlertTemplate(definition.name, source)] as const);
    this.#labels = parse(definition.labels);
    this.#annotations = parse(definition.annotations);
  }

  /** Pending and firing alerts, and those resolved a short while ago. */
  get alerts(): readonly Alert[] {
    return [...this.#alerts.values()];
  }

  /** The series that its active alerts have. */
  get series(): readonly ReadonlyMap<string, string>[] {
    const active = this.alerts.filter(({ state }) => state !== 'inactive');
    return active.flatMap((alert) => this.#samples(alert, 0).map(({ labels }) => labels));
  }

  /** Takes over what an earlier life, or an earlier version, of this rule knew. */
  restore(alerts: readonly Alert[]): void {
    this.#alerts = new Map(alerts.map((alert) => [labelsKey(alert.labels), { ...alert }]));
  }

  async evaluate(evaluation: Evaluation): Promise<readonly ProducedSample[]> {
    const { timeMs, queryOffsetMs, limit, query, signal } = evaluation;
    const result = await query(this.definition.expression, timeMs - queryOffsetMs, signal);
    const holding = new Map<string, Alert>();
    for (const sample of result) {
      const alert = await this.#raise(sample, evaluation);
      const key = labelsKey(alert.labels);
      if (holding.has(key)) {
        throw new Error('vector contains metrics with the same labelset after applying alert labels');
      }
      holding.set(key, alert);
    }
    const alerts = new Map(Array.from(this.#alerts, ([key, alert]) => [key, { ...alert }]));
    for (const [key, { value, annotations, ...rest }] of holding) {
      const known = alerts.get(key);
      if (known && known.state !== 'inactive') Object.assign(known, { value, annotations });
      else alerts.set(key, { value, annotations, ...rest });
    }
    const active = Array.from(alerts).filter(([key, alert]) =>
      this.#advance(alerts, key, alert, holding.has(key), timeMs),
    );
    if (limit > 0 && active.length > limit) {
      this.#alerts.clear();
      throw new Error(`exceeded limit of ${limit} with ${active.length} alerts`);
    }
    this.#alerts = alerts;
    return active.flatMap(([, alert]) => this.#samples(alert, timeMs - queryOffsetMs));
  }

  /** Moves an alert to where it stands at `timeMs`; false: it is not active. */
  #advance(alerts: Map<string, Alert>, key: string, alert: Alert, isHolding: boolean, timeMs: number): boolean {
    const { forMs, keepFiringForMs } = this.definition;
    if (isHolding) alert.keepFiringSince = undefined;
    else {
      let keepsFiring = false;
      if (alert.state === 'firing' && keepFiringForMs > 0) {
        alert.keepFiringSince ??= timeMs;
        keepsFiring = timeMs - alert.keepFiringSince < keepFiringForMs;
      }
      const isForgotten = alert.resolvedAt !== undefined && timeMs - alert.resolvedAt > RESOLVED_RETENTION_MS;
      if (alert.state === 'pending' || isForgotten) alerts.delete(key);
      if (!keepsFiring) {
        if (alert.state !== 'inactive') {
          alert.state = 'inactive';
          alert.resolvedAt = timeMs;
        }
        return false;
      }
    }
    const hasHeld = timeMs - alert.activeAt >= forMs;
    if (alert.state === 'pending' && hasHeld) {
      alert.state = 'firing';
      alert.firedAt = timeMs;
    } else if (alert.state === 'firing' && !hasHeld) {
      // The rule was changed to a longer `for` meanwhile.
      alert.state = 'pending';
      alert.firedAt = undefined;
      alert.lastSentAt = undefined;
      alert.keepFiringSince = undefined;
    }
    return true;
  }

  async #raise(sample: RuleSample, evaluation: Evaluation): Promise<Alert> {
    const { timeMs, query, signal } = evaluation;
    const data = { labels: sample.labels, externalLabels: this.#options.externalLabels, value: sample.value };
    const environment = {
      timeMs,
      externalUrl: this.#options.externalUrl,
      query: (expression: string) => query(expression, timeMs, signal),
    };
    const expand = async (template: ParsedTemplate): Promise<string> => {
      try {
        return await expandAlertTemplate(template, data, environment);
      } catch (error) {
        if (signal?.aborted || !(error instanceof Error)) throw error;
        // An alert with a broken text is better than none.
        const reason = error instanceof TemplateError ? error.message : `query failed: ${error.message}`;
        return `<error expanding template: error executing template __alert_${this.definition.name}: ${reason}>`;
      }
    };
    const labels = new Map(sample.labels);
    labels.delete('__name__');
    for (const [name, template] of this.#labels) labels.set(name, await expand(template));
    labels.set('alertname', this.definition.name);
    for (const [name, value] of labels) if (value === '') labels.delete(name);
    const annotations = new Map<string, string>();
    for (const [name, template] of this.#annotations) annotations.set(name, await expand(template));
    return {
      labels,
      annotations,
      state: 'pending',
      value: typeof sample.value === 'number' ? sample.value : 0,
      activeAt: timeMs,
      firedAt: undefined,
      resolvedAt: undefined,
      keepFiringSince: undefined,
      lastSentAt: undefined,
      validUntil: undefined,
    };
  }

  #samples(alert: Alert, timeMs: number): ProducedSample[] {
    const series = (name: string, more: readonly (readonly [string, string])[]) =>
      new Map([...alert.labels, ['__name__', name], ...more]);
    return [
      { labels: series('ALERTS', [['alertstate', alert.state]]), timeMs, value: 1 },
      { labels: series('ALERTS_FOR_STATE', []), timeMs, value: Math.floor(alert.activeAt / 1000) },
    ];
  }
}
