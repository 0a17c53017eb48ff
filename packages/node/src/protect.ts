/**
 * `run`, but what it throws is told to `report` and `fallback` answers instead. Instrumentation runs inside the
 * application's own calls, and Node turns what a channel's subscriber throws into an uncaught exception: neither may
 * ever be hurt by telemetry.
 */
export function protect<Args extends unknown[], Result>(
  report: (message: string) => void,
  what: string,
  run: (...args: Args) => Result,
  fallback: (...args: Args) => Result,
): (...args: Args) => Result {
  return (...args) => {
    try {
      return run(...args);
    } catch (error) {
      report(`${what} failed, the application is not affected: ${reasonOf(error)}`);
      return fallback(...args);
    }
  };
}

/** The same of what hears messages; for each of them a list of arguments would be made, and taken apart. */
export function protectListener(
  report: (message: string) => void,
  what: string,
  run: (message: unknown) => void,
): (message: unknown) => void {
  return (message) => {
    try {
      run(message);
    } catch (error) {
      report(`${what} failed, the application is not affected: ${reasonOf(error)}`);
    }
  };
}

/** Anything can be thrown, even what has no text and errors whose message throws. */
function reasonOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error);
  } catch {
    return 'something without a text was thrown';
  }
}
