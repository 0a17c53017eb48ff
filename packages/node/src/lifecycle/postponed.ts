/**
 * What telemetry needs sooner or later, but nobody waits for while the application starts: done when its main program has been
 * run, in the event loop's first turn. `run` is for whoever can not wait for that.
 */
export class Postponed {
  #waiting: (() => void)[] = [];
  #turn: NodeJS.Immediate | undefined;

  /** `step` must not throw. */
  add(step: () => void): void {
    this.#waiting.push(step);
    // The process need not stay alive for it: the flush at its end runs what still waits.
    this.#turn ??= setImmediate(() => this.run()).unref();
  }

  run(): void {
    clearImmediate(this.#turn);
    this.#turn = undefined;
    const steps = this.#waiting;
    this.#waiting = [];
    for (const step of steps) step();
  }
}
