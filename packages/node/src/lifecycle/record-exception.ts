import { context, SpanStatusCode, trace } from '@opentelemetry/api';
import { type LoggerProvider, SeverityNumber } from '@opentelemetry/api-logs';
import { nextLogTime } from '../logging/log-time.ts';
import { version } from '../version.ts';
import { toError } from './to-error.ts';

/**
 * Records an exception that nobody caught: as a log record (so that it is found without a trace) and, where code of a
 * request threw it, on that request's span. `origin` is Node's word for how it got away.
 */
export function recordException(
  loggerProvider: LoggerProvider,
  thrown: unknown,
  origin: string,
  isFatal: boolean,
): void {
  const error = toError(thrown);
  const span = trace.getSpan(context.active());
  if (span?.isRecording() === true) {
    span.recordException(error);
    span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
  }
  loggerProvider.getLogger('@signalbox/node/process', version).emit({
    timestamp: nextLogTime(),
    severityNumber: isFatal ? SeverityNumber.FATAL : SeverityNumber.ERROR,
    severityText: isFatal ? 'FATAL' : 'ERROR',
    body: `${origin}: ${error.message}`,
    attributes: {
      'exception.type': error.name,
      'exception.message': error.message,
      ...(error.stack !== undefined && { 'exception.stacktrace': error.stack }),
    },
    context: context.active(),
  });
}
