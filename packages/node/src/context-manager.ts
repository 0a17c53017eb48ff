import type { Channel } from 'node:diagnostics_channel';
import type { Context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';

type ContextOf = (message: unknown) => Context;

/**
 * The official context manager with more verbs. Diagnostics channels announce that a request begins but do not wrap
 * its handling, so the instrumentation must enter a context instead of running a function inside one; the official
 * class has the AsyncLocalStorage that can, but no public method for it. Its version is pinned.
 */
export class EnterableContextManager extends AsyncLocalStorageContextManager {
  readonly #bound = new Map<Channel, ContextOf>();

  enter(context: Context): void {
    // biome-ignore lint/complexity/useLiteralKeys: the bracket is how TypeScript lets private members through.
    this['_asyncLocalStorage'].enterWith(context);
  }

  /** A channel has one such function: the last. */
  bindChannel(channel: Channel, contextOf: ContextOf): () => void {
    // biome-ignore lint/complexity/useLiteralKeys: as above.
    const storage = this['_asyncLocalStorage'];
    this.#bound.set(channel, contextOf);
    channel.bindStore(storage, contextOf);
    return () => {
      if (this.#bound.get(channel) !== contextOf) return;
      this.#bound.delete(channel);
      channel.unbindStore(storage);
    };
  }

  /** Calls `onFirst` with the first message, before it reaches anybody: what that binds to the channel is asked for its context. */
  awaitChannel(channel: Channel, onFirst: () => void): () => void {
    const unbind = this.bindChannel(channel, (message) => {
      unbind();
      onFirst();
      return this.#bound.get(channel)?.(message) ?? this.active();
    });
    return unbind;
  }
}
