import { type Span, SpanStatusCode } from '@opentelemetry/api';
import { type Failure, recordFailure } from '../surfaces/operation.ts';

/** How a process or thread ended: by itself with code 0, with another code, by a signal, or by an error. */
export interface Ending {
  /** Its library ends it that way when it is done: whatever the code is, that is no error. */
  readonly isOrderly?: boolean;
  readonly code?: number | null;
  readonly signal?: NodeJS.Signals | null;
  /** What it threw, or why it could not be started. */
  readonly failure?: Failure;
}

export function isCompleted({ code, failure, isOrderly = false }: Ending): boolean {
  return (code === 0 || isOrderly) && failure === undefined;
}

/** Records the ending on a span, and ends that. `error.type` is the error's, the signal's name, or the code. */
export function endWith(span: Span, ending: Ending): void {
  const { code, signal, failure } = ending;
  if (typeof code === 'number') span.setAttribute('process.exit.code', code);
  if (failure !== undefined) recordFailure(span, failure);
  else if (!isCompleted(ending)) {
    span.setAttribute('error.type', signal ?? String(code));
    span.setStatus({ code: SpanStatusCode.ERROR, message: signal ? `ended by ${signal}` : `exit code ${code}` });
  }
  span.end();
}
