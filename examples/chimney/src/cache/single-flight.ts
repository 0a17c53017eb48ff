/** Work under a key that is under way is shared by all who ask for it meanwhile. */
export class SingleFlight<Result> {
  readonly #flights = new Map<string, Promise<Result>>();

  /** How many different keys are under way. */
  get size(): number {
    return this.#flights.size;
  }

  has(key: string): boolean {
    return this.#flights.has(key);
  }

  /** Runs `work`, or joins what already runs under `key`, whose outcome, error included, is then this one's too. */
  run(key: string, work: () => Promise<Result>): Promise<Result> {
    const flying = this.#flights.get(key);
    if (flying) return flying;
    const flight = work().finally(() => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    });
    this.#flights.set(key, flight);
    return flight;
  }
}
