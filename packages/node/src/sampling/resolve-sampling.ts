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
  const remote = remoteSampler(env);
  if (remote !== undefined) return remote;
  const chosen = env.choice('OTEL_TRACES_SAMPLER', names);
  const rate = env.number('OTEL_TRACE_SAMPLER_RATE');
  const name = chosen ?? (rate === undefined ? 'parentbased_always_on' : 'parentbased_traceidratio');
  const ratio = env.number('OTEL_TRACES_SAMPLER_ARG') ?? rate ?? 1;
  const kind = name.replace('parentbased_', '');
  const root = kind === 'always_off' ? alwaysOff : kind === 'traceidratio' ? ratioSampler(ratio) : alwaysOn;
  return name.startsWith('parentbased_') ? parentBased(root) : root;
}

/**
 * The samplers of the specification that ask a service how much to sample, which this one does not: what they would do
 * before they had an answer. Undefined for all others.
 */
function remoteSampler(env: Environment): OwnSampler | undefined {
  const name = env.string('OTEL_TRACES_SAMPLER')?.toLowerCase() ?? '';
  if (name === 'xray') {
    env.warn(
      'OTEL_TRACES_SAMPLER=xray is not supported, and no rules are asked for: every new trace is kept. For a share of them set parentbased_traceidratio.',
    );
    return parentBased(alwaysOn);
  }
  if (name !== 'jaeger_remote' && name !== 'parentbased_jaeger_remote') return undefined;
  const rate = Number(env.pairs('OTEL_TRACES_SAMPLER_ARG')?.initialSamplingRate ?? Number.NaN);
  const isRate = rate >= 0 && rate <= 1;
  const instead = isRate ? `its initialSamplingRate decides, ${rate}` : 'every new trace is kept';
  env.warn(`OTEL_TRACES_SAMPLER=${name} is not supported, and nobody is asked how much to sample: ${instead}`);
  const root = isRate ? ratioSampler(rate) : alwaysOn;
  return name === 'jaeger_remote' ? root : parentBased(root);
}

function ratioSampler(ratio: number): OwnSampler {
  return ratio >= 1 ? alwaysOn : probabilitySampler(ratio);
}
