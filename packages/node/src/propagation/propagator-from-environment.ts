import type { TextMapPropagator } from '@opentelemetry/api';
import { CompositePropagator, W3CBaggagePropagator } from '@opentelemetry/core';
import type { Environment } from '../environment.ts';
import type { Warnings } from '../warnings.ts';
import { b3MultiPropagator, b3Propagator, jaegerPropagator, xrayPropagator } from './other-propagators.ts';
import { TraceContextPropagator } from './trace-context-propagator.ts';

const factories: Readonly<Record<string, () => TextMapPropagator>> = {
  tracecontext: () => new TraceContextPropagator(),
  baggage: () => new W3CBaggagePropagator(),
  b3: b3Propagator,
  b3multi: b3MultiPropagator,
  jaeger: jaegerPropagator,
  xray: xrayPropagator,
};

/**
 * OTEL_PROPAGATORS: any of the above, or `none`; unless set `tracecontext` and `baggage`. All of them write; what is read of
 * the trace is what the last in the list finds.
 */
export function propagatorFromEnvironment(env: Environment, warnings: Warnings): TextMapPropagator {
  return propagatorOf(env.list('OTEL_PROPAGATORS') ?? ['tracecontext', 'baggage'], 'OTEL_PROPAGATORS', warnings);
}

/** The same of any list of names; `source` is where they come from. */
export function propagatorOf(names: readonly string[], source: string, warnings: Warnings): TextMapPropagator {
  return compositeOf(names, (name) => warnings.once(unknownPropagator(name, source)));
}

/** Also what workflows use, in the sandbox. */
export function compositeOf(names: readonly string[], onUnknown: (name: string) => void): TextMapPropagator {
  const propagators: TextMapPropagator[] = [];
  for (const name of new Set(names)) {
    const factory = Object.hasOwn(factories, name) ? factories[name] : undefined;
    if (factory !== undefined) propagators.push(factory());
    else if (name !== 'none') onUnknown(name);
  }
  return new CompositePropagator({ propagators });
}

function unknownPropagator(name: string, source: string): string {
  const advice = name === 'ottrace' ? ' (deprecated; let its senders add tracecontext or b3)' : '';
  return `${source}: ${name} is not supported${advice}; it is ignored. There are ${Object.keys(factories).join(', ')}, none.`;
}
