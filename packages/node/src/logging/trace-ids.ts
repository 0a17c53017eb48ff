import { type Context, trace } from '@opentelemetry/api';
import type { LogAttributes } from '@opentelemetry/api-logs';
import { isValidSpanContext } from '../trace/span-context-validity.ts';

/** The fields that a logger's own lines gain, named as https://opentelemetry.io/docs/specs/otel/compatibility/logging_trace_context/ says. */
export interface TraceIds {
  readonly trace_id: string;
  readonly span_id: string;
  /** Two hexadecimal digits. */
  readonly trace_flags: string;
}

let last: TraceIds = { trace_id: '', span_id: '', trace_flags: '' };
let lastFlags = -1;

/** Undefined outside of traces. The same object for lines that follow each other in one span. */
export function traceIds(active: Context): TraceIds | undefined {
  const spanContext = trace.getSpanContext(active);
  if (spanContext === undefined || !isValidSpanContext(spanContext)) return undefined;
  const { traceId, spanId, traceFlags } = spanContext;
  if (last.trace_id === traceId && last.span_id === spanId && lastFlags === traceFlags) return last;
  const flags = `${traceFlags < 16 ? '0' : ''}${traceFlags.toString(16)}`;
  last = { trace_id: traceId, span_id: spanId, trace_flags: flags };
  lastFlags = traceFlags;
  return last;
}

/** Without ids that only say what the record's own fields say: put on the line by us, or by a format of the application's. */
export function withoutOwnIds(attributes: LogAttributes, active: Context): LogAttributes {
  if (attributes.trace_id === undefined) return attributes;
  const ids = traceIds(active);
  if (ids === undefined || attributes.trace_id !== ids.trace_id) return attributes;
  const { trace_id: _, span_id: spanId, trace_flags: flags, ...rest } = attributes;
  return {
    ...rest,
    ...(spanId !== undefined && spanId !== ids.span_id && { span_id: spanId }),
    ...(flags !== undefined && flags !== ids.trace_flags && { trace_flags: flags }),
  };
}
