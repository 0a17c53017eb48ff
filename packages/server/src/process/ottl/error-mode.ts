import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import { OttlValueError } from './ottl-error.ts';

/**
 * What follows when a statement or condition meets a value that it cannot work with. `propagate`: the whole batch is refused;
 * `ignore`: it is told about and the next one runs (a condition counts as false); `silent`: the same without a word.
 */
export const ERROR_MODES = ['ignore', 'silent', 'propagate'] as const;
export type ErrorMode = (typeof ERROR_MODES)[number];

/** `run` with its errors treated as `mode` says; `fallback` is its result then. `text` is the statement, for messages. */
export function withErrorMode<Cursor, Result>(
  run: (cursor: Cursor) => Result,
  fallback: Result,
  mode: ErrorMode,
  text: string,
  warn: (message: string) => void,
): (cursor: Cursor) => Result {
  return (cursor) => {
    try {
      return run(cursor);
    } catch (error) {
      if (!(error instanceof OttlValueError)) {
        throw error;
      }
      if (mode === 'propagate') {
        throw new SignalboxError('invalid_argument', `${error.message}, in: ${text}`, {
          cause: error,
          hint: 'error_mode: ignore lets such records pass.',
        });
      }
      if (mode === 'ignore') {
        warn(`${error.message}, in: ${text}`);
      }
      return fallback;
    }
  };
}
