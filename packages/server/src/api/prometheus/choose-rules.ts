import { createHash } from 'node:crypto';
import { compileMatcher, type LabelMatcher, type ParserOptions } from '@signalbox/query-language';
import type { RuleGroupState, RuleState } from '../../query/rule-states.ts';
import { invalidParameter } from './prometheus-error.ts';
import { type PrometheusParameters, readBoolean, readWhole } from './prometheus-parameters.ts';
import { readMatchers } from './read-matchers.ts';

export interface ChosenRules {
  readonly groups: readonly RuleGroupState[];
  readonly withoutAlerts: boolean;
  /** Where the next page begins; undefined: there is none. */
  readonly nextToken: string | undefined;
}

/** The rules that a request of `rules` asks for, a page of groups at a time. */
export function chooseRules(
  all: readonly RuleGroupState[],
  parameters: PrometheusParameters,
  parser: ParserOptions,
): ChosenRules {
  const names = new Set(parameters.list('rule_name[]'));
  const groupNames = new Set(parameters.list('rule_group[]'));
  const files = new Set(parameters.list('file[]'));
  const sets = readMatchers(parameters.list('match[]'), parser);
  const type = parameters.text('type').toLowerCase();
  if (type !== '' && type !== 'alert' && type !== 'record') {
    throw invalidParameter('type', `not supported value ${JSON.stringify(type)}`);
  }
  const withoutAlerts = readFlag(parameters, 'exclude_alerts');
  const isWanted = (rule: RuleState): boolean =>
    (names.size === 0 || names.has(rule.name)) &&
    (type === '' || (type === 'alert') === (rule.kind === 'alerting')) &&
    (sets.length === 0 || sets.some((matchers) => fulfils(rule, matchers)));
  const { limit, first } = readPage(all, parameters);
  const found = all
    .slice(first)
    .filter(({ name }) => groupNames.size === 0 || groupNames.has(name))
    .filter(({ file }) => files.size === 0 || files.has(file))
    .map((group) => ({ ...group, rules: group.rules.filter(isWanted) }))
    .filter(({ rules }) => rules.length > 0);
  const next = found[limit];
  return { groups: found.slice(0, limit), withoutAlerts, nextToken: next === undefined ? undefined : tokenOf(next) };
}

/** How many groups a page has, and the place of its first. */
function readPage(all: readonly RuleGroupState[], parameters: PrometheusParameters): { limit: number; first: number } {
  const token = parameters.text('group_next_token');
  const text = parameters.text('group_limit');
  if (text === '') {
    if (token === '') return { limit: all.length, first: 0 };
    throw invalidParameter('group_next_token', 'group_limit needs to be present in order to paginate over the groups');
  }
  const limit = readWhole(text, 'ParseInt', (problem) =>
    invalidParameter('group_limit', `group_limit needs to be a valid number: ${problem}`),
  );
  if (limit <= 0) throw invalidParameter('group_limit', 'group_limit needs to be greater than 0');
  const first = token === '' ? 0 : all.findIndex((group) => tokenOf(group) === token);
  if (first >= 0) return { limit, first };
  throw invalidParameter('group_next_token', `invalid group_next_token '${token}'. were rule groups changed?`);
}

function tokenOf({ file, name }: RuleGroupState): string {
  return createHash('sha256').update(`${file};${name}`).digest('hex');
}

function fulfils(rule: RuleState, matchers: readonly LabelMatcher[]): boolean {
  return matchers.every((matcher) => compileMatcher(matcher)(rule.labels.get(matcher.name)));
}

function readFlag(parameters: PrometheusParameters, name: string): boolean {
  const text = parameters.text(name).toLowerCase();
  if (text === '') return false;
  return readBoolean(text, (problem) => invalidParameter(name, `error converting ${name}: ${problem}`));
}
