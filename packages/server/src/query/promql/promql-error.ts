/** What went wrong with a query, in the terms of Prometheus's API (`errorType`). */
export type PromqlErrorKind = 'bad_data' | 'execution' | 'canceled' | 'timeout' | 'internal';

/** A query that can't be answered; `message` is for whoever asked it. */
export class PromqlError extends Error {
  override readonly name = 'PromqlError';
  readonly kind: PromqlErrorKind;

  constructor(kind: PromqlErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** Ends the evaluation because of the data or the arguments. */
export function executionError(message: string): PromqlError {
  return new PromqlError('execution', message);
}
