import type { Peer } from './peer.ts';

/** One side of a call that waits for the other. */
export type PendingCall = OutgoingCall | IncomingCall;

/** A call as its caller saw it. */
export interface Call {
  /** The caller. */
  readonly source: string;
  /** Seconds since 1970: the 10 seconds that it is counted in. */
  readonly time: number;
  /** Nanoseconds. */
  readonly duration: number;
  readonly error: boolean;
  /** How many calls it stands for. */
  readonly weight: number;
}

/** The caller's span. */
export interface OutgoingCall {
  readonly side: 'outgoing';
  readonly call: Call;
  /** What it names as called; null: nothing, or nobody will ask. */
  readonly peer: Peer | null;
  /** A message may be received by several; its call stays until it expires. */
  readonly isMessage: boolean;
  matched: boolean;
}

/** The span of the service that was called, which came before the caller's. */
export interface IncomingCall {
  readonly side: 'incoming';
  readonly targets: string[];
}

interface Entry {
  readonly call: PendingCall;
  readonly expiresAt: number;
}

/** Calls that wait, by trace and caller's span id: at most `maxEntries`, each for at most `maxAgeMs`. */
export class PendingCalls {
  readonly #entries = new Map<string, Entry>();
  readonly #maxEntries: number;
  readonly #maxAgeMs: number;

  constructor(maxEntries: number, maxAgeMs: number) {
    this.#maxEntries = maxEntries;
    this.#maxAgeMs = maxAgeMs;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): PendingCall | undefined {
    return this.#entries.get(key)?.call;
  }

  /** Adds a call; returns the oldest one if it had to leave for it. */
  add(key: string, call: PendingCall, now: number): PendingCall | undefined {
    // Delete first: a map keeps the place of a key that it knows, and places are in order of expiry.
    this.#entries.delete(key);
    this.#entries.set(key, { call, expiresAt: now + this.#maxAgeMs });
    if (this.#entries.size <= this.#maxEntries) {
      return undefined;
    }
    for (const [oldest, entry] of this.#entries) {
      this.#entries.delete(oldest);
      return entry.call;
    }
    return undefined;
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  /** Removes and returns the calls whose time is over at `now`. */
  expire(now: number): PendingCall[] {
    const expired: PendingCall[] = [];
    for (const [key, entry] of this.#entries) {
      if (entry.expiresAt > now) {
        break;
      }
      this.#entries.delete(key);
      expired.push(entry.call);
    }
    return expired;
  }
}
