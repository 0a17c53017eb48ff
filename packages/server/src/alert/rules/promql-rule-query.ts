import type { PromqlEngine } from '../../query/promql/engine.ts';
import type { RuleQuery } from './rule-query.ts';

/** Evaluates the expressions of rules with the engine that `engineFor` gives for each. */
export function ruleQuery(engineFor: (signal: AbortSignal | undefined) => PromqlEngine): RuleQuery {
  return async (expression, timeMs, signal) => {
    const { value } = await engineFor(signal).instant(expression, timeMs, signal ? { signal } : {});
    if (value.type === 'scalar') return [{ labels: new Map(), value: value.value }];
    if (value.type !== 'vector') throw new Error('rule result is not a vector or scalar');
    return value.samples.map((sample) => ({ labels: new Map(sample.labels.entries()), value: sample.value }));
  };
}
