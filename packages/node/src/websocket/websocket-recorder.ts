import type { IncomingHttpHeaders } from 'node:http';
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
import { headerText, plainAddress } from '../http/http-attributes.ts';
import type { InstrumentationContext } from '../instrumentation.ts';
import type { CellLookup, SumCell } from '../metrics/cells.ts';
import { contextWithSpan } from '../propagation/layered-context.ts';
import { type Failure, type Operation, recordFailure } from '../surfaces/operation.ts';

/** What a connection began with. */
export interface Handshake {
  readonly headers: IncomingHttpHeaders;
  readonly address: string | undefined;
}

/** A connection that is open. */
export interface Connection {
  /** What the application does when it is connected. */
  readonly connecting: Operation;
  /** What it does with a message of so many bytes; `undefined` where that is not known. */
  message(type: string, size: number | undefined): Operation;
  /** What it does when the connection is gone; called once. */
  disconnected(): Operation;
}

export interface Broadcast {
  readonly room: string;
  readonly sender: string;
  /** How many get the message; what `send` answers unless given. */
  readonly recipients?: number;
}

/**
 * Spans: `websocket.connect`, the child of what the client is doing; `websocket.message` and `websocket.disconnect`, traces of
 * their own with a link to the connection's, which may be open for days; `chat.broadcast`. Metrics:
 * `websocket_connections_active`, `websocket_messages_total`.
 */
export class WebSocketRecorder {
  readonly connect: (handshake: () => Handshake) => Connection | undefined;
  readonly broadcast: (broadcast: Broadcast) => Operation | undefined;
  readonly protect: InstrumentationContext['protect'];
  readonly #instrumentation: InstrumentationContext;
  readonly #active: CellLookup<[], SumCell>;
  readonly #messages: CellLookup<[], SumCell>;

  constructor(instrumentation: InstrumentationContext) {
    this.#instrumentation = instrumentation;
    const { cells, protect } = instrumentation;
    this.protect = protect;
    this.connect = protect<[() => Handshake], Connection | undefined>(
      (handshake) => this.#connect(handshake()),
      () => undefined,
    );
    this.broadcast = protect<[Broadcast], Operation | undefined>(
      (broadcast) => this.#broadcast(broadcast),
      () => undefined,
    );
    this.#active = cells.upDownCounter(
      'websocket_connections_active',
      { description: 'WebSocket connections that are open.', unit: '{connection}', prefixed: true },
      () => ({}),
    );
    this.#messages = cells.counter(
      'websocket_messages_total',
      { description: 'Messages received over WebSockets.', unit: '{message}', prefixed: true },
      () => ({}),
    );
  }

  #connect({ headers, address }: Handshake): Connection {
    const forwarded = headerText(headers['x-forwarded-for'])?.split(',')[0]?.trim();
    const peer = forwarded || (address === undefined ? undefined : plainAddress(address));
    const id = process.getBuiltinModule('node:crypto').randomUUID();
    const who: Attributes = { 'websocket.connection_id': id, ...(peer !== undefined && { 'websocket.peer': peer }) };
    const opened = performance.now();
    const parent = propagation.extract(ROOT_CONTEXT, headers);
    const connecting = this.#operation('websocket.connect', SpanKind.SERVER, parent, () => ({ ...who }));
    const origin = trace.getSpanContext(connecting.context);
    const links: Link[] = origin === undefined ? [] : [{ context: origin }];
    this.#active().add(1);
    return {
      connecting,
      message: (type, size) => {
        this.#messages().add(1);
        const attributes = () => ({
          'websocket.connection_id': id,
          'websocket.message_type': type,
          ...(size !== undefined && { 'websocket.message_size': size }),
        });
        return this.#operation('websocket.message', SpanKind.SERVER, ROOT_CONTEXT, attributes, links);
      },
      disconnected: () => {
        this.#active().add(-1);
        const attributes = () => ({ ...who, 'websocket.duration_ms': Math.round(performance.now() - opened) });
        return this.#operation('websocket.disconnect', SpanKind.INTERNAL, ROOT_CONTEXT, attributes, links);
      },
    };
  }

  #broadcast({ room, sender, recipients }: Broadcast): Operation {
    const { startSpan, protect } = this.#instrumentation;
    const parent = context.active();
    const started = performance.now();
    const span = startSpan({
      name: 'chat.broadcast',
      kind: SpanKind.INTERNAL,
      parent,
      attributes: () => ({ 'chat.room': room, 'chat.sender': sender }),
    });
    const end = (failure: Failure | undefined, answer: unknown): void => {
      if (span === undefined) return;
      const count = recipients ?? answer;
      span.setAttribute('chat.duration_us', Math.round((performance.now() - started) * 1000));
      if (typeof count === 'number') span.setAttribute('chat.recipients', count);
      if (failure !== undefined) recordFailure(span, failure);
      span.end();
    };
    return { context: span === undefined ? parent : contextWithSpan(parent, span), end: protect(end, () => {}) };
  }

  #operation(name: string, kind: SpanKind, parent: Context, attributes: () => Attributes, links?: Link[]): Operation {
    const { startSpan, protect } = this.#instrumentation;
    const span = startSpan({ name, kind, parent, attributes, ...(links && { links }) });
    const end = (failure?: Failure): void => {
      if (span === undefined) return;
      if (failure !== undefined) recordFailure(span, failure);
      span.end();
    };
    return { context: span === undefined ? parent : contextWithSpan(parent, span), end: protect(end, () => {}) };
  }
}
