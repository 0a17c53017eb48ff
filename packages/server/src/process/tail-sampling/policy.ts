import type { HeldTrace } from './held-trace.ts';
import type { PolicyDecision } from './sampling-decision.ts';

/** Says whether a trace is worth keeping. Policies that limit rates remember what they let pass. `now` is in milliseconds since 1970. */
export type Policy = (trace: HeldTrace, now: number) => PolicyDecision;

/** A policy that samples where `test` is true. */
export function samplesWhere(test: (trace: HeldTrace, now: number) => boolean): Policy {
  return (trace, now) => (test(trace, now) ? 'sampled' : 'not_sampled');
}
