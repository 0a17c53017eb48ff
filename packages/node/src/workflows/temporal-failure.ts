/** Thrown to end a function in another way than by failing. */
const noFailures = new Set(['ContinueAsNew', 'CompleteAsyncError']);

/** Whether what was thrown is a failure: neither a way to end that Temporal's SDK has, nor what the application expects. */
export function isFailure(thrown: unknown): boolean {
  if (typeof thrown !== 'object' || thrown === null) return true;
  // https://docs.temporal.io/references/failures#benign-exceptions
  return !noFailures.has(String(Reflect.get(thrown, 'name'))) && Reflect.get(thrown, 'category') !== 'BENIGN';
}

/** `error.type`: what the application calls its failure, which Temporal wraps in some of its own; undefined if nothing. */
export function failureType(thrown: unknown): string | undefined {
  let found: string | undefined;
  let error = thrown;
  for (let depth = 0; error instanceof Error && depth < maxCauses; depth += 1) {
    const type: unknown = Reflect.get(error, 'type');
    if (typeof type === 'string' && type !== '') found = type;
    error = error.cause;
  }
  return found;
}

/** The messages of a failure and of what caused it. */
export function failureMessage(failure: Error): string {
  const messages = [failure.message];
  let error = failure.cause;
  for (let depth = 1; error instanceof Error && depth < maxCauses; depth += 1) {
    messages.push(error.message);
    error = error.cause;
  }
  return messages.join(': ');
}

const maxCauses = 5;
