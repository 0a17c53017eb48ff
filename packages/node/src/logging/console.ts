import { formatWithOptions } from 'node:util';
import { context } from '@opentelemetry/api';
import { type LogAttributes, type Logger, SeverityNumber } from '@opentelemetry/api-logs';
import {
  handleOf,
  type Instrumentation,
  type InstrumentationContext,
  type InstrumentationHandle,
} from '../instrumentation.ts';
import { wrapFunction } from '../modules/loaded-module.ts';
import { version } from '../version.ts';
import { toAnyValue } from './any-value.ts';
import { isHeard } from './emit-line.ts';
import { exceptionAttributes } from './exception-attributes.ts';
import { nextLogTime } from './log-time.ts';

const scope = '@signalbox/node/console';

const severities = {
  debug: SeverityNumber.DEBUG,
  log: SeverityNumber.INFO,
  info: SeverityNumber.INFO,
  warn: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
} as const;

type Method = keyof typeof severities;

/**
 * `console.log` and its like, for services that have no logger: only on request (`console.export`), because loggers may
 * write through the console themselves, whose lines would then be sent twice. What is printed stays as it is.
 */
export const consoleInstrumentation: Instrumentation = {
  name: 'console',
  enable(instrumentation: InstrumentationContext): InstrumentationHandle {
    if (!instrumentation.settings.console.export) return handleOf();
    const logger = instrumentation.loggerProvider.getLogger(scope, version);
    let isBusy = false;
    const send = instrumentation.protect(
      (method: Method, args: readonly unknown[]) => {
        // What is formatted may print something itself.
        if (isBusy) return;
        isBusy = true;
        try {
          emit(logger, method, args);
        } finally {
          isBusy = false;
        }
      },
      () => {},
    );
    return handleOf(
      ...(Object.keys(severities) as Method[]).map((method) =>
        wrapFunction(
          console,
          method,
          (original) =>
            function (...args) {
              send(method, args);
              return Reflect.apply(original, this, args);
            },
        ),
      ),
    );
  },
};

/** The text as it is printed; fields of objects among the arguments are attributes too. */
function emit(logger: Logger, method: Method, args: readonly unknown[]): void {
  if (!isHeard(logger)) return;
  const attributes: LogAttributes = {};
  for (const value of args) {
    if (value instanceof Error) Object.assign(attributes, exceptionAttributes(value));
    else if (isPlainObject(value)) {
      const converted = toAnyValue(value);
      if (typeof converted === 'object' && converted !== null) Object.assign(attributes, converted);
    }
  }
  logger.emit({
    timestamp: nextLogTime(),
    severityNumber: severities[method],
    severityText: method,
    body: formatWithOptions({ colors: false }, ...args),
    attributes,
    context: context.active(),
  });
}

function isPlainObject(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
