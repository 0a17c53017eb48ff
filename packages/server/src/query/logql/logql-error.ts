/** What went wrong with a query, in the terms of Loki's statuses. */
export type LogqlErrorKind = 'bad_request' | 'limit' | 'canceled' | 'timeout';

/** A query that can't be answered; `message` is for whoever asked it. */
export class LogqlError extends Error {
  override readonly name = 'LogqlError';
  readonly kind: LogqlErrorKind;

  constructor(kind: LogqlErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
