import type { InstrumentationContext } from '../instrumentation.ts';
import { cutOff, type Operation } from './operation.ts';

/** Those that nobody ever ends, a stream that nobody reads for one, must not fill the memory. */
const maxOpen = 10_000;

/** Operations that are under way: the end of the process ends them, as cut off, instead of leaving nothing of them. */
export class OpenOperations {
  readonly #open = new Set<Operation>();

  constructor({ onExit }: Pick<InstrumentationContext, 'onExit'>) {
    onExit(() => {
      for (const operation of this.#open) operation.end(cutOff);
    });
  }

  /** The same operation, which ends once: by its caller, or by the end of the process. Of too many the oldest are let go. */
  track({ context, end }: Operation): Operation {
    let isOver = false;
    const tracked: Operation = {
      context,
      end: (failure, answer) => {
        if (isOver) return;
        isOver = true;
        this.#open.delete(tracked);
        end(failure, answer);
      },
    };
    if (this.#open.size >= maxOpen) {
      const [oldest] = this.#open;
      if (oldest !== undefined) this.#open.delete(oldest);
    }
    this.#open.add(tracked);
    return tracked;
  }
}
