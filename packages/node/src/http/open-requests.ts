/** What a request must have to be in the list. */
export interface OpenRequest<Self> {
  previous: Self | undefined;
  next: Self | undefined;
  isOpen: boolean;
}

/**
 * The requests that are being served. They are linked through themselves: a Set gives every object in it a hash, and keeps
 * tables, which is more work than all else that is done for a request that nobody samples.
 */
export class OpenRequests<Request extends OpenRequest<Request>> {
  #newest: Request | undefined;

  add(request: Request): void {
    request.next = this.#newest;
    if (this.#newest !== undefined) this.#newest.previous = request;
    this.#newest = request;
    request.isOpen = true;
  }

  /** Whether it was there. */
  delete(request: Request): boolean {
    if (!request.isOpen) return false;
    const { previous, next } = request;
    if (previous === undefined) this.#newest = next;
    else previous.next = next;
    if (next !== undefined) next.previous = previous;
    request.previous = undefined;
    request.next = undefined;
    request.isOpen = false;
    return true;
  }

  /** Newest first; `each` may delete the one that it is given. */
  forEach(each: (request: Request) => void): void {
    for (let request = this.#newest; request !== undefined; ) {
      const { next } = request;
      each(request);
      request = next;
    }
  }
}
