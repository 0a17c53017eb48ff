import type { Sampler } from '@opentelemetry/sdk-trace';
import type { Environment } from '../environment.ts';
import type { SamplingOptions, StartOptions } from '../options.ts';
import type { TailPolicy } from '../trace/tail-buffer.ts';
import { probabilitySampler } from './probability-sampler.ts';
import { ruleSampler } from './rule-sampler.ts';
import { allOf, alwaysOff, alwaysOn, type OwnSampler, parentBased, rateLimited } from './simple-samplers.ts';

const names = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

export interface Sampling {
  readonly sampler: Sampler;
  /** What is kept by its outcome although the sampler drops it. */
  readonly tail: TailPolicy | undefined;
}

/** The option `sampler`, else `sampling`, else the environment. */
export function resolveSampling(options: StartOptions, env: Environment): Sampling {
  const { sampler, sampling } = options;
  return {
    sampler: sampler ?? (sampling && decidesAtStart(sampling) ? samplerOf(sampling) : samplerFromEnvironment(env)),
    tail: sampling && tailOf(sampling),
  };
}

/** Whether these options say which traces are kept when they begin; without, the environment does. */
export function decidesAtStart({ ratio, rules, maxPerSecond }: SamplingOptions): boolean {
  return ratio !== undefined || rules !== undefined || maxPerSecond !== undefined;
}

function samplerOf({ ratio, rules, maxPerSecond, followParent = true }: SamplingOptions): OwnSampler {
  const byRatio = ratio === undefined ? alwaysOn : ratioSampler(ratio);
  const byRule = rules === undefined ? byRatio : ruleSampler(rules, byRatio);
  const root = maxPerSecond === undefined ? byRule : allOf([byRule, rateLimited(maxPerSecond)]);
  return followParent ? parentBased(root) : root;
}

function tailOf({ keepErrors = false, keepSlowerThanMillis }: SamplingOptions): TailPolicy | undefined {
  if (!keepErrors && keepSlowerThanMillis === undefined) return undefined;
  return { errors: keepErrors, slowMillis: keepSlowerThanMillis ?? Number.POSITIVE_INFINITY };
}

/**
 * OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG; `parentbased_always_on` unless set. OTEL_TRACE_SAMPLER_RATE (0–1), which
 * is no variable of the specification, is the ratio where OTEL_TRACES_SAMPLER asks for none: `always_on` and `always_off`
 * beat it, and so does an explicit OTEL_TRACES_SAMPLER_ARG.
 */
function samplerFromEnvironment(env: Environment): OwnSampler {
  const chosen = env.choice('OTEL_TRACES_SAMPLER', names);
  const rate = env.number('OTEL_TRACE_SAMPLER_RATE');
  const name = chosen ?? (rate === undefined ? 'parentbased_always_on' : 'parentbased_traceidratio');
  const ratio = env.number('OTEL_TRACES_SAMPLER_ARG') ?? rate ?? 1;
  const kind = name.replace('parentbased_', '');
  const root = kind === 'always_off' ? alwaysOff : kind === 'traceidratio' ? ratioSampler(ratio) : alwaysOn;
  return name.startsWith('parentbased_') ? parentBased(root) : root;
}

function ratioSampler(ratio: number): OwnSampler {
  return ratio >= 1 ? alwaysOn : probabilitySampler(ratio);
}
