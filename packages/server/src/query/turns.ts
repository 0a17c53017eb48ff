/** How long work keeps the event loop for itself. */
const TURN_MS = 10;

/** Lets others have a turn while something long is worked on: `if (turns.isOver) await turns.next();`. */
export class Turns {
  #endMs = performance.now() + TURN_MS;

  get isOver(): boolean {
    return performance.now() >= this.#endMs;
  }

  /** Resolves when the event loop has run. */
  async next(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#endMs = performance.now() + TURN_MS;
  }
}
