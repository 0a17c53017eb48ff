/**
 * The bytes of requests held in memory, over all receivers that share this object. A request reserves what it holds as
 * it arrives (after decompression), so a declared length costs nothing and a slow sender only what it has sent.
 */
export class InFlightBytes {
  readonly #limit: number;
  #used = 0;

  /** @param limit in bytes */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get used(): number {
    return this.#used;
  }

  get limit(): number {
    return this.#limit;
  }

  /** Whether soon no more is taken: what is held should go on before anything else is done. */
  get isCrowded(): boolean {
    return this.#used > this.#limit * CROWDED;
  }

  reservation(): InFlightReservation {
    let held = 0;
    return {
      grow: (bytes) => {
        if (this.#used + bytes > this.#limit) {
          return false;
        }
        this.#used += bytes;
        held += bytes;
        return true;
      },
      release: () => {
        this.#used -= held;
        held = 0;
      },
    };
  }
}

/** A part of the limit. */
const CROWDED = 0.75;

/** What one request holds of the shared limit. */
export interface InFlightReservation {
  /** Takes more bytes; false when the limit does not allow it, and then nothing is taken. */
  grow(bytes: number): boolean;
  /** Gives everything back. May be called more than once. */
  release(): void;
}
