import { type ChangeRecorder, changeSurface } from './change-surface.ts';

export interface ChangeStreamOptions {
  /** Name of the replication slot, or of whatever the database remembers the reader by. */
  readonly slot: string;
}

/** What a reader of changes tells; each method does nothing where telemetry does not run. */
export interface ObservedChanges {
  /** Changes have been received. */
  received(count?: number): void;
  /** How many bytes of its log the database keeps for the slot, as of now. */
  retained(bytes: number): void;
  /**
   * The one way that every error of the stream goes: replication, decoding, keep-alives. Counts and records it, and answers
   * it, to be thrown or emitted on.
   */
  fail<Thrown>(error: Thrown): Thrown;
}

/** Observes a stream of changes out of a database, whatever client reads it. */
export function observeChanges({ slot }: ChangeStreamOptions): ObservedChanges {
  let told: { readonly recorder: ChangeRecorder; bytes: number } | undefined;
  return {
    received: (count = 1) => changeSurface.recorder()?.change(slot, count),
    retained(bytes) {
      const recorder = changeSurface.recorder();
      if (recorder === undefined || !Number.isFinite(bytes)) return;
      if (told?.recorder !== recorder) told = { recorder, bytes: 0 };
      recorder.retain(slot, bytes - told.bytes);
      told.bytes = bytes;
    },
    fail(error) {
      changeSurface.recorder()?.fail(slot, { error });
      return error;
    },
  };
}
