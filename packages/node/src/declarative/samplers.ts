import { probabilitySampler } from '../sampling/probability-sampler.ts';
import { alwaysOff, alwaysOn, type OwnSampler, parentBased } from '../sampling/simple-samplers.ts';
import { type DeclaredRule, declaredRules, type ParentKind } from './declared-rules.ts';
import type { Section } from './section.ts';
import { includeExclude } from './wildcard.ts';

const spanKinds = ['internal', 'server', 'client', 'producer', 'consumer'] as const;
const parentKinds: readonly ParentKind[] = ['none', 'remote', 'local'];

/** One `Sampler` of the schema, or one `ExperimentalComposableSampler`: they share their names where they share their meaning. */
export function readSampler(parent: Section): OwnSampler | undefined {
  const chosen = parent.single();
  if (chosen === undefined) return undefined;
  const { key, section } = chosen;
  switch (key) {
    case 'always_on':
      return alwaysOn;
    case 'always_off':
      return alwaysOff;
    case 'trace_id_ratio_based':
    case 'probability':
    case 'probability/development':
      return byRatio(section.number('ratio', 0, 1) ?? 1);
    case 'parent_based':
      return readParentBased(section);
    case 'parent_threshold':
      section.require('root');
      return parentBased(below(section, 'root') ?? alwaysOn);
    case 'composite/development':
      return readSampler(section);
    case 'rule_based':
      return declaredRules((section.sections('rules') ?? []).flatMap(readRule));
    case 'jaeger_remote/development':
      section.unsupported('endpoint', 'initial_sampler decides, and nothing is asked');
      section.integer('interval', 0);
      return below(section, 'initial_sampler');
    case 'always_record':
      section.ignore(`${section.path} is not supported; root decides, and what it drops is not recorded`);
      return below(section, 'root');
    default:
      section.skip();
      section.error(`${section.path} is no sampler of ours`);
      return undefined;
  }
}

function readParentBased(section: Section): OwnSampler {
  return parentBased(below(section, 'root') ?? alwaysOn, {
    remoteSampled: below(section, 'remote_parent_sampled') ?? alwaysOn,
    remoteNotSampled: below(section, 'remote_parent_not_sampled') ?? alwaysOff,
    localSampled: below(section, 'local_parent_sampled') ?? alwaysOn,
    localNotSampled: below(section, 'local_parent_not_sampled') ?? alwaysOff,
  });
}

function below(section: Section, key: string): OwnSampler | undefined {
  const sampler = section.section(key);
  return sampler && readSampler(sampler);
}

function byRatio(ratio: number): OwnSampler {
  return ratio >= 1 ? alwaysOn : probabilitySampler(ratio);
}

function readRule(rule: Section): readonly DeclaredRule[] {
  rule.require('sampler');
  const sampler = below(rule, 'sampler');
  const values = rule.section('attribute_values');
  const patterns = rule.section('attribute_patterns');
  const conditions: DeclaredRule['attributes'][number][] = [];
  if (values !== undefined) {
    values.require('key');
    const wanted = values.strings('values') ?? [];
    conditions.push({ key: values.string('key') ?? '', fits: (text) => wanted.includes(text) });
  }
  if (patterns !== undefined) {
    patterns.require('key');
    const fits = includeExclude({ included: patterns.strings('included'), excluded: patterns.strings('excluded') });
    conditions.push({ key: patterns.string('key') ?? '', fits });
  }
  const kinds = named(rule, 'span_kinds', spanKinds);
  const parents = named(rule, 'parent', parentKinds);
  if (sampler === undefined) return [];
  return [
    {
      sampler,
      attributes: conditions,
      ...(kinds && { kinds: kinds.map((kind) => spanKinds.indexOf(kind)) }),
      ...(parents && { parents }),
    },
  ];
}

function named<Name extends string>(rule: Section, key: string, names: readonly Name[]): readonly Name[] | undefined {
  return rule.strings(key)?.flatMap((given) => {
    const name = names.find((candidate) => candidate === given);
    if (name === undefined)
      rule.error(`${rule.path}.${key} holds ${given}, which is not one of ${names.join(', ')}`, key);
    return name === undefined ? [] : [name];
  });
}
