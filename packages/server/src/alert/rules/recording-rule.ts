import { labelsKey } from './alert.ts';
import type { Evaluation, Rule } from './rule.ts';
import type { RecordingRuleDefinition } from './rule-file.ts';
import type { ProducedSample } from './rule-query.ts';

/** Stores an expression's result under a name of its own. */
export class RecordingRule implements Rule {
  readonly definition: RecordingRuleDefinition;

  constructor(definition: RecordingRuleDefinition) {
    this.definition = definition;
  }

  async evaluate({ timeMs, queryOffsetMs, limit, query, signal }: Evaluation): Promise<readonly ProducedSample[]> {
    const { expression, name, labels } = this.definition;
    const time = timeMs - queryOffsetMs;
    const result = await query(expression, time, signal);
    const keys = new Set<string>();
    const samples = result.map((sample) => {
      const merged = new Map([...sample.labels, ['__name__', name], ...labels]);
      for (const [label, value] of merged) if (value === '') merged.delete(label);
      keys.add(labelsKey(merged));
      return { labels: merged, timeMs: time, value: sample.value };
    });
    if (keys.size < samples.length) {
      throw new Error('vector contains metrics with the same labelset after applying rule labels');
    }
    if (limit > 0 && samples.length > limit) {
      throw new Error(`exceeded limit of ${limit} with ${samples.length} series`);
    }
    return samples;
  }
}
