import { randomUUID } from 'node:crypto';
import type { NewSilence, SilenceBook, SilenceEntry } from '../../query/silence-book.ts';
import { readJsonFile, writeJsonFile } from '../json-file.ts';
import { createMatcher, type Matcher } from './matcher.ts';

/** A silence with matchers that can be asked. */
type Silence = Omit<SilenceEntry, 'matchers'> & { readonly matchers: readonly Matcher[] };

/** Ended silences stay visible for so long. */
const RETENTION_MS = 5 * 86_400_000;
const MAX_SILENCES = 10_000;

/** The silences there are, on disk. */
export class Silences implements SilenceBook {
  readonly #path: string;
  readonly #silences = new Map<string, Silence>();

  /** Throws when the file can't be read. */
  constructor(path: string) {
    this.#path = path;
    for (const saved of (readJsonFile(path) as SilenceEntry[] | undefined) ?? []) {
      this.#silences.set(saved.id, { ...saved, matchers: compile(saved) });
    }
  }

  list(): readonly Silence[] {
    return [...this.#silences.values()];
  }

  /** Those in force at `nowMs` that match. */
  silencing(labels: Readonly<Record<string, string>>, nowMs: number): readonly Silence[] {
    return this.list().filter(
      ({ startsAt, endsAt, matchers }) =>
        startsAt <= nowMs && nowMs < endsAt && matchers.every((matcher) => matcher.matches(labels)),
    );
  }

  /** Adds a silence, or changes the one with its `id`; returns the id. Throws when it would silence everything, or nothing. */
  set(silence: NewSilence, nowMs: number): string {
    if (silence.matchers.length === 0) throw new Error('a silence needs at least one matcher');
    const matchers = compile(silence);
    if (matchers.every((matcher) => matcher.matches({}))) {
      throw new Error('at least one matcher must not match the empty string');
    }
    if (!(silence.startsAt < silence.endsAt)) throw new Error('a silence must end after its start');
    if (silence.endsAt <= nowMs) throw new Error('a silence must end in the future');
    if (silence.id !== undefined && !this.#silences.has(silence.id))
      throw new Error(`there is no silence ${silence.id}`);
    if (silence.id === undefined && this.#silences.size >= MAX_SILENCES)
      throw new Error(`there are ${MAX_SILENCES} silences already`);
    const id = silence.id ?? randomUUID();
    this.#silences.set(id, { ...silence, matchers, id, updatedAt: nowMs });
    this.#save(nowMs);
    return id;
  }

  /** Ends a silence now; false: there is none of that id. */
  expire(id: string, nowMs: number): boolean {
    const silence = this.#silences.get(id);
    if (!silence) return false;
    if (silence.endsAt > nowMs) {
      this.#silences.set(id, {
        ...silence,
        startsAt: Math.min(silence.startsAt, nowMs),
        endsAt: nowMs,
        updatedAt: nowMs,
      });
      this.#save(nowMs);
    }
    return true;
  }

  #save(nowMs: number): void {
    for (const [id, { endsAt }] of this.#silences) if (nowMs - endsAt > RETENTION_MS) this.#silences.delete(id);
    writeJsonFile(
      this.#path,
      this.list().map((silence) => ({
        ...silence,
        matchers: silence.matchers.map(({ name, value, isEqual, isRegex }) => ({ name, value, isEqual, isRegex })),
      })),
    );
  }
}

/** Throws for a regular expression that is none. */
function compile({ matchers }: Pick<SilenceEntry, 'matchers'>): Matcher[] {
  return matchers.map(({ name, value, isEqual, isRegex }) => createMatcher(name, value, isEqual, isRegex));
}
