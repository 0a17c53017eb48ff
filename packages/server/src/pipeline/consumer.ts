/**
 * What a consumer did with a batch that it did not refuse as a whole.
 *
 * `rejected` rows were not taken and never will be, for `reason` (spoken to the sender). All others are durable.
 * `rejected` 0 with an empty `reason`: everything was accepted; with a reason: everything was accepted, with a warning.
 */
export interface ConsumeResult {
  readonly rejected: number;
  readonly reason: string;
}

/** Everything was accepted and there is nothing to say about it. */
export const ALL_ACCEPTED: ConsumeResult = Object.freeze({ rejected: 0, reason: '' });

/**
 * A stage that takes batches: a processor, an exporter, a store's writer.
 *
 * - `consume` resolves only when the accepted rows are durable (or handed on to something that is): the receiver
 *   acknowledges to the sender right after.
 * - It throws a `SignalboxError` when the whole batch is refused; its `retryable` tells the sender whether to try again.
 * - The batch and its bytes belong to the consumer for the length of the call; what it keeps longer it copies. Once the call has
 *   resolved, a receiver fills the same memory with the next request.
 * - `signal` aborts when the sender no longer waits. A consumer may then give up before the rows are durable, or finish.
 */
export interface Consumer<Batch> {
  consume(batch: Batch, signal?: AbortSignal): Promise<ConsumeResult>;
}

/** Makes one result of those for different rows of a batch: counts add up, reasons are kept once each. */
export function mergeConsumeResults(results: readonly ConsumeResult[]): ConsumeResult {
  let rejected = 0;
  const reasons = new Set<string>();
  for (const result of results) {
    rejected += result.rejected;
    if (result.reason !== '') {
      reasons.add(result.reason);
    }
  }
  return rejected === 0 && reasons.size === 0 ? ALL_ACCEPTED : { rejected, reason: [...reasons].join('; ') };
}

/**
 * Makes one result of those that several stages gave for the same rows: a row that two of them rejected is one row, so the
 * largest count is the result's.
 */
export function mergeResultsOfSameRows(results: readonly ConsumeResult[]): ConsumeResult {
  const { reason } = mergeConsumeResults(results);
  const rejected = Math.max(0, ...results.map((result) => result.rejected));
  return rejected === 0 && reason === '' ? ALL_ACCEPTED : { rejected, reason };
}
