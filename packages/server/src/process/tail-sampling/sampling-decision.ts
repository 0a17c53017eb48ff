/** What a policy says about a trace. Inverted ones come of `invert_match`. */
export type PolicyDecision = 'sampled' | 'not_sampled' | 'dropped' | 'inverted_sampled' | 'inverted_not_sampled';

/** Whether a trace is sampled when the policies say so: the order of precedence is upstream's. */
export function isTraceSampled(decisions: readonly PolicyDecision[]): boolean {
  if (decisions.includes('dropped') || decisions.includes('inverted_not_sampled')) {
    return false;
  }
  return (
    decisions.includes('sampled') || (decisions.includes('inverted_sampled') && !decisions.includes('not_sampled'))
  );
}

/** Whether a policy within another says yes. */
export function saysYes(decision: PolicyDecision): boolean {
  return decision === 'sampled' || decision === 'inverted_sampled';
}
