import type { Logger } from '../pipeline/logger.ts';

const QUIET_MS = 10_000;
/** Different messages that are told apart; records may make any number. */
const MAX_MESSAGES = 1_000;

/** Speaks a warning at most once in ten seconds, for what may happen with every record. `now` is in milliseconds. */
export function limitedWarnings(log: Logger, now: () => number): (message: string) => void {
  const spoken = new Map<string, { at: number; suppressed: number }>();
  return (message) => {
    const last = spoken.get(message);
    if (last !== undefined && now() < last.at + QUIET_MS) {
      last.suppressed++;
      return;
    }
    if (spoken.size === MAX_MESSAGES) {
      spoken.clear();
    }
    spoken.set(message, { at: now(), suppressed: 0 });
    log.warn(message, last === undefined || last.suppressed === 0 ? undefined : { andAsOftenSince: last.suppressed });
  };
}
