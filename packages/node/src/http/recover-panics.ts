import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Context, context, metrics, SpanStatusCode } from '@opentelemetry/api';
import { logs, SeverityNumber } from '@opentelemetry/api-logs';
import { toError } from '../lifecycle/to-error.ts';
import { nextLogTime } from '../logging/log-time.ts';
import { version } from '../version.ts';
import { currentRequestState, recordRequestException, type ServerRequestState } from './request-state.ts';

const scope = '@signalbox/node/panics';
const maxStackBytes = 4096;
const answer = 'Internal Server Error\n';

export interface PanicOptions {
  /** Name of the counter of panics; `signalbox.panics` where none is given. */
  readonly counterName?: string;
}

/**
 * Records what a request handler threw: as an exception on the request's span, whose status becomes the error `panic`; as a
 * log record of severity ERROR with at most 4 KiB of `stack`; and in a counter. For the error handler of a framework, which
 * then answers as it likes; it must run in the request's context. Outside a request only log record and counter are made.
 */
export function recordPanic(thrown: unknown, { counterName = 'signalbox.panics' }: PanicOptions = {}): void {
  const error = toError(thrown);
  const state = currentRequestState();
  if (state !== undefined) {
    state.hasPanicked = true;
    recordRequestException(state, thrown);
    state.span.setStatus({ code: SpanStatusCode.ERROR, message: 'panic' });
  }
  logs.getLogger(scope, version).emit({
    timestamp: nextLogTime(),
    severityNumber: SeverityNumber.ERROR,
    severityText: 'ERROR',
    body: `panic: ${error.message}`,
    attributes: {
      'exception.type': error.name,
      'exception.message': error.message,
      ...(error.stack !== undefined && { stack: firstBytes(error.stack, maxStackBytes) }),
    },
    context: context.active(),
  });
  // Asked for here, not once: the API has no meter that starts to work when an SDK is started later.
  metrics
    .getMeter(scope, version)
    .createCounter(counterName, { description: 'Requests whose handler threw.', unit: '{panic}' })
    .add(1);
}

/**
 * For requests whose framework has answered for what the handler threw: if that was a 5xx, and what was thrown is not one of
 * the errors by which handlers choose a status themselves, it is recorded as by `recordPanic`.
 */
export function recordCaughtPanic(state: ServerRequestState, status: number | undefined, options: PanicOptions): void {
  if (status === undefined || status < 500 || state.hasPanicked === true || state.exceptions === undefined) return;
  const panic = [...state.exceptions].findLast(([, hasChosenStatus]) => !hasChosenStatus);
  if (panic !== undefined) recordPanic(panic[0], options);
}

/**
 * Wraps a handler of `node:http`, so that what it throws, or what its promise rejects with, costs this request and not the
 * process: it is recorded as by `recordPanic` and answered with 500. A response that has begun cannot become a 500; it is
 * broken off, so that nobody takes it for whole.
 */
export function recoverPanics<Request extends IncomingMessage, Response extends ServerResponse>(
  handler: (request: Request, response: Response) => unknown,
  options: PanicOptions = {},
): (request: Request, response: Response) => void {
  return (request, response) => {
    const requestContext = context.active();
    const recover = (thrown: unknown): void => answerPanic(thrown, response, requestContext, options);
    try {
      const result = handler(request, response);
      if (result instanceof Promise) result.catch(recover);
    } catch (thrown) {
      recover(thrown);
    }
  };
}

function answerPanic(thrown: unknown, response: ServerResponse, requestContext: Context, options: PanicOptions): void {
  context.with(requestContext, recordPanic, undefined, thrown, options);
  if (response.writableEnded || response.destroyed) return;
  if (response.headersSent) {
    response.destroy(toError(thrown));
    return;
  }
  for (const name of response.getHeaderNames()) if (BODY_HEADERS.has(name)) response.removeHeader(name);
  response.statusCode = 500;
  // HTTP/2 has none, and Node warns of it.
  if (!('stream' in response)) response.statusMessage = 'Internal Server Error';
  response.setHeader('content-type', 'text/plain; charset=utf-8');
  // Node computes none for a response whose length was removed before.
  response.setHeader('content-length', Buffer.byteLength(answer));
  response.end(answer);
}

/** Headers for the answer that the handler did not come to give; they would be wrong, or keep the 500 in caches. */
const BODY_HEADERS: ReadonlySet<string> = new Set([
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-length',
  'content-location',
  'content-md5',
  'content-range',
  'content-type',
  'digest',
  'etag',
  'expires',
  'last-modified',
  'trailer',
  'transfer-encoding',
]);

/** The beginning of a text in at most that many bytes of UTF-8, cut between characters. */
function firstBytes(text: string, bytes: number): string {
  // As of a stream, the decoder keeps back a character that is not complete.
  return new TextDecoder().decode(Buffer.from(text).subarray(0, bytes), { stream: true });
}
