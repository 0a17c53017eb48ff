import type { LogRecord } from '@signalbox/api-contract';
import type { LogBatch } from '@signalbox/records';
import type { Consumer } from '../../pipeline/consumer.ts';
import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import type { LogCandidate } from '../filter/match-log.ts';
import { logCandidate } from './log-candidate.ts';
import type { LogConditions } from './log-search-request.ts';
import { logTest } from './log-test.ts';

/** Who watches. Neither may throw, nor do work that takes long: a receiver waits for them. */
export interface LogListener {
  onLog(record: LogRecord): void;
  /** Records that nobody looked at, because too many came at once. */
  onDropped(count: number): void;
}

/** The same with records as they are before anybody chose among them. */
export interface CandidateListener {
  onCandidate(candidate: LogCandidate): void;
  onDropped(count: number): void;
}

/** Rows of one batch that are made into objects; a receiver's request must not wait long for those who watch. */
const maxRowsPerBatch = 2_000;
const maxListeners = 32;

/**
 * Hands log records to those who watch them live. `tailLogs` feeds it with what became durable. While nobody watches,
 * a batch costs nothing.
 */
export class LogTail {
  readonly #listeners = new Set<CandidateListener>();
  #published = 0;

  /**
   * Calls the listener for every matching record from now on, until the returned function is called. Throws
   * `QueryInputError` for a condition that can't be watched, `resource_exhausted` when too many watch already.
   */
  listen(conditions: LogConditions, listener: LogListener): () => void {
    const matches = logTest(conditions);
    return this.watch({
      onCandidate: (candidate) => {
        if (matches(candidate)) listener.onLog(candidate.record);
      },
      onDropped: (count) => listener.onDropped(count),
    });
  }

  /** Calls the listener for every record from now on. Throws `resource_exhausted` when too many watch already. */
  watch(listener: CandidateListener): () => void {
    if (this.#listeners.size >= maxListeners) {
      throw new SignalboxError('resource_exhausted', `At most ${maxListeners} live tails run at once`);
    }
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Looks at a batch while it is still the caller's; keeps nothing of it. */
  publish(batch: LogBatch): void {
    if (this.#listeners.size === 0) return;
    const rows = Math.min(batch.rowCount, maxRowsPerBatch);
    for (let row = 0; row < rows; row++) {
      const candidate = logCandidate(batch, row, `live-${this.#published++}`);
      for (const listener of this.#listeners) listener.onCandidate(candidate);
    }
    if (batch.rowCount > rows) {
      for (const listener of this.#listeners) listener.onDropped(batch.rowCount - rows);
    }
  }
}

/** A stage that shows the batches to `tail` after `next` made them durable. Rows that `next` rejected are shown, too: it does not say which. */
export function tailLogs(next: Consumer<LogBatch>, tail: LogTail): Consumer<LogBatch> {
  return {
    async consume(batch, signal) {
      const result = await next.consume(batch, signal);
      tail.publish(batch);
      return result;
    },
  };
}
