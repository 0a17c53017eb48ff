import type { Context } from '@opentelemetry/api';
import { isSpanContextValid, trace } from '@opentelemetry/api';
import { type LoggerProvider, SeverityNumber } from '@opentelemetry/api-logs';
import { nextLogTime } from '../logging/log-time.ts';
import { version } from '../version.ts';

const scope = '@signalbox/node/http-server';

/** What the log says of one request that has ended. */
export interface RequestLogLine {
  readonly level: 'INFO' | 'ERROR';
  readonly msg: 'request';
  readonly method: string;
  /** Undefined where no route served it. */
  readonly route?: string;
  /** Undefined where no response was begun. */
  readonly status?: number;
  readonly latency_ms: number;
  /** Of the response's body, where it is known. */
  readonly bytes?: number;
  readonly trace_id?: string;
  readonly span_id?: string;
  /** What `addRequestAttributes` added. */
  readonly [attribute: string]: string | number | boolean | undefined;
}

/** What a request log is made of. */
export interface LoggedRequest {
  readonly method: string;
  readonly route: string | undefined;
  readonly status: number | undefined;
  readonly seconds: number;
  readonly bytes: number | undefined;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** Whether the server is to blame. */
  readonly hasFailed: boolean;
  readonly context: Context;
}

/**
 * One line for each request. With a function for `target` that gets the line, to write it where the application's own lines
 * go; otherwise it becomes a log record with the same fields as attributes, in the request's trace.
 */
export function createRequestLog(
  loggerProvider: LoggerProvider,
  target: true | ((line: RequestLogLine) => void),
): (request: LoggedRequest) => void {
  const logger = loggerProvider.getLogger(scope, version);
  return (request) => {
    const { level, msg, ...fields } = lineOf(request);
    if (target !== true) {
      const spanContext = trace.getSpanContext(request.context);
      const ids =
        spanContext !== undefined && isSpanContextValid(spanContext)
          ? { trace_id: spanContext.traceId, span_id: spanContext.spanId }
          : {};
      target({ level, msg, ...fields, ...ids });
      return;
    }
    logger.emit({
      timestamp: nextLogTime(),
      severityNumber: level === 'ERROR' ? SeverityNumber.ERROR : SeverityNumber.INFO,
      severityText: level,
      body: msg,
      attributes: fields,
      context: request.context,
    });
  };
}

function lineOf({ method, route, status, seconds, bytes, attributes, hasFailed }: LoggedRequest): RequestLogLine {
  return {
    ...attributes,
    level: hasFailed ? 'ERROR' : 'INFO',
    msg: 'request',
    method,
    ...(route !== undefined && { route }),
    ...(status !== undefined && { status }),
    latency_ms: Math.round(seconds * 1_000_000) / 1000,
    ...(bytes !== undefined && { bytes }),
  };
}
