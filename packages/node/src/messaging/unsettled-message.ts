import { type Context, context } from '@opentelemetry/api';
import { type Failure, type Operation, observeCall } from '../surfaces/operation.ts';
import type { SettledBy, Settlement } from './queue-surface.ts';

/** A message between its delivery and what the consumer says of it. */
export class UnsettledMessage implements SettledBy {
  settlement: Settlement | undefined;
  reason: Failure | undefined;
  #operation: Operation | undefined;

  /** The operation reads from this what became of the message. */
  start(begin: (settledBy: SettledBy) => Operation | undefined): this | undefined {
    this.#operation = begin(this);
    return this.#operation === undefined ? undefined : this;
  }

  /** What is active for the work on it; undefined once it is settled. */
  get context(): Context | undefined {
    return this.#operation?.context;
  }

  /** Calls the handler inside the operation; that it fails is not yet a word about the message. */
  handle<Result>(handler: () => Result): Result {
    if (this.#operation === undefined) return handler();
    const note = (error: unknown): never => {
      this.reason ??= { error };
      throw error;
    };
    try {
      const result = context.with(this.#operation.context, handler);
      return result instanceof Promise ? (result.then(undefined, note) as Result) : result;
    } catch (error) {
      return note(error);
    }
  }

  /** Calls the handler of a message that is done with when it returns. */
  complete<Result>(handler: () => Result): Result {
    const operation = this.#operation;
    this.#operation = undefined;
    return observeCall(operation, handler);
  }

  /** The consumer's word; `reason` becomes the error of the span. */
  settle(settlement: Settlement, reason?: Failure): void {
    this.settlement = settlement;
    this.reason ??= reason;
    this.end();
  }

  /** Nobody will say anything about it any more; without a failure it counts as done with. */
  end(failure?: Failure): void {
    const operation = this.#operation;
    this.#operation = undefined;
    operation?.end(failure === undefined ? undefined : (this.reason ?? failure));
  }
}
