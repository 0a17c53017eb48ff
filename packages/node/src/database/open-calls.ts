/** Those that nobody ever answers, on a connection that is gone for one, must not fill the memory. */
const maxOpen = 10_000;

/** What a call must have to be in the list. */
export interface OpenCall<Self> {
  previous: Self | undefined;
  next: Self | undefined;
  isOpen: boolean;
}

/**
 * The calls that are under way, linked through themselves: a Set would give every one of them a hash and keep tables, which
 * is much beside what a query costs. Of too many the oldest are let go.
 */
export class OpenCalls<Call extends OpenCall<Call>> {
  readonly #max: number;
  #newest: Call | undefined;
  #oldest: Call | undefined;
  #size = 0;

  constructor(max = maxOpen) {
    this.#max = max;
  }

  add(call: Call): void {
    if (this.#size === this.#max && this.#oldest !== undefined) this.delete(this.#oldest);
    call.next = this.#newest;
    if (this.#newest === undefined) this.#oldest = call;
    else this.#newest.previous = call;
    this.#newest = call;
    call.isOpen = true;
    this.#size += 1;
  }

  delete(call: Call): void {
    if (!call.isOpen) return;
    const { previous, next } = call;
    if (previous === undefined) this.#newest = next;
    else previous.next = next;
    if (next === undefined) this.#oldest = previous;
    else next.previous = previous;
    call.previous = undefined;
    call.next = undefined;
    call.isOpen = false;
    this.#size -= 1;
  }

  /** Newest first; the one that is given may be deleted. */
  *[Symbol.iterator](): Generator<Call, void> {
    for (let call = this.#newest; call !== undefined; ) {
      const { next } = call;
      yield call;
      call = next;
    }
  }
}
