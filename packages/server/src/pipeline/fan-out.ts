import { type AnyBatch, copyBatch } from '@signalbox/records';
import { type ConsumeResult, type Consumer, mergeResultsOfSameRows } from './consumer.ts';
import { SignalboxError } from './signalbox-error.ts';

/** One of several ways that a batch takes. */
export interface Branch<Batch> {
  readonly consumer: Consumer<Batch>;
  /** Whether it changes the batch: it then gets a copy when others take it as well. */
  readonly mutates: boolean;
}

/**
 * Gives each batch to all of `branches` at once.
 *
 * Resolves when every one has made its share durable. When one refuses, the others still finish (they read the same
 * bytes) and the first refusal is thrown: a sender that tries again reaches those that had accepted twice. So delivery
 * is at least once for each of them; spans are shown once all the same, counters count a retried batch twice.
 *
 * A refusal that is `isolated` is not thrown as long as any branch accepted: it becomes a warning to the sender.
 */
export function fanOut<Batch extends AnyBatch>(branches: readonly Branch<Batch>[]): Consumer<Batch> {
  const [only, ...others] = branches;
  if (only !== undefined && others.length === 0) {
    return only.consumer;
  }
  return {
    async consume(batch, signal) {
      // Copies first: a branch may change its batch as soon as it has it.
      const given = branches.map(({ mutates }) => (mutates ? copyBatch(batch) : batch));
      const outcomes = await Promise.allSettled(
        branches.map(({ consumer }, index) => consumer.consume(given[index] as Batch, signal)),
      );
      return mergeOutcomes(outcomes);
    },
  };
}

function mergeOutcomes(outcomes: readonly PromiseSettledResult<ConsumeResult>[]): ConsumeResult {
  const accepted = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const refusals = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
  if (refusals.length === 0) {
    return mergeResultsOfSameRows(accepted);
  }
  const warnings = refusals.filter((refusal) => refusal instanceof SignalboxError && refusal.isolated);
  if (accepted.length === 0 || warnings.length < refusals.length) {
    throw refusals.find((refusal) => !warnings.includes(refusal)) ?? refusals[0];
  }
  return mergeResultsOfSameRows([
    ...accepted,
    ...warnings.map((refusal) => ({ rejected: 0, reason: (refusal as SignalboxError).message })),
  ]);
}

/** Gives each batch to `first` and, once it was accepted, to `then`. `first` must not change it. */
export function inTurn<Batch>(first: Consumer<Batch>, then: Consumer<Batch>): Consumer<Batch> {
  return {
    async consume(batch, signal) {
      const result = await first.consume(batch, signal);
      return mergeResultsOfSameRows([result, await then.consume(batch, signal)]);
    },
  };
}

/** Gives a copy of each batch to `consumer`, which may then change it while others go on with the batch. */
export function withCopy<Batch extends AnyBatch>(consumer: Consumer<Batch>): Consumer<Batch> {
  return { consume: (batch, signal) => consumer.consume(copyBatch(batch), signal) };
}
