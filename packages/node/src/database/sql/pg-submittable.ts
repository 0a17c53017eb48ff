import { context } from '@opentelemetry/api';
import type { InstrumentationContext } from '../../instrumentation.ts';
import type { AnyFunction } from '../../modules/loaded-module.ts';
import type { SqlOperation, SqlOutcome } from './sql-recorder.ts';

/**
 * What pg takes instead of a text: an object that sends itself and is told what the server answers. Those are cursors, query
 * streams and `new Query()`.
 */
export interface Submittable {
  readonly text?: unknown;
  /** What a query stream reads from. */
  readonly cursor?: { readonly text?: unknown };
  submit: AnyFunction;
}

export function isSubmittable(config: unknown): config is Submittable {
  return typeof config === 'object' && config !== null && typeof Reflect.get(config, 'submit') === 'function';
}

/** Undefined for a prepared statement that is executed by its name. */
export function textOfSubmittable({ text, cursor }: Submittable): string | undefined {
  const own = typeof text === 'string' ? text : cursor?.text;
  return typeof own === 'string' ? own : undefined;
}

/**
 * Follows a submittable through what pg's client calls on it: `onFailure` makes an outcome of an error. It is over when the
 * server is ready for the next statement, which for a cursor is when it has been read to the end or was closed. Handlers of the
 * application are called from there, so they get back into the context that the query was made in.
 */
export function followSubmittable(
  query: Submittable,
  operation: SqlOperation,
  { protect }: InstrumentationContext,
  onFailure: (error: unknown) => SqlOutcome,
): void {
  let rows = 0;
  let affected: number | undefined;
  const before = (key: string, note: (message: unknown) => void): void => {
    const original: unknown = Reflect.get(query, key);
    if (typeof original !== 'function') return;
    const safely = protect<[unknown], void>(note, () => {});
    Reflect.set(query, key, (...args: unknown[]) => {
      safely(args[0]);
      return context.with(operation.parent, original as AnyFunction, query, ...args);
    });
  };
  if (operation.isRecording)
    before('handleDataRow', () => {
      rows += 1;
    });
  before('handleCommandComplete', (message) => {
    affected = affectedOf(message);
  });
  before('handlePortalSuspended', () => {});
  before('handleReadyForQuery', () => operation.end({ rows, affected }));
  before('handleError', (error) => operation.end(onFailure(error)));
}

/** `INSERT 0 3`, `UPDATE 3`: the tag that the server ends a statement with. */
function affectedOf(message: unknown): number | undefined {
  const tag: unknown = typeof message === 'object' && message !== null ? Reflect.get(message, 'text') : undefined;
  const count = typeof tag === 'string' ? / (\d+)$/.exec(tag)?.[1] : undefined;
  return count === undefined ? undefined : Number(count);
}
