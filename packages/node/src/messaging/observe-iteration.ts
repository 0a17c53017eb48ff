import { type Context, context } from '@opentelemetry/api';

/** Work on one item of an iteration. */
export interface Step {
  /** What is active until the next item is asked for. */
  readonly context: Context;
  /** The next item is asked for, or the loop is left; must not throw. */
  leave(): void;
}

/**
 * Observes what a loop (`for await`) does with each item. No function wraps the body of a loop, so its context is entered in
 * the moment in which the loop takes the item out of what `next` resolved with, and left when it asks for the next one: what
 * else runs in the meantime has its own. `begin` must not throw; it runs in the context around the loop.
 */
export function observeIteration<Item>(
  iterator: AsyncIterator<Item>,
  begin: (item: Item) => Step | undefined,
  enter: (context: Context) => void,
): AsyncIterableIterator<Item> {
  let around: Context | undefined;
  let open: Step[] = [];
  const leave = (): Context => {
    around ??= context.active();
    if (open.length > 0) enter(around);
    for (const step of open) step.leave();
    open = [];
    return around;
  };
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next(...args) {
      return context.with(leave(), async () => {
        const result = await iterator.next(...args);
        const step = result.done === true ? undefined : begin(result.value);
        if (step === undefined) return result;
        open.push(step);
        return {
          done: false,
          get value() {
            enter(step.context);
            return result.value;
          },
        };
      });
    },
    async return(value) {
      leave();
      return iterator.return === undefined ? { done: true, value } : await iterator.return(value);
    },
    async throw(error) {
      leave();
      if (iterator.throw === undefined) throw error;
      return await iterator.throw(error);
    },
  };
}
