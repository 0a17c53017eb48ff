import { type Counter, context, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Logger } from 'pino';
import { problem, type Reply } from './reply.ts';
import { RequestError } from './request-error.ts';

const maxStackBytes = 4096;

/**
 * Runs a handler so that nothing it throws ends the process. A RequestError is an answer; anything else is a panic, and becomes, in this
 * order: an exception on the current span, the span's status, an ERROR log record with the stack, one more in `chimney.panics`, a 500.
 */
export async function recoverPanics(
  telemetry: { log: Logger; panics: Pick<Counter, 'add'> },
  handle: () => Reply | Promise<Reply>,
): Promise<Reply> {
  // The span of the request, not one that the handler may have left active.
  const active = context.active();
  try {
    return await handle();
  } catch (thrown) {
    if (thrown instanceof RequestError) return problem(thrown.status, thrown.message);
    const panic = thrown instanceof Error ? thrown : new Error(`thrown: ${String(thrown)}`);
    return context.with(active, () => {
      const span = trace.getActiveSpan();
      span?.recordException(panic);
      span?.setStatus({ code: SpanStatusCode.ERROR, message: 'panic' });
      telemetry.log.error({ error: panic.message, stack: truncate(panic.stack ?? panic.message) }, 'panic recovered');
      telemetry.panics.add(1);
      return { ...problem(500, 'internal error'), failure: 'panic' };
    });
  }
}

/** At most 4 KB of UTF-8, without half a character at the end. */
function truncate(stack: string): string {
  const bytes = Buffer.from(stack);
  if (bytes.length <= maxStackBytes) return stack;
  return new TextDecoder().decode(bytes.subarray(0, maxStackBytes), { stream: true });
}
