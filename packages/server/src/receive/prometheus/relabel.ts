import { createHash } from 'node:crypto';
import { RE2JS } from 're2js';
import type { SettingsMap } from '../../config/settings-map.ts';
import type { RelabelStep } from '../../pipeline/scrapes.ts';

const ACTIONS = [
  'replace',
  'lowercase',
  'uppercase',
  'keep',
  'drop',
  'keepequal',
  'dropequal',
  'hashmod',
  'labelmap',
  'labeldrop',
  'labelkeep',
] as const;

export interface RelabelRule {
  readonly action: (typeof ACTIONS)[number];
  readonly sourceLabels: readonly string[];
  readonly separator: string;
  readonly regex: RE2JS;
  /** The regular expression as it was written. */
  readonly pattern: string;
  readonly modulus: number;
  readonly targetLabel: string;
  readonly replacement: string;
}

const NEEDS_TARGET: ReadonlySet<string> = new Set([
  'replace',
  'lowercase',
  'uppercase',
  'keepequal',
  'dropequal',
  'hashmod',
]);

/** Reads `relabel_configs` as Prometheus has them. */
export function readRelabelRules(settings: SettingsMap, key: string): RelabelRule[] {
  return settings.tables(key).map((rule) => {
    const action = rule.choice('action', ACTIONS, 'replace');
    const pattern = rule.string('regex', '(.*)');
    const read: RelabelRule = {
      action,
      sourceLabels: rule.strings('source_labels'),
      separator: rule.string('separator', ';'),
      regex: compiled(rule, pattern),
      pattern,
      modulus: rule.integer('modulus', 0, { min: 0 }),
      targetLabel: rule.string('target_label', ''),
      replacement: rule.string('replacement', '$1'),
    };
    if (NEEDS_TARGET.has(action) && read.targetLabel === '') throw rule.failHere(`${action} needs target_label`);
    if (action === 'hashmod' && read.modulus === 0) throw rule.failHere('hashmod needs modulus');
    return read;
  });
}

/** Anchored at both ends, as everywhere in Prometheus. */
function compiled(rule: SettingsMap, pattern: string): RE2JS {
  try {
    return RE2JS.compile(`^(?s:${pattern})$`);
  } catch (error) {
    throw rule.fail('regex', (error as Error).message);
  }
}

/** The labels after all rules, without those that became empty; null: a rule drops what they belong to. */
export function relabel(
  labels: ReadonlyMap<string, string>,
  rules: readonly RelabelRule[],
): Map<string, string> | null {
  let result = new Map(labels);
  for (const rule of rules) {
    const changed = applyRule(result, rule);
    if (changed === null) return null;
    result = changed;
  }
  for (const [name, value] of result) if (value === '') result.delete(name);
  return result;
}

/** What each rule makes of the labels; those after one that drops what they belong to do nothing. */
export function relabelSteps(labels: ReadonlyMap<string, string>, rules: readonly RelabelRule[]): RelabelStep[] {
  let result: Map<string, string> | null = new Map(labels);
  return rules.map((rule) => {
    if (result !== null) result = applyRule(result, rule);
    const shown = [...(result ?? [])].filter(([, value]) => value !== '');
    return { rule, labels: new Map(shown), keep: result !== null };
  });
}

function applyRule(labels: Map<string, string>, rule: RelabelRule): Map<string, string> | null {
  const { action, regex, targetLabel } = rule;
  const source = rule.sourceLabels.map((name) => labels.get(name) ?? '').join(rule.separator);
  switch (action) {
    case 'keep':
      return regex.matches(source) ? labels : null;
    case 'drop':
      return regex.matches(source) ? null : labels;
    case 'keepequal':
      return (labels.get(targetLabel) ?? '') === source ? labels : null;
    case 'dropequal':
      return (labels.get(targetLabel) ?? '') === source ? null : labels;
    case 'replace': {
      const matcher = regex.matcher(source);
      if (!matcher.matches()) return labels;
      const expand = (template: string) =>
        template.replace(/\$(?:(\d+)|\{(\w+)\})|\$\$/g, (_, digits?: string, braced?: string) => {
          const group = digits ?? braced;
          if (group === undefined) return '$';
          return (/^\d+$/.test(group) ? groupAt(matcher, Number(group)) : groupNamed(matcher, regex, group)) ?? '';
        });
      const name = expand(targetLabel);
      return name === '' ? labels : labels.set(name, expand(rule.replacement));
    }
    case 'lowercase':
      return labels.set(targetLabel, source.toLowerCase());
    case 'uppercase':
      return labels.set(targetLabel, source.toUpperCase());
    case 'hashmod': {
      const hash = createHash('md5').update(source).digest().readBigUInt64BE(8);
      return labels.set(targetLabel, String(hash % BigInt(rule.modulus)));
    }
    case 'labelmap': {
      for (const [name, value] of [...labels]) {
        const matcher = regex.matcher(name);
        if (!matcher.matches()) continue;
        labels.set(
          rule.replacement.replace(/\$\{?(\d+)\}?/g, (_, group: string) => groupAt(matcher, Number(group)) ?? ''),
          value,
        );
      }
      return labels;
    }
    default:
      return new Map([...labels].filter(([name]) => regex.matches(name) === (action === 'labelkeep')));
  }
}

type Matcher = ReturnType<RE2JS['matcher']>;

function groupAt(matcher: Matcher, index: number): string | null {
  return index <= matcher.groupCount() ? matcher.group(index) : null;
}

function groupNamed(matcher: Matcher, regex: RE2JS, name: string): string | null {
  return name in regex.namedGroups() ? matcher.group(name) : null;
}
