import type { Policy } from './policy.ts';
import { saysYes } from './sampling-decision.ts';

/** Samples where all say yes. */
export function and(policies: readonly Policy[]): Policy {
  return (trace, now) => (policies.every((policy) => saysYes(policy(trace, now))) ? 'sampled' : 'not_sampled');
}

/** Drops, whatever others say, where all say yes. */
export function drop(policies: readonly Policy[]): Policy {
  return (trace, now) => (policies.every((policy) => saysYes(policy(trace, now))) ? 'dropped' : 'not_sampled');
}

/** Samples where the other does not. */
export function not(policy: Policy): Policy {
  return (trace, now) => (saysYes(policy(trace, now)) ? 'not_sampled' : 'sampled');
}
