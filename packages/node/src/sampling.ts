import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace';
import type { Environment } from './environment.ts';

const names = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

/** OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG; `parentbased_always_on` unless set. */
export function samplerFromEnvironment(env: Environment): Sampler {
  const name = env.choice('OTEL_TRACES_SAMPLER', names) ?? 'parentbased_always_on';
  const root = rootSampler(name.replace('parentbased_', ''), env);
  return name.startsWith('parentbased_') ? new ParentBasedSampler({ root }) : root;
}

function rootSampler(name: string, env: Environment): Sampler {
  if (name === 'always_off') return new AlwaysOffSampler();
  if (name === 'traceidratio')
    return new TraceIdRatioBasedSampler(Math.min(1, env.number('OTEL_TRACES_SAMPLER_ARG') ?? 1));
  return new AlwaysOnSampler();
}
