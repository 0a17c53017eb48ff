/**
 * Runs `shutdown` once on SIGTERM or SIGINT (a second SIGINT ends the process at once), then lets the process end.
 *
 * The embedded engine can hold up `process.exit()` for many seconds while a query runs, so what is not over by the deadline is ended
 * by a signal that nothing can hold up. By then everything acknowledged is on disk.
 */
export function stopOnSignals(shutdown: (deadlineMs: number) => Promise<void>, deadlineMs: number): void {
  let stopping = false;
  const kill = () => process.kill(process.pid, 'SIGKILL');
  const stop = (signal: NodeJS.Signals) => {
    if (stopping) {
      if (signal === 'SIGINT') kill();
      return;
    }
    stopping = true;
    // Some of the time is for the process to end by itself.
    setTimeout(kill, deadlineMs).unref();
    shutdown(deadlineMs * 0.8).then(
      () => process.exit(0),
      (error: unknown) => {
        console.error('While stopping:', error);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}
