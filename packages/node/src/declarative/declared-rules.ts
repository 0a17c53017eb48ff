import { type Attributes, type Context, isSpanContextValid, type SpanKind, trace } from '@opentelemetry/api';
import { alwaysOff, type OwnSampler } from '../sampling/simple-samplers.ts';

export type ParentKind = 'none' | 'remote' | 'local';

/** A rule applies to a span that has all that it names. */
export interface DeclaredRule {
  readonly sampler: OwnSampler;
  /** Conditions on attributes that the span is started with, as text; of an array any item may fit. */
  readonly attributes: readonly { readonly key: string; readonly fits: (text: string) => boolean }[];
  readonly kinds?: readonly SpanKind[];
  readonly parents?: readonly ParentKind[];
}

/** The schema's `rule_based`: the first rule that applies decides, and a span to which none does is not sampled. */
export function declaredRules(rules: readonly DeclaredRule[]): OwnSampler {
  return {
    usesAttributes: rules.some(({ attributes, sampler }) => attributes.length > 0 || sampler.usesAttributes),
    shouldSample(context, traceId, name, kind, attributes, links) {
      const parent = parentKind(context);
      const rule = rules.find((candidate) => applies(candidate, parent, kind, attributes));
      return (rule?.sampler ?? alwaysOff).shouldSample(context, traceId, name, kind, attributes, links);
    },
    toString: () => `RuleBased{${rules.map(({ sampler }) => sampler.toString()).join(', ')}}`,
  };
}

function applies(rule: DeclaredRule, parent: ParentKind, kind: SpanKind, attributes: Attributes): boolean {
  if (rule.kinds !== undefined && !rule.kinds.includes(kind)) return false;
  if (rule.parents !== undefined && !rule.parents.includes(parent)) return false;
  return rule.attributes.every(({ key, fits }) => {
    const value = attributes[key];
    if (value === undefined) return false;
    return Array.isArray(value) ? value.some((item) => fits(String(item))) : fits(String(value));
  });
}

function parentKind(context: Context): ParentKind {
  const parent = trace.getSpanContext(context);
  if (parent === undefined || !isSpanContextValid(parent)) return 'none';
  return parent.isRemote === true ? 'remote' : 'local';
}
