import { type Consumer, mergeConsumeResults } from './consumer.ts';

/**
 * Gives each batch to all of `consumers` at once; none of them may change it.
 *
 * Resolves when every one has made its share durable. When one refuses, the others still finish (they read the same
 * bytes) and the first refusal is thrown: a sender that tries again reaches those that had accepted twice. So delivery
 * is at least once for each of them; spans are shown once all the same, counters count a retried batch twice.
 */
export function fanOut<Batch>(...consumers: readonly Consumer<Batch>[]): Consumer<Batch> {
  return {
    async consume(batch, signal) {
      const outcomes = await Promise.allSettled(consumers.map((consumer) => consumer.consume(batch, signal)));
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
      return mergeConsumeResults(
        outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : [])),
      );
    },
  };
}
