import { types } from 'node:util';
import type { Attributes, SpanKind } from '@opentelemetry/api';
import { observeGenerator } from '../surfaces/observe-generator.ts';
import { type Operation, observeCall } from '../surfaces/operation.ts';
import { functionSurface } from './function-surface.ts';

// biome-ignore lint/suspicious/noExplicitAny: only `any` stands for the parameters of every function there is.
export type AnyParameters = any[];
export type AnyFunction = (...args: AnyParameters) => unknown;

export interface TracedOptions<Args extends AnyParameters = AnyParameters> {
  /** Name of the span, and `function_id` of the metrics. The function's own, or `Class.method`, unless given. */
  readonly name?: string;
  /** SERVER where the call has no traced caller, else INTERNAL, unless given. */
  readonly kind?: SpanKind;
  /** Attributes of the span; asked only when it is recorded. Nothing of the arguments is recorded unless it is given here. */
  readonly attributes?: (...args: Args) => Attributes;
}

/**
 * A function that does what `fn` does, with a span and metrics for each call: until it returns, its promise is settled, or
 * its generator is through. What it throws is recorded and thrown on. `this`, properties, name and length stay; without
 * telemetry it is `fn` alone that runs.
 */
export function traced<Fn extends AnyFunction>(fn: Fn, options: TracedOptions<Parameters<Fn>> = {}): Fn {
  const name = options.name ?? (fn.name === '' ? 'anonymous' : fn.name);
  return wrapFunction(fn, () => name, options);
}

/** `traced`, for functions whose name is known only when they are called. */
export function wrapFunction<Fn extends AnyFunction>(
  fn: Fn,
  nameOf: (self: unknown) => string,
  { kind, attributes }: TracedOptions,
): Fn {
  const isGenerator = types.isGeneratorFunction(fn);
  return new Proxy(fn, {
    apply(_, self: unknown, args: AnyParameters): unknown {
      const begin = (): Operation | undefined =>
        functionSurface.recorder()?.begin({
          name: nameOf(self),
          kind,
          attributes: attributes && (() => attributes(...args)),
        });
      const run = (): unknown => Reflect.apply(fn, self, args);
      return isGenerator ? observeGenerator(run() as Generator | AsyncGenerator, begin) : observeCall(begin(), run);
    },
  });
}
