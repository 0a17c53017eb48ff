import { compileMatcher } from '@signalbox/query-language';
import type { LogSelection, LogSource } from './log-source.ts';
import type { LogEntry } from './stream-labels.ts';

/** Logs in memory, for tests and for what is small. */
export class MemoryLogs implements LogSource {
  readonly #entries: LogEntry[] = [];

  add(...entries: readonly LogEntry[]): void {
    this.#entries.push(...entries);
  }

  async *select({ matchers, fromNs, toNs, direction }: LogSelection): AsyncGenerator<readonly LogEntry[]> {
    const tests = matchers.map((matcher) => ({ name: matcher.name, matches: compileMatcher(matcher) }));
    const sign = direction === 'forward' ? 1 : -1;
    yield this.#entries
      .filter(({ time, stream }) => {
        return time >= fromNs && time < toNs && tests.every(({ name, matches }) => matches(stream.get(name)));
      })
      .sort((a, b) => sign * (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
  }
}
