import { type Attributes, context, trace } from '@opentelemetry/api';
import { type LoggerProvider, SeverityNumber } from '@opentelemetry/api-logs';
import type { InstrumentationContext } from '../instrumentation.ts';
import { nextLogTime } from '../logging/log-time.ts';
import type { CellLookup, SumCell } from '../metrics/cells.ts';
import { defineSurface } from '../surfaces/surface.ts';
import { version } from '../version.ts';

/** What happens in the application's own terms: `business_events_total` by `event`, a log record, an event of the active span. */
const eventSurface = defineSurface('events', (instrumentation) => new EventRecorder(instrumentation));
export const eventInstrumentation = eventSurface.instrumentation;

/**
 * Records that something has happened that the business knows by name (`Feed cached`, `Audio transcoded`): as a log record of
 * that event name in the current trace, as an event of the active span, and in a counter. Names are few; what differs from
 * one to the next belongs into `attributes`, which are in the log record and on the span only.
 */
export function recordEvent(name: string, attributes: Attributes = {}): void {
  eventSurface.recorder()?.record(name, attributes);
}

class EventRecorder {
  readonly record: (name: string, attributes: Attributes) => void;
  readonly #logs: LoggerProvider;
  readonly #addsToSpans: boolean;
  readonly #events: CellLookup<[event: string], SumCell>;

  constructor({ cells, loggerProvider, protect, wants }: InstrumentationContext) {
    this.#logs = loggerProvider;
    this.#addsToSpans = wants.spans;
    this.record = protect<[string, Attributes], void>(
      (name, attributes) => this.#record(name, attributes),
      () => {},
    );
    this.#events = cells.counter(
      'business_events_total',
      { description: 'Business events.', unit: '{event}', prefixed: true },
      (event) => ({ event }),
    );
  }

  #record(name: string, attributes: Attributes): void {
    this.#events(name).add(1);
    if (this.#addsToSpans) trace.getActiveSpan()?.addEvent(name, attributes);
    this.#logs.getLogger('@signalbox/node/events', version).emit({
      eventName: name,
      timestamp: nextLogTime(),
      severityNumber: SeverityNumber.INFO,
      severityText: 'INFO',
      body: name,
      attributes,
      context: context.active(),
    });
  }
}
