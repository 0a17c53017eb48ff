import { hostname } from 'node:os';
import { type Attributes, type Context, context, isSpanContextValid, trace } from '@opentelemetry/api';
import { type LogAttributes, type Logger, SeverityNumber } from '@opentelemetry/api-logs';
import {
  handleOf,
  type Instrumentation,
  type InstrumentationContext,
  type InstrumentationHandle,
} from '../instrumentation.ts';
import { version } from '../version.ts';
import { toAnyValue } from './any-value.ts';
import { nextLogTime } from './log-time.ts';
import { PinoInternals, type PinoLogger } from './pino-internals.ts';

const scope = '@signalbox/node/pino';
const startChannel = 'tracing:pino_asJson:start';

interface AsJsonMessage {
  readonly instance: PinoLogger;
  /** The merged object, the message, the level's number and the formatted time. */
  readonly arguments: readonly [unknown, unknown, number, string];
  restore?: () => void;
}

/**
 * pino 10 and later, through its `pino_asJson` tracing channel: each line goes to OTLP with its structure (nothing is
 * parsed back from JSON) and the line pino itself writes gains `trace_id`, `span_id` and `trace_flags`.
 */
export const pinoInstrumentation: Instrumentation = {
  name: 'pino',
  enable(instrumentation: InstrumentationContext): InstrumentationHandle {
    const { settings } = instrumentation;
    const logger = instrumentation.loggerProvider.getLogger(scope, version);
    const internals = new PinoInternals();
    return handleOf(
      // Apart and in this order: a record that cannot be made must not cost the line its ids, nor these become attributes.
      instrumentation.subscribe(startChannel, (message) => {
        if (settings.pino.export) emit(logger, internals, message as AsJsonMessage);
      }),
      instrumentation.subscribe(startChannel, (message) => {
        if (settings.pino.correlate) correlate(internals, message as AsJsonMessage);
      }),
      instrumentation.subscribe('tracing:pino_asJson:end', (message) => (message as AsJsonMessage).restore?.()),
    );
  },
};

/** Lends the logger bindings with the trace ids for the one line that is being written. */
function correlate(internals: PinoInternals, line: AsJsonMessage): void {
  const spanContext = trace.getSpanContext(context.active());
  if (spanContext === undefined || !isSpanContextValid(spanContext)) return;
  const merged = line.arguments[0];
  if (typeof merged === 'object' && merged !== null && 'trace_id' in merged) return;
  if (Object.hasOwn(internals.bindings(line.instance), 'trace_id')) return;
  const { traceId, spanId, traceFlags } = spanContext;
  const flags = flagsText(traceFlags);
  const restore = internals.appendBindings(
    line.instance,
    `,"trace_id":"${traceId}","span_id":"${spanId}","trace_flags":"${flags}"`,
  );
  if (restore !== undefined) line.restore = restore;
}

function flagsText(traceFlags: number): string {
  return traceFlags.toString(16).padStart(2, '0');
}

/** Ids that only say what the record's own fields say: a mixin of the application's, or bindings, put them on the line. */
function withoutOwnIds(attributes: LogAttributes, active: Context): LogAttributes {
  const spanContext = trace.getSpanContext(active);
  if (spanContext === undefined || attributes.trace_id !== spanContext.traceId) return attributes;
  const { trace_id: _, span_id: spanId, trace_flags: flags, ...rest } = attributes;
  return {
    ...rest,
    ...(spanId !== undefined && spanId !== spanContext.spanId && { span_id: spanId }),
    ...(flags !== undefined && flags !== flagsText(spanContext.traceFlags) && { trace_flags: flags }),
  };
}

function emit(
  logger: Logger,
  internals: PinoInternals,
  { instance, arguments: [merged, rawMessage, level] }: AsJsonMessage,
): void {
  const active = context.active();
  const attributes: LogAttributes = { ...bindingAttributes(internals, instance) };
  for (const { key, value, isError } of internals.fields(instance, merged)) {
    if (isError) {
      Object.assign(attributes, exceptionAttributes(value));
      continue;
    }
    const converted = toAnyValue(value);
    if (converted !== undefined) attributes[key] = converted;
  }
  const message = rawMessage === undefined || rawMessage === null ? undefined : internals.message(instance, rawMessage);
  logger.emit({
    timestamp: nextLogTime(),
    severityNumber: severityNumber(level),
    severityText: internals.levelName(instance, level),
    ...(message !== undefined && { body: typeof message === 'string' ? message : String(message) }),
    attributes: withoutOwnIds(attributes, active),
    context: active,
  });
}

/** pino's own `pid` and `hostname` say what the resource says already. */
function bindingAttributes(internals: PinoInternals, instance: PinoLogger): LogAttributes {
  const { pid, hostname: host, ...rest } = internals.bindings(instance);
  return {
    ...rest,
    ...(pid !== undefined && pid !== process.pid && { pid }),
    ...(host !== undefined && host !== hostname() && { hostname: host }),
  };
}

/**
 * https://opentelemetry.io/docs/specs/semconv/exceptions/exceptions-logs/, from an `Error` or from what an error
 * serializer made of it (pino's own gives `type`, `message` and `stack`).
 */
function exceptionAttributes(error: unknown): Attributes {
  if (typeof error !== 'object' || error === null) return { 'exception.message': String(error) };
  const attributes: Attributes = {};
  const read = (name: string): string | undefined => {
    const value: unknown = Reflect.get(error, name);
    return typeof value === 'string' ? value : undefined;
  };
  const type = read('type') ?? read('name');
  if (type !== undefined) attributes['exception.type'] = type;
  const message = read('message');
  if (message !== undefined) attributes['exception.message'] = message;
  const stack = read('stack');
  if (stack !== undefined) attributes['exception.stacktrace'] = stack;
  return attributes;
}

/** pino's levels are 10 apart, OpenTelemetry's severities 4; what lies between keeps its order within the range. */
function severityNumber(level: number): SeverityNumber {
  if (level < 10) return SeverityNumber.TRACE;
  if (level >= 60) return SeverityNumber.FATAL;
  const range = Math.floor(level / 10) - 1;
  return range * 4 + 1 + Math.floor((level % 10) / 2.5);
}
