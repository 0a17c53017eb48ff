import { context, propagation, ROOT_CONTEXT } from '@opentelemetry/api';

/** Trace and baggage as texts, under the names of the propagators' headers (`traceparent`, …). */
export type CarriedContext = Record<string, string>;

/**
 * What is active, as a plain object to be sent along with a call or a message between a team's own processes, whatever carries
 * those. Empty where nothing is active, or where telemetry does not run.
 */
export function carryContext(): CarriedContext {
  const carried: CarriedContext = {};
  propagation.inject(context.active(), carried);
  return carried;
}

/**
 * Calls `run` as a part of what another process was doing when it called `carryContext`; what is active here does not count.
 * `carried` comes from elsewhere: what is no trace is none, and `run` is called all the same.
 */
export function continueContext<Result>(carried: unknown, run: () => Result): Result {
  const from =
    typeof carried === 'object' && carried !== null ? propagation.extract(ROOT_CONTEXT, carried, getter) : ROOT_CONTEXT;
  return context.with(from, run);
}

const getter = {
  get(carried: object, key: string): string | undefined {
    const value: unknown = Object.hasOwn(carried, key) ? Reflect.get(carried, key) : undefined;
    return typeof value === 'string' ? value : undefined;
  },
  keys: (carried: object): string[] => Object.keys(carried),
};
