import { type ParserOptions, parsePromql, printPromql } from '@signalbox/query-language';
import { Labels } from '../../query/promql/labels.ts';
import type { ActiveAlert, AlertState, RuleGroupState, RuleState } from '../../query/rule-states.ts';
import type { Alert } from './alert.ts';
import { AlertingRule } from './alerting-rule.ts';
import type { Rule } from './rule.ts';
import type { RuleGroup, RuleStatus } from './rule-group.ts';

/** What a group's rules are and what came of them, for those who ask. */
export function groupState(
  { definition, file, intervalMs, lastEvaluation, evaluationMs, rules }: RuleGroup,
  parser: ParserOptions,
): RuleGroupState {
  return {
    name: definition.name,
    file,
    intervalMs,
    limit: definition.limit,
    rules: rules.map(({ rule, status }) => ruleState(rule, status, parser)),
    lastEvaluationMs: lastEvaluation,
    evaluationMs,
  };
}

function ruleState(rule: Rule, status: RuleStatus, parser: ParserOptions): RuleState {
  const { name, expression, labels } = rule.definition;
  const common = {
    name,
    query: printPromql(parsePromql(expression, parser), parser),
    labels: Labels.from(labels),
    health: status.health,
    lastError: status.lastError,
    lastEvaluationMs: status.lastEvaluation,
    evaluationMs: status.evaluationMs,
  };
  if (!(rule instanceof AlertingRule)) return { kind: 'recording', ...common };
  const { forMs, keepFiringForMs, annotations } = rule.definition;
  const active = rule.alerts.filter(({ state }) => state !== 'inactive');
  return {
    kind: 'alerting',
    ...common,
    state: stateOf(active),
    forMs,
    keepFiringForMs,
    annotations: Labels.from(annotations),
    alerts: active.map(activeAlert),
  };
}

function stateOf(active: readonly Alert[]): AlertState {
  if (active.some(({ state }) => state === 'firing')) return 'firing';
  return active.length > 0 ? 'pending' : 'inactive';
}

function activeAlert({ labels, annotations, state, activeAt, keepFiringSince, value }: Alert): ActiveAlert {
  return {
    labels: Labels.from(labels),
    annotations: Labels.from(annotations),
    state,
    activeAtMs: activeAt,
    keepFiringSinceMs: keepFiringSince,
    value,
  };
}
