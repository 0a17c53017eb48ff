import type { TextMapPropagator } from '@opentelemetry/api';
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import type { Environment } from './environment.ts';
import type { Warnings } from './warnings.ts';

/** OTEL_PROPAGATORS: `tracecontext` and `baggage` (the default is both), or `none`. */
export function propagatorFromEnvironment(env: Environment, warnings: Warnings): TextMapPropagator {
  const propagators: TextMapPropagator[] = [];
  for (const name of new Set(env.list('OTEL_PROPAGATORS') ?? ['tracecontext', 'baggage'])) {
    if (name === 'tracecontext') propagators.push(new W3CTraceContextPropagator());
    else if (name === 'baggage') propagators.push(new W3CBaggagePropagator());
    else if (name !== 'none')
      warnings.once(`OTEL_PROPAGATORS: ${name} is not supported; only tracecontext, baggage and none are`);
  }
  return new CompositePropagator({ propagators });
}
