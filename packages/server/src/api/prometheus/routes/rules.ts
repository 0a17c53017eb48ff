import type { ParserOptions } from '@signalbox/query-language';
import type { ActiveAlert, RuleGroupState, RuleState, RuleStates } from '../../../query/rule-states.ts';
import { chooseRules } from '../choose-rules.ts';
import { boolean, describeParameter, integer, labels, listOf, match, object, oneOf, text } from '../describe-route.ts';
import { showTime } from '../encode-json.ts';
import { get, type PrometheusRoute, strict } from '../prometheus-route.ts';

const only = (name: string, what: string) => describeParameter(name, listOf(text), `Only of these ${what}.`);
const about = {
  rules: {
    summary: 'Rules, by groups, and how their evaluation goes.',
    parameters: [
      describeParameter('type', oneOf('alert', 'record'), 'Only such rules.'),
      only('rule_name[]', 'names'),
      only('rule_group[]', 'groups'),
      only('file[]', 'files'),
      match,
      describeParameter('exclude_alerts', boolean, 'Without the alerts of each rule.'),
      describeParameter('group_limit', integer, 'Groups of a page.'),
      describeParameter('group_next_token', text, 'What the page before gave as groupNextToken.'),
    ],
    answers: object({ groups: listOf(object({ name: text, file: text, rules: listOf(object({ name: text })) })) }),
  },
  alerts: {
    summary: 'Alerts that are pending or firing.',
    answers: object({ alerts: listOf(object({ labels, annotations: labels, state: text, value: text })) }),
  },
  alertmanagers: {
    summary: 'The Alertmanagers that hear of alerts.',
    answers: object({ activeAlertmanagers: listOf(object({ url: text })), droppedAlertmanagers: listOf(object({})) }),
  },
};

/** Rules and what came of them. */
export function ruleRoutes(states: RuleStates, parser: ParserOptions): readonly PrometheusRoute[] {
  return [
    strict(
      get('rules', about.rules, async ({ parameters }) => {
        const { groups, withoutAlerts, nextToken } = chooseRules(states.groups(), parameters, parser);
        return {
          data: {
            groups: groups.map((group) => showGroup(group, withoutAlerts)),
            ...(nextToken === undefined ? {} : { groupNextToken: nextToken }),
          },
        };
      }),
    ),
    get('alerts', about.alerts, async () => {
      const rules = states.groups().flatMap((group) => group.rules);
      return {
        data: { alerts: rules.flatMap((rule) => (rule.kind === 'alerting' ? rule.alerts.map(showAlert) : [])) },
      };
    }),
    get('alertmanagers', about.alertmanagers, async () => ({
      data: { activeAlertmanagers: states.alertmanagers().map((url) => ({ url })), droppedAlertmanagers: [] },
    })),
  ];
}

function showGroup(group: RuleGroupState, withoutAlerts: boolean): object {
  return {
    name: group.name,
    file: group.file,
    rules: group.rules.map((rule) => showRule(rule, withoutAlerts)),
    interval: group.intervalMs / 1000,
    limit: group.limit,
    evaluationTime: group.evaluationMs / 1000,
    lastEvaluation: showTime(group.lastEvaluationMs),
  };
}

function showRule(rule: RuleState, withoutAlerts: boolean): object {
  const common = {
    name: rule.name,
    query: rule.query,
    labels: Object.fromEntries(rule.labels.entries()),
    health: rule.health,
    ...(rule.lastError === '' ? {} : { lastError: rule.lastError }),
    evaluationTime: rule.evaluationMs / 1000,
    lastEvaluation: showTime(rule.lastEvaluationMs),
  };
  if (rule.kind === 'recording') return { ...common, type: 'recording' };
  return {
    state: rule.state,
    ...common,
    duration: rule.forMs / 1000,
    keepFiringFor: rule.keepFiringForMs / 1000,
    annotations: Object.fromEntries(rule.annotations.entries()),
    alerts: withoutAlerts ? null : rule.alerts.map(showAlert),
    type: 'alerting',
  };
}

function showAlert(alert: ActiveAlert): object {
  return {
    labels: Object.fromEntries(alert.labels.entries()),
    annotations: Object.fromEntries(alert.annotations.entries()),
    state: alert.state,
    activeAt: showTime(alert.activeAtMs),
    ...(alert.keepFiringSinceMs === undefined ? {} : { keepFiringSince: showTime(alert.keepFiringSinceMs) }),
    value: exponentText(alert.value),
  };
}

/** A number with an exponent of at least two digits and the fewest others. */
function exponentText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
}
