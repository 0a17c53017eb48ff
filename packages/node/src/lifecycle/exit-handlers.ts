/** What the process's end asks of the telemetry. */
export interface ExitActions {
  /** The process certainly ends now: whatever is still open must be ended. */
  endOpen(): void;
  /** Delivers everything while the event loop turns; settles within the shutdown timeout and never rejects. */
  flush(): Promise<void>;
  /** Delivers what is left, synchronously. */
  flushSync(): void;
  /** An exception that nobody caught; `isFatal` unless the application has a handler of last resort. */
  onException(error: unknown, origin: NodeJS.UncaughtExceptionOrigin, isFatal: boolean): void;
}

const signals = ['SIGTERM', 'SIGINT'] as const;

/**
 * Delivers telemetry on every way out of the process without changing the way out: an application's own signal handlers
 * and exit codes stay what they are. Returns what removes the handlers.
 */
export function installExitHandlers(actions: ExitActions): () => void {
  let flushing: Promise<void> | undefined;
  let flushedAtEnd = false;
  let isEnding = false;
  const flush = (): Promise<void> => {
    flushing ??= actions.flush().finally(() => {
      flushing = undefined;
    });
    return flushing;
  };

  const raise = (signal: NodeJS.Signals): void => {
    // With no handler left the signal does what it would have done without us: the parent sees "killed by SIGTERM".
    process.removeListener(signal, onSignal);
    process.kill(process.pid, signal);
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    // Listeners that are there now decide what happens next. `once` listeners registered before ours are already gone
    // from the list, but ours is put first.
    if (process.listenerCount(signal) > 1) void flush();
    // Whoever asks twice does not want to wait.
    else if (isEnding) raise(signal);
    else {
      isEnding = true;
      actions.endOpen();
      void flush().then(() => raise(signal));
    }
  };
  const onBeforeExit = (): void => {
    // The event loop is empty; flushing fills it again, so this event comes once more afterwards.
    if (flushedAtEnd) return;
    flushedAtEnd = true;
    void flush();
  };
  const onExit = (): void => {
    actions.endOpen();
    actions.flushSync();
  };
  const onException = (error: unknown, origin: NodeJS.UncaughtExceptionOrigin): void =>
    actions.onException(error, origin, process.listenerCount('uncaughtException') === 0);

  for (const signal of signals) process.prependListener(signal, onSignal);
  process.on('beforeExit', onBeforeExit);
  process.on('exit', onExit);
  process.on('uncaughtExceptionMonitor', onException);
  return () => {
    for (const signal of signals) process.removeListener(signal, onSignal);
    process.removeListener('beforeExit', onBeforeExit);
    process.removeListener('exit', onExit);
    process.removeListener('uncaughtExceptionMonitor', onException);
  };
}
