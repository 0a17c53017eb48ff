import type { ErrorRequestHandler, RequestHandler } from 'express';
import type { Logger } from 'pino';
import { InvalidInputError } from '../agents/agent.ts';
import { DuplicateAgentError } from '../agents/agent-repository.ts';
import type { Instruments } from '../telemetry/instruments.ts';
import { WorkerError } from '../worker/worker-client.ts';

/** Counts and times every request that a route answers, under the route's template: `/v1/agents/{id}/chat`. */
export function measureRequests({
  requests,
  requestDuration,
}: Pick<Instruments, 'requests' | 'requestDuration'>): RequestHandler {
  return (request, response, next) => {
    const started = performance.now();
    response.once('close', () => {
      const path = templateOf(request.route as { path?: unknown } | undefined);
      const { method } = request;
      requests.add(1, { method, path, status: response.statusCode });
      requestDuration.record((performance.now() - started) / 1000, { method, path });
    });
    next();
  };
}

/** Express's `:id` as the platform writes it; what no route answers has one name for all. */
function templateOf(route: { path?: unknown } | undefined): string {
  return typeof route?.path === 'string' ? route.path.replace(/:([A-Za-z]+)/g, '{$1}') : 'unmatched';
}

/** What went wrong, as a status and a word for the client. What nobody expected is logged, and said to be nobody's fault but ours. */
export function answerErrors(log: Logger): ErrorRequestHandler {
  return (error: unknown, _request, response, next) => {
    if (response.headersSent) return next(error);
    const { status, message } = describe(error);
    if (status >= 500) log.error({ err: error }, 'request failed');
    response.status(status).json({ error: message });
  };
}

function describe(error: unknown): { status: number; message: string } {
  if (error instanceof InvalidInputError) return { status: 400, message: error.message };
  if (error instanceof DuplicateAgentError) return { status: 409, message: error.message };
  if (error instanceof WorkerError) return { status: error.status, message: error.message };
  // What Express's own body parser refuses says its status.
  const status: unknown = error instanceof Error && 'status' in error ? error.status : undefined;
  if (error instanceof Error && typeof status === 'number' && status >= 400 && status < 500)
    return { status, message: error.message };
  return { status: 500, message: 'Something went wrong here.' };
}
