import { context } from '@opentelemetry/api';
import { observeCall } from '../surfaces/operation.ts';
import { functionSurface } from './function-surface.ts';
import type { AnyFunction } from './traced.ts';

/**
 * A function for later, whoever calls it then (a queue in memory, a timer, another request): it does what `fn` does in the
 * context of now, baggage included, and in a span of that trace, even if what started it is over. Metrics are those of
 * traced functions. What `fn` throws is recorded and thrown on, to whoever calls.
 */
export function inBackground<Fn extends AnyFunction>(name: string, fn: Fn): Fn {
  const origin = context.active();
  return new Proxy(fn, {
    apply(_, self: unknown, args: Parameters<Fn>): unknown {
      const operation = functionSurface.recorder()?.begin({ name, parent: origin });
      return observeCall(operation, () => Reflect.apply(fn, self, args));
    },
  });
}
