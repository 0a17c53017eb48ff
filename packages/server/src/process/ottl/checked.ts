import type { SettingText } from '../../config/settings-map.ts';
import { OttlError } from './ottl-error.ts';

/** Runs `compile`; a mistake in one of `texts` becomes an error that names its place in the configuration file. */
export function checked<Result>(texts: readonly SettingText[], compile: () => Result): Result {
  try {
    return compile();
  } catch (error) {
    if (error instanceof OttlError) {
      const text = texts.find((candidate) => candidate.text === error.text);
      if (text !== undefined) {
        throw text.fail(error.message);
      }
    }
    throw error;
  }
}
