import type { HeldTrace } from './held-trace.ts';
import { type Policy, samplesWhere } from './policy.ts';
import { saysYes } from './sampling-decision.ts';

/** Lets traces pass while their sizes fit a bucket that fills up by `perSecond` to at most `capacity`. */
export function limited(perSecond: number, capacity: number, sizeOf: (trace: HeldTrace) => number): Policy {
  let tokens = capacity;
  let filledAt = Number.NEGATIVE_INFINITY;
  return samplesWhere((trace, now) => {
    if (now > filledAt) {
      tokens =
        filledAt === Number.NEGATIVE_INFINITY
          ? capacity
          : Math.min(capacity, tokens + ((now - filledAt) / 1000) * perSecond);
      filledAt = now;
    }
    const size = sizeOf(trace);
    if (size > tokens) {
      return false;
    }
    tokens -= size;
    return true;
  });
}

export interface CompositePart {
  readonly policy: Policy;
  /** Its share of the spans per second. */
  readonly spansPerSecond: number;
}

/**
 * The first part that says yes decides, as far as its share of the spans of this second goes. Parts stand in the order of
 * their precedence.
 */
export function composite(maxTotalSpansPerSecond: number, parts: readonly CompositePart[]): Policy {
  let second = Number.NEGATIVE_INFINITY;
  const sampled = parts.map(() => 0);
  return (trace, now) => {
    if (Math.floor(now / 1000) !== second) {
      second = Math.floor(now / 1000);
      sampled.fill(0);
    }
    for (const [i, { policy, spansPerSecond }] of parts.entries()) {
      if (!saysYes(policy(trace, now))) {
        continue;
      }
      const spans = (sampled[i] as number) + trace.spanCount;
      if (spans > spansPerSecond || spans > maxTotalSpansPerSecond) {
        return 'not_sampled';
      }
      sampled[i] = spans;
      return 'sampled';
    }
    return 'not_sampled';
  };
}
