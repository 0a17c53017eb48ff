import {
  type Attributes,
  type Context,
  context,
  type Link,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  trace,
} from '@opentelemetry/api';
import type { InstrumentationContext } from '../instrumentation.ts';
import type { CellLookup, HistogramCell, SumCell } from '../metrics/cells.ts';
import { contextWithSpan } from '../propagation/layered-context.ts';
import { prometheusBoundaries } from '../surfaces/duration-boundaries.ts';
import { OpenOperations } from '../surfaces/open-operations.ts';
import { type Failure, type Operation, recordFailure } from '../surfaces/operation.ts';
import { defineSurface } from '../surfaces/surface.ts';
import { isValidSpanContext } from '../trace/span-context-validity.ts';
import { headerGetter, headerSetter, type MessageHeaders } from './header-carrier.ts';

/** What became of a message: done with, or given back. */
export type Settlement = 'ack' | 'nack';

/** What of a message is to be known. */
export interface Envelope {
  readonly id: string | undefined;
  /** Undefined where it has none, or where they cannot be written to. */
  readonly headers: MessageHeaders | undefined;
}

export interface QueueIdentity {
  readonly name: string;
  /** `messaging.system`. */
  readonly system: string;
  /** Further attributes of the spans. */
  readonly attributes?: Attributes | undefined;
}

/** What the handler of a message has said about it, if anything. */
export interface SettledBy {
  readonly settlement: Settlement | undefined;
  readonly reason: Failure | undefined;
}

/**
 * Queues that the application wraps. Spans by https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/, with the
 * older `messaging.operation` beside the newer names. Metrics: `queue_messages_total` and `queue_process_duration_seconds` by
 * `queue` and `result`, `queue_in_flight` by `queue`.
 */
export const queueSurface = defineSurface('queues', (instrumentation) => new QueueRecorder(instrumentation));

/** Spans and metrics of one instrumentation's queues. */
export class QueueRecorder {
  readonly publish: (queue: QueueIdentity, envelopes: () => readonly Envelope[]) => Operation | undefined;
  readonly process: (
    queue: QueueIdentity,
    envelopes: () => readonly Envelope[],
    settledBy: SettledBy,
    isBatch: boolean,
  ) => Operation | undefined;
  readonly #instrumentation: InstrumentationContext;
  readonly #open: OpenOperations;
  readonly #messages: CellLookup<[queue: string, result: Settlement], SumCell>;
  readonly #duration: CellLookup<[queue: string, result: Settlement], HistogramCell>;
  readonly #inFlight: CellLookup<[queue: string], SumCell>;

  constructor(instrumentation: InstrumentationContext) {
    this.#instrumentation = instrumentation;
    this.#open = new OpenOperations(instrumentation);
    this.publish = instrumentation.protect<Parameters<QueueRecorder['publish']>, Operation | undefined>(
      (queue, envelopes) => this.#publish(queue, envelopes()),
      () => undefined,
    );
    this.process = instrumentation.protect<Parameters<QueueRecorder['process']>, Operation | undefined>(
      (queue, envelopes, ...rest) => this.#process(queue, envelopes(), ...rest),
      () => undefined,
    );
    const { cells } = instrumentation;
    this.#messages = cells.counter(
      'queue_messages_total',
      { description: 'Messages that consumers are through with.', unit: '{message}', prefixed: true },
      (queue, result) => ({ queue, result }),
    );
    this.#duration = cells.histogram(
      'queue_process_duration_seconds',
      { description: 'Duration of processing.', unit: 's', boundaries: prometheusBoundaries, prefixed: true },
      (queue, result) => ({ queue, result }),
    );
    this.#inFlight = cells.upDownCounter(
      'queue_in_flight',
      { description: 'Messages that are being processed.', unit: '{message}', prefixed: true },
      (queue) => ({ queue }),
    );
  }

  #publish(queue: QueueIdentity, messages: readonly Envelope[]): Operation {
    const parent = context.active();
    const span = this.#instrumentation.startSpan({
      name: `publish ${queue.name}`,
      kind: SpanKind.PRODUCER,
      parent,
      attributes: () => attributesOf(queue, messages, 'publish'),
    });
    const inside = span === undefined ? parent : contextWithSpan(parent, span);
    for (const { headers } of messages) if (headers !== undefined) propagation.inject(inside, headers, headerSetter);
    const end = (failure?: Failure): void => {
      if (span === undefined) return;
      if (failure !== undefined) recordFailure(span, failure);
      span.end();
    };
    return this.#open.track({ context: inside, end: this.#instrumentation.protect(end, () => {}) });
  }

  #process(queue: QueueIdentity, messages: readonly Envelope[], settledBy: SettledBy, isBatch: boolean): Operation {
    const senders = messages.flatMap(({ headers }) => senderOf(headers) ?? []);
    const only = isBatch ? undefined : senders[0];
    const parent = only ?? context.active();
    const links = isBatch ? senders.flatMap(linkTo) : [];
    const span = this.#instrumentation.startSpan({
      name: `process ${queue.name}`,
      kind: SpanKind.CONSUMER,
      parent,
      ...(links.length > 0 && { links }),
      attributes: () => attributesOf(queue, messages, 'process', isBatch),
    });
    const inside = span === undefined ? parent : contextWithSpan(parent, span);
    const started = performance.now();
    this.#inFlight(queue.name).add(messages.length);
    const end = (failure?: Failure): void => {
      const result = settledBy.settlement ?? (failure === undefined ? 'ack' : 'nack');
      this.#inFlight(queue.name).add(-messages.length);
      this.#messages(queue.name, result).add(messages.length);
      this.#duration(queue.name, result).record((performance.now() - started) / 1000, inside);
      if (span === undefined) return;
      const why = failure ?? settledBy.reason;
      if (why !== undefined) recordFailure(span, why);
      span.end();
    };
    return this.#open.track({ context: inside, end: this.#instrumentation.protect(end, () => {}) });
  }
}

function attributesOf(
  { name, system, attributes }: QueueIdentity,
  messages: readonly Envelope[],
  operation: 'publish' | 'process',
  isBatch = messages.length !== 1,
): Attributes {
  const id = isBatch ? undefined : messages[0]?.id;
  return {
    'messaging.system': system,
    'messaging.destination.name': name,
    'messaging.operation': operation,
    'messaging.operation.name': operation,
    'messaging.operation.type': operation === 'publish' ? 'send' : 'process',
    'messaging.message.id': id,
    'messaging.batch.message_count': isBatch ? messages.length : undefined,
    ...attributes,
  };
}

/** The context that a message was sent in, baggage included; undefined where its headers carry no trace. */
function senderOf(headers: MessageHeaders | undefined): Context | undefined {
  if (headers === undefined) return undefined;
  const sender = propagation.extract(ROOT_CONTEXT, headers, headerGetter);
  const span = trace.getSpanContext(sender);
  return span !== undefined && isValidSpanContext(span) ? sender : undefined;
}

function linkTo(sender: Context): Link[] {
  const span = trace.getSpanContext(sender);
  return span === undefined ? [] : [{ context: span }];
}
