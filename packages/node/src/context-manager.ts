import type { Channel } from 'node:diagnostics_channel';
import type { Context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';

/**
 * The official context manager with one more verb. Diagnostics channels announce that a request begins but do not wrap
 * its handling, so the instrumentation must enter a context instead of running a function inside one; the official
 * class has the AsyncLocalStorage that can, but no public method for it. Its version is pinned.
 */
export class EnterableContextManager extends AsyncLocalStorageContextManager {
  enter(context: Context): void {
    // biome-ignore lint/complexity/useLiteralKeys: the bracket is how TypeScript lets private members through.
    this['_asyncLocalStorage'].enterWith(context);
  }

  bindChannel(channel: Channel, contextOf: (message: unknown) => Context): () => void {
    // biome-ignore lint/complexity/useLiteralKeys: as above.
    const storage = this['_asyncLocalStorage'];
    channel.bindStore(storage, contextOf);
    return () => void channel.unbindStore(storage);
  }
}
