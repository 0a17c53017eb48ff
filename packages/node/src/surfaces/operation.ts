import { types } from 'node:util';
import { type Context, context, type Span, SpanStatusCode } from '@opentelemetry/api';
import { toError } from '../lifecycle/to-error.ts';

/** Why something failed. Anything can be thrown, `undefined` included. */
export interface Failure {
  readonly error: unknown;
}

/** A piece of work of the application's that is under way. */
export interface Operation {
  /** What is active for the work itself. */
  readonly context: Context;
  /** To be called once, when the work is over, with why it failed or else with what came of it; must not throw. */
  end(failure?: Failure, answer?: unknown): void;
}

/**
 * Calls `run` inside the operation and ends that when `run` is done: when it returns or throws or, if it returns a promise,
 * when that is settled. The promise that is returned is one that follows it, so that a rejection nobody handles stays one.
 * Other thenables are left alone: to call their `then` may be what starts them (query builders).
 */
export function observeCall<Result>(operation: Operation | undefined, run: () => Result): Result {
  if (operation === undefined) return run();
  let result: Result;
  try {
    result = context.with(operation.context, run);
  } catch (error) {
    operation.end({ error });
    throw error;
  }
  if (!types.isPromise(result)) {
    operation.end(undefined, result);
    return result;
  }
  const followed = result.then(
    (value) => {
      operation.end(undefined, value);
      return value;
    },
    (error: unknown) => {
      operation.end({ error });
      throw error;
    },
  );
  return followed as Result;
}

/** Of what is still under way when the process ends: nothing was thrown. */
export const cutOff: Failure = {
  error: Object.assign(new Error('the process ended before it was done'), { code: 'process_exit' }),
};

/** Records why the work of `span` failed: as an exception, `error.type`, and the error status. */
export function recordFailure(span: Span, failure: Failure): void {
  if (!span.isRecording()) return;
  const error = toError(failure.error);
  span.setAttribute('error.type', errorType(failure.error));
  if (failure !== cutOff) span.recordException(error);
  // What the process dies of may have been said.
  else if (hasFailed(span)) return;
  span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
}

/** Whether somebody has set the error status and said why: a second status would wipe that out. */
export function hasFailed(span: Span): boolean {
  const status: unknown = Reflect.get(span, 'status');
  return typeof status === 'object' && status !== null && Reflect.get(status, 'code') === SpanStatusCode.ERROR;
}

/** `error.type` of https://opentelemetry.io/docs/specs/semconv/registry/attributes/error/: the code of a system error, else the class. */
export function errorType(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null) return '_OTHER';
  const code: unknown = Reflect.get(thrown, 'code');
  if (typeof code === 'string' && code !== '') return code;
  return thrown instanceof Error ? thrown.name : '_OTHER';
}
