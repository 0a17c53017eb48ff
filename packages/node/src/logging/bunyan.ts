import { hostname } from 'node:os';
import { context } from '@opentelemetry/api';
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
import { severityOfTens } from './severity.ts';
import { traceIds, withoutOwnIds } from './trace-ids.ts';

const scope = '@signalbox/node/bunyan';
const levelNames: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};

type BunyanRecord = Record<string, unknown>;

/** bunyan 1.8 and 2: records go to OTLP with their structure; its own lines gain `trace_id`, `span_id` and `trace_flags`. */
export const bunyanInstrumentation: Instrumentation = {
  name: 'bunyan',
  enable(instrumentation: InstrumentationContext): InstrumentationHandle {
    const { onModule, protect, settings } = instrumentation;
    const logger = instrumentation.loggerProvider.getLogger(scope, version);
    const see = protect(
      (record: BunyanRecord) => {
        if (settings.bunyan.export) emit(logger, record);
        if (settings.bunyan.correlate && !('trace_id' in record)) Object.assign(record, traceIds(context.active()));
      },
      () => {},
    );
    return handleOf(
      onModule(
        'bunyan',
        { versions: { from: '1.8', below: '3' } },
        ({ prototype }: { readonly prototype: object }, { wrap }: LoadedModule): undefined => {
          wrap(
            prototype,
            '_emit',
            (original) =>
              function (...args) {
                const [record, isRehearsal] = args;
                // A rehearsal only makes the text; the line comes once more.
                if (isRehearsal !== true && typeof record === 'object' && record !== null) see(record as BunyanRecord);
                return Reflect.apply(original, this, args);
              },
          );
        },
      ),
    );
  },
};

function emit(logger: Logger, record: BunyanRecord): void {
  if (!isHeard(logger)) return;
  const active = context.active();
  const { v: _version, time: _time, level, msg, name, hostname: host, pid, err, ...fields } = record;
  const attributes: LogAttributes = {};
  for (const [key, value] of Object.entries(fields)) {
    const converted = toAnyValue(value);
    if (converted !== undefined) attributes[key] = converted;
  }
  // What says more than the resource does.
  if (typeof name === 'string') attributes['logger.name'] = name;
  if (typeof host === 'string' && host !== hostname()) attributes.hostname = host;
  if (typeof pid === 'number' && pid !== process.pid) attributes.pid = pid;
  if (err !== undefined) Object.assign(attributes, exceptionAttributes(err));
  const severityText = typeof level === 'number' ? levelNames[level] : undefined;
  logger.emit({
    timestamp: nextLogTime(),
    ...(typeof level === 'number' && { severityNumber: severityOfTens(level) }),
    ...(severityText !== undefined && { severityText }),
    ...(msg !== undefined && { body: String(msg) }),
    attributes: withoutOwnIds(attributes, active),
    context: active,
  });
}
