import { context } from '@opentelemetry/api';
import type { Logger } from '@opentelemetry/api-logs';
import {
  handleOf,
  type Instrumentation,
  type InstrumentationContext,
  type InstrumentationHandle,
} from '../instrumentation.ts';
import { version } from '../version.ts';
import { emitLine, isHeard } from './emit-line.ts';
import { exceptionAttributes } from './exception-attributes.ts';
import type { LineAttributes, LogLine } from './log-line.ts';
import { nextLogTime } from './log-time.ts';
import type { Binding, Bindings } from './pino-bindings.ts';
import { fieldsOf, PinoInternals, type PinoLogger, type PinoState, printed, printedMessage } from './pino-internals.ts';
import { severityOfTens } from './severity.ts';
import { type TraceIds, traceIds } from './trace-ids.ts';

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
      instrumentation.subscribe(startChannel, (message) => {
        const line = message as AsJsonMessage;
        try {
          if (settings.pino.export) emit(logger, internals, line);
        } finally {
          // In this order: the ids must not become attributes, and a record that cannot be made must not cost the line its ids.
          if (settings.pino.correlate) correlate(internals, line);
        }
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
  if (internals.hasBinding(line.instance, 'trace_id')) return;
  const restore = internals.appendBindings(line.instance, bindingsOf(ids));
  if (restore !== undefined) line.restore = restore;
}

const sampledEnd = '","trace_flags":"01"';
let lastIds: TraceIds | undefined;
let lastBindings = '';

/** As pino keeps bindings. Kept, since most lines follow another one in the same span. */
function bindingsOf(ids: TraceIds): string {
  if (ids !== lastIds) {
    lastIds = ids;
    const end = ids.trace_flags === '01' ? sampledEnd : `","trace_flags":"${ids.trace_flags}"`;
    lastBindings = `,"trace_id":"${ids.trace_id}","span_id":"${ids.span_id}${end}`;
  }
  return lastBindings;
}

function emit(logger: Logger, internals: PinoInternals, { instance, arguments: given }: AsJsonMessage): void {
  if (!isHeard(logger)) return;
  // By their places: taking `arguments` apart as a list iterates over it.
  const merged = given[0];
  const rawMessage = given[1];
  const level = given[2];
  const state = internals.read(instance);
  const message = rawMessage === undefined || rawMessage === null ? undefined : printedMessage(state, rawMessage);
  const line: LogLine = {
    time: nextLogTime(),
    severityNumber: severityOfTens(level),
    severityText: internals.levelName(state, level),
    body: message === undefined || typeof message === 'string' ? message : String(message),
    context: context.active(),
  };
  emitLine(logger, line, (attributes) => {
    giveFields(attributes, state, merged);
    giveBindings(attributes, internals.bindings(instance));
  });
}

function giveFields(attributes: LineAttributes, state: PinoState, merged: unknown): void {
  const fields = fieldsOf(state, merged);
  const keys = Object.keys(fields);
  for (let index = keys.length - 1; index >= 0; index -= 1) {
    const key = keys[index] as string;
    const raw = fields[key];
    const value = printed(state, key, raw);
    if (raw instanceof Error)
      for (const [name, text] of Object.entries(exceptionAttributes(value)).reverse())
        attributes.add(name, text as string);
    else attributes.addLogged(key, value);
  }
}

/** A child's before those of its parent, which they hide. */
function giveBindings(attributes: LineAttributes, bindings: Bindings | undefined): void {
  for (let each = bindings; each !== undefined; each = each.inherited)
    for (let index = each.own.length - 1; index >= 0; index -= 1) {
      const binding = each.own[index] as Binding;
      attributes.add(binding[0], binding[1]);
    }
}
