import { type Context, context } from '@opentelemetry/api';
import type { LogAttributes, Logger } from '@opentelemetry/api-logs';
import {
  handleOf,
  type Instrumentation,
  type InstrumentationContext,
  type InstrumentationHandle,
} from '../instrumentation.ts';
import type { LoadedModule } from '../modules/loaded-module.ts';
import { version } from '../version.ts';
import { toAnyValue } from './any-value.ts';
import { isHeard } from './emit-line.ts';
import { exceptionAttributes } from './exception-attributes.ts';
import { nextLogTime } from './log-time.ts';
import { severityOfName } from './severity.ts';
import { traceIds, withoutOwnIds } from './trace-ids.ts';

const scope = '@signalbox/node/winston';
/** Where winston keeps a level that formats cannot colour. */
const LEVEL = Symbol.for('level');

type Info = Record<string, unknown> & { [LEVEL]?: unknown };

interface WinstonLogger {
  isLevelEnabled(level: string): boolean;
  push(info: unknown): boolean;
}

/**
 * winston 3: what the application's formats have made of a line, redacted and spliced, goes to OTLP with its structure,
 * and the line itself gains `trace_id`, `span_id` and `trace_flags` where formats can see them. Lines that no transport
 * would take are not sent either.
 */
export const winstonInstrumentation: Instrumentation = {
  name: 'winston',
  enable(instrumentation: InstrumentationContext): InstrumentationHandle {
    const { onModule, protect, settings } = instrumentation;
    const logger = instrumentation.loggerProvider.getLogger(scope, version);
    // A line may be formatted later than it is written, when the streams behind are slow: outside of its context then.
    const contexts = new WeakMap<object, Context>();
    const correlated = new WeakSet<object>();
    const begin = protect(
      (info: unknown) => {
        if (typeof info !== 'object' || info === null) return;
        contexts.set(info, context.active());
        if (settings.winston.correlate) correlate(info as Info, correlated);
      },
      () => {},
    );
    const send = protect(
      (source: WinstonLogger, info: unknown, active: Context) => emit(logger, source, info, active),
      () => {},
    );
    return handleOf(
      onModule(
        'winston',
        { versions: { from: '3.1', below: '4' }, files: ['lib/winston/logger.js'] },
        ({ prototype }: { readonly prototype: object }, { wrap }: LoadedModule): undefined => {
          wrap(
            prototype,
            'write',
            (write) =>
              function (...args) {
                begin(args[0]);
                return Reflect.apply(write, this, args);
              },
          );
          if (!settings.winston.export) return;
          wrap(
            prototype,
            '_transform',
            (transform) =>
              function (...args) {
                const target = this as WinstonLogger;
                const [given] = args;
                const active = (typeof given === 'object' && given && contexts.get(given)) || context.active();
                const { push } = target;
                // What is pushed now, during the call, is this line as the formats left it.
                const own = (info: unknown): boolean => {
                  send(target, info, active);
                  return Reflect.apply(push, target, [info]);
                };
                Object.defineProperty(target, 'push', { value: own, configurable: true, writable: true });
                try {
                  return Reflect.apply(transform, this, args);
                } finally {
                  Reflect.deleteProperty(target, 'push');
                }
              },
          );
        },
      ),
    );
  },
};

/** An object that the application logs again keeps no ids of before. */
function correlate(info: Info, correlated: WeakSet<object>): void {
  if ('trace_id' in info && !correlated.has(info)) return;
  const ids = traceIds(context.active());
  if (ids !== undefined) Object.assign(info, ids);
  else if (correlated.has(info)) for (const name of ['trace_id', 'span_id', 'trace_flags']) delete info[name];
  correlated.add(info);
}

function emit(logger: Logger, source: WinstonLogger, info: unknown, active: Context): void {
  if (!isHeard(logger)) return;
  if (typeof info !== 'object' || info === null) return;
  const { level: shown, message, ...fields } = info as Info;
  const level = String((info as Info)[LEVEL] ?? shown);
  if (!source.isLevelEnabled(level)) return;
  const attributes: LogAttributes = {};
  const error = Object.values(fields).find((value) => value instanceof Error) ?? (isErrorLike(info) ? info : undefined);
  for (const [key, value] of Object.entries(fields)) {
    if (value === error || (error === info && key === 'stack')) continue;
    const converted = toAnyValue(value);
    if (converted !== undefined) attributes[key] = converted;
  }
  if (error !== undefined) Object.assign(attributes, exceptionAttributes(error));
  const body = toAnyValue(message);
  const severityNumber = severityOfName(level);
  logger.emit({
    timestamp: nextLogTime(),
    severityText: level,
    ...(severityNumber !== undefined && { severityNumber }),
    ...(body !== undefined && { body }),
    attributes: withoutOwnIds(attributes, active),
    context: active,
  });
}

/** `logger.error(error)` makes the error itself the line, and formats copy its stack beside the message. */
function isErrorLike(info: object): boolean {
  return info instanceof Error || typeof Reflect.get(info, 'stack') === 'string';
}
