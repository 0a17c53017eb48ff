/** A condition on one label; a missing label is an empty one. Regular expressions are anchored. */
export interface SilenceMatcher {
  readonly name: string;
  readonly value: string;
  readonly isEqual: boolean;
  readonly isRegex: boolean;
}

/** Keeps alerts that match quiet for a time. Times in ms since 1970. */
export interface SilenceEntry {
  readonly id: string;
  readonly matchers: readonly SilenceMatcher[];
  readonly startsAt: number;
  readonly endsAt: number;
  readonly updatedAt: number;
  readonly createdBy: string;
  readonly comment: string;
}

/** What to silence; with the `id` of one that is there it takes that one's place. */
export type NewSilence = Omit<SilenceEntry, 'id' | 'updatedAt'> & { readonly id?: string };

/** The silences of the program, for those who ask and change; whoever tells receivers about alerts implements it. */
export interface SilenceBook {
  list(): readonly SilenceEntry[];
  /** Returns the id. Throws an error that says what is wrong with the silence. */
  set(silence: NewSilence, nowMs: number): string;
  /** Ends a silence now; false: there is none of that id. */
  expire(id: string, nowMs: number): boolean;
}
