import { context } from '@opentelemetry/api';
import type { LogAttributes, Logger } from '@opentelemetry/api-logs';
import {
  handleOf,
  type Instrumentation,
  type InstrumentationContext,
  type InstrumentationHandle,
} from '../instrumentation.ts';
import { version } from '../version.ts';
import { toAnyValue } from './any-value.ts';
import { exceptionAttributes } from './exception-attributes.ts';
import { nextLogTime } from './log-time.ts';
import { PinoInternals, type PinoLogger } from './pino-internals.ts';
import { severityOfTens } from './severity.ts';
import { traceIds, withoutOwnIds } from './trace-ids.ts';

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
  const ids = traceIds(context.active());
  if (ids === undefined) return;
  const merged = line.arguments[0];
  if (typeof merged === 'object' && merged !== null && 'trace_id' in merged) return;
  if (Object.hasOwn(internals.bindings(line.instance), 'trace_id')) return;
  const restore = internals.appendBindings(
    line.instance,
    `,"trace_id":"${ids.trace_id}","span_id":"${ids.span_id}","trace_flags":"${ids.trace_flags}"`,
  );
  if (restore !== undefined) line.restore = restore;
}

function emit(
  logger: Logger,
  internals: PinoInternals,
  { instance, arguments: [merged, rawMessage, level] }: AsJsonMessage,
): void {
  const active = context.active();
  const attributes: LogAttributes = { ...internals.bindings(instance) };
  internals.eachField(instance, merged, (key, value, isError) => {
    if (isError) {
      Object.assign(attributes, exceptionAttributes(value));
      return;
    }
    const converted = toAnyValue(value);
    if (converted !== undefined) attributes[key] = converted;
  });
  const message = rawMessage === undefined || rawMessage === null ? undefined : internals.message(instance, rawMessage);
  logger.emit({
    timestamp: nextLogTime(),
    severityNumber: severityOfTens(level),
    severityText: internals.levelName(instance, level),
    ...(message !== undefined && { body: typeof message === 'string' ? message : String(message) }),
    attributes: withoutOwnIds(attributes, active),
    context: active,
  });
}
