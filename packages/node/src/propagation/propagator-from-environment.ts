import type { TextMapPropagator } from '@opentelemetry/api';
import { CompositePropagator, W3CBaggagePropagator } from '@opentelemetry/core';
import type { Environment } from '../environment.ts';
import type { Warnings } from '../warnings.ts';
import { TraceContextPropagator } from './trace-context-propagator.ts';

/** OTEL_PROPAGATORS: `tracecontext` and `baggage` (the default is both), or `none`. */
export function propagatorFromEnvironment(env: Environment, warnings: Warnings): TextMapPropagator {
  const propagators: TextMapPropagator[] = [];
  for (const name of new Set(env.list('OTEL_PROPAGATORS') ?? ['tracecontext', 'baggage'])) {
    if (name === 'tracecontext') propagators.push(new TraceContextPropagator());
    else if (name === 'baggage') propagators.push(new W3CBaggagePropagator());
    else if (name !== 'none')
      warnings.once(`OTEL_PROPAGATORS: ${name} is not supported; only tracecontext, baggage and none are`);
  }
  return new CompositePropagator({ propagators });
}
