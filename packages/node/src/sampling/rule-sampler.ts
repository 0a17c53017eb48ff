import type { Attributes } from '@opentelemetry/api';
import type { SamplingRule } from '../options.ts';
import { probabilitySampler } from './probability-sampler.ts';
import type { OwnSampler } from './simple-samplers.ts';

/**
 * The first rule that fits decides, with its ratio; what fits none goes to `otherwise`. Only what is known when a span
 * begins can be asked: the path of a request, not yet the route that it will find.
 */
export function ruleSampler(rules: readonly SamplingRule[], otherwise: OwnSampler): OwnSampler {
  const compiled = rules.map((rule) => ({ fits: compile(rule), sampler: probabilitySampler(rule.ratio) }));
  return {
    usesAttributes: true,
    shouldSample(context, traceId, name, kind, attributes, links) {
      const rule = compiled.find(({ fits }) => fits(name, attributes));
      return (rule?.sampler ?? otherwise).shouldSample(context, traceId, name, kind, attributes, links);
    },
    toString: () => `Rules{${rules.length}, otherwise=${otherwise.toString()}}`,
  };
}

function compile({ route, name, attributes = {} }: SamplingRule): (name: string, attributes: Attributes) => boolean {
  const path = route === undefined ? undefined : routePattern(route);
  const wanted = Object.entries(attributes);
  return (spanName, given) => {
    if (name !== undefined && !matches(spanName, name)) return false;
    if (path !== undefined && !path.test(String(given['url.path'] ?? ''))) return false;
    return wanted.every(([key, value]) => given[key] !== undefined && matches(given[key], value));
  };
}

function matches(value: unknown, wanted: string | number | boolean | RegExp): boolean {
  // `search` ignores what a global or sticky expression remembers of its last match.
  return wanted instanceof RegExp ? String(value).search(wanted) >= 0 : value === wanted;
}

/** `/users/:id` fits `/users/7`; a `*` at the end fits everything below. */
function routePattern(route: string): RegExp {
  const source = route
    .split('/')
    .map((segment) => {
      if (segment === '*') return '.*';
      if (segment.startsWith(':')) return '[^/]+';
      return segment.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
    })
    .join('/');
  return new RegExp(`^${source}/?$`);
}
