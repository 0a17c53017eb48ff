import { type SpanContext, TraceFlags, trace } from '@opentelemetry/api';
import { type Sampler, SamplingDecision, type SamplingResult } from '@opentelemetry/sdk-trace';
import { isValidSpanContext } from '../trace/span-context-validity.ts';

/** A sampler that says whether it decides by names or attributes: where it does not, none are made for spans that it drops. */
export interface OwnSampler extends Sampler {
  readonly usesAttributes: boolean;
}

const keep: SamplingResult = { decision: SamplingDecision.RECORD_AND_SAMPLED };
const drop: SamplingResult = { decision: SamplingDecision.NOT_RECORD };

export const alwaysOn: OwnSampler = {
  usesAttributes: false,
  shouldSample: () => keep,
  toString: () => 'AlwaysOnSampler',
};

export const alwaysOff: OwnSampler = {
  usesAttributes: false,
  shouldSample: () => drop,
  toString: () => 'AlwaysOffSampler',
};

/** Who decides where there is a parent. */
export interface ParentSamplers {
  readonly remoteSampled: OwnSampler;
  readonly remoteNotSampled: OwnSampler;
  readonly localSampled: OwnSampler;
  readonly localNotSampled: OwnSampler;
}

const asParent: ParentSamplers = {
  remoteSampled: alwaysOn,
  remoteNotSampled: alwaysOff,
  localSampled: alwaysOn,
  localNotSampled: alwaysOff,
};

/**
 * A parent's decision is its trace's unless told otherwise; `root` decides where there is no parent
 * (https://opentelemetry.io/docs/specs/otel/trace/sdk/#parentbased).
 */
export function parentBased(root: OwnSampler, parents: ParentSamplers = asParent): OwnSampler {
  const { remoteSampled, remoteNotSampled, localSampled, localNotSampled } = parents;
  const samplerFor = (parent: SpanContext | undefined): OwnSampler => {
    if (parent === undefined || !isValidSpanContext(parent)) return root;
    const isSampled = (parent.traceFlags & TraceFlags.SAMPLED) !== 0;
    if (parent.isRemote === true) return isSampled ? remoteSampled : remoteNotSampled;
    return isSampled ? localSampled : localNotSampled;
  };
  return {
    usesAttributes: [root, ...Object.values(parents)].some(({ usesAttributes }) => usesAttributes),
    shouldSample(context, traceId, name, kind, attributes, links) {
      const sampler = samplerFor(trace.getSpanContext(context));
      return sampler.shouldSample(context, traceId, name, kind, attributes, links);
    },
    toString: () => `ParentBased{root=${root.toString()}}`,
  };
}

/** At most `perSecond` a second, in bursts of up to one second's worth. `now` gives monotonic milliseconds. */
export function rateLimited(perSecond: number, now: () => number = () => performance.now()): OwnSampler {
  const burst = Math.max(1, perSecond);
  let tokens = burst;
  let last = now();
  return {
    usesAttributes: false,
    shouldSample() {
      const time = now();
      tokens = Math.min(burst, tokens + ((time - last) / 1000) * perSecond);
      last = time;
      if (tokens < 1) return drop;
      tokens -= 1;
      return keep;
    },
    toString: () => `RateLimited{${perSecond}/s}`,
  };
}

/** Samples what all of `samplers` would; the first that drops ends it, so the cheapest and most general goes first. */
export function allOf(samplers: readonly OwnSampler[]): OwnSampler {
  const [first, ...others] = samplers;
  if (first === undefined) return alwaysOn;
  if (others.length === 0) return first;
  return {
    usesAttributes: samplers.some(({ usesAttributes }) => usesAttributes),
    shouldSample(...about) {
      let result = first.shouldSample(...about);
      for (const sampler of others) {
        if (result.decision !== SamplingDecision.RECORD_AND_SAMPLED) break;
        const next = sampler.shouldSample(...about);
        result = next.decision === SamplingDecision.RECORD_AND_SAMPLED ? { ...result, ...next } : next;
      }
      return result;
    },
    toString: () => `AllOf{${samplers.map(String).join(', ')}}`,
  };
}
