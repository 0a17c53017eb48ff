import { type AttributeEntry, AttributeKey, hexOf, type MetricBatch, type SpanBatch, textOf } from '@signalbox/records';
import type { ComponentContext } from '../../pipeline/component-context.ts';
import type { PipelineComponent } from '../../pipeline/component-factory.ts';
import { ALL_ACCEPTED, type ConsumeResult, type Consumer } from '../../pipeline/consumer.ts';
import type { Consumers } from '../../pipeline/signal.ts';
import { attributeOf } from '../dimensions.ts';
import { FlushTimer } from '../flush-timer.ts';
import { textOfValue } from '../ottl/text-of-value.ts';
import { isZeroSpanId, SpanKind, STATUS_ERROR, spanDuration } from '../span-totals.ts';
import { spanWeight } from '../span-weight.ts';
import { EdgeSeries } from './edge-series.ts';
import { type Edge, type EdgeSide, PendingEdges } from './pending-edges.ts';

export interface ServiceGraphSettings {
  /** Upper bounds of buckets, in seconds. */
  readonly bounds: readonly number[];
  readonly dimensions: readonly string[];
  /** Attributes of a client's span that name what it called, the first that is there. */
  readonly peerAttributes: readonly string[];
  readonly databaseAttributes: readonly string[];
  readonly labelVirtualNodes: boolean;
  readonly ttlMs: number;
  readonly maxItems: number;
  /** How often edges are looked at whose wait is over. */
  readonly expirationLoopMs: number;
  /** 0: after every batch. */
  readonly flushIntervalMs: number;
}

interface Names {
  readonly prefixed: Readonly<Record<'client' | 'server', readonly (readonly [AttributeKey, string])[]>>;
  readonly peer: readonly AttributeKey[];
  readonly database: readonly AttributeKey[];
}

/**
 * Counts requests between services (upstream's `servicegraph`): the span of the caller and that of the callee, whose parent
 * it is, make an edge, each weighing what a head sampler says it stands for. A batch is counted when `consume` resolves; edges
 * that wait for their other side, and what was not flushed, are lost in a crash.
 */
export class ServiceGraphConnector implements PipelineComponent, Consumer<SpanBatch> {
  readonly consumers: Consumers = { traces: this };
  readonly #settings: ServiceGraphSettings;
  readonly #context: ComponentContext;
  readonly #next: Consumer<MetricBatch>;
  readonly #names: Names;
  readonly #pending: PendingEdges;
  readonly #series: EdgeSeries;
  readonly #timer: FlushTimer;
  #expiration: NodeJS.Timeout | null = null;
  #startedAt: number;

  constructor(settings: ServiceGraphSettings, context: ComponentContext, next: Consumer<MetricBatch>) {
    this.#settings = settings;
    this.#context = context;
    this.#next = next;
    const keys = (names: readonly string[]) => names.map((name) => new AttributeKey(name));
    const prefixed = (side: string) =>
      settings.dimensions.map((name) => [new AttributeKey(name), `${side}_${name}`] as const);
    this.#names = {
      prefixed: { client: prefixed('client'), server: prefixed('server') },
      peer: keys(settings.peerAttributes),
      database: keys(settings.databaseAttributes),
    };
    this.#pending = new PendingEdges(settings.maxItems, settings.ttlMs);
    this.#series = new EdgeSeries(settings.bounds);
    this.#startedAt = context.now();
    this.#timer = new FlushTimer(
      () => this.flush(),
      (error) => context.log.error('metrics of the service graph could not be handed on', error),
    );
    context.telemetry.gauge(
      'signalbox_servicegraph_pending_edges',
      'Requests that wait for the span of their other side',
      () => this.#pending.size,
    );
  }

  async start(): Promise<void> {
    this.#startedAt = this.#context.now();
    this.#expiration = setInterval(() => this.expire(), this.#settings.expirationLoopMs);
    this.#expiration.unref();
    if (this.#settings.flushIntervalMs > 0) {
      this.#timer.start(this.#settings.flushIntervalMs);
    }
  }

  async shutdown(deadlineMs: number): Promise<void> {
    if (this.#expiration !== null) {
      clearInterval(this.#expiration);
      this.#expiration = null;
    }
    this.expire(Number.POSITIVE_INFINITY);
    await this.#timer.stop(deadlineMs);
  }

  async consume(batch: SpanBatch): Promise<ConsumeResult> {
    this.expire();
    for (let row = 0; row < batch.rowCount; row++) {
      this.#span(batch, row);
    }
    if (this.#settings.flushIntervalMs === 0) {
      await this.#timer.now();
    }
    return ALL_ACCEPTED;
  }

  /** Hands on all series. */
  async flush(): Promise<void> {
    const now = this.#context.now();
    this.#series.forgetStale(now);
    const metrics = this.#series.build(this.#startedAt, now);
    if (metrics.rowCount > 0) {
      await this.#next.consume(metrics);
    }
  }

  /** Ends the wait of edges whose time is over. */
  expire(now = this.#context.now()): void {
    for (const edge of this.#pending.expire(now)) {
      this.#giveUp(edge);
    }
  }

  #span(batch: SpanBatch, row: number): void {
    const kind = batch.kind[row];
    const isMessage = kind === SpanKind.Producer || kind === SpanKind.Consumer;
    const service = textOf(batch.bytes, batch.resources.serviceName, batch.resource[row] as number);
    if (service === '') {
      return;
    }
    if (kind === SpanKind.Client || kind === SpanKind.Producer) {
      this.#edge(batch, row, batch.spanId, (edge) => this.#client(edge, batch, row, service, isMessage));
    } else if (kind === SpanKind.Server || kind === SpanKind.Consumer) {
      this.#edge(batch, row, batch.parentSpanId, (edge) => {
        edge.connectionType = isMessage ? 'messaging_system' : edge.connectionType;
        edge.server = this.#side('server', batch, row, service);
        edge.isRoot = isZeroSpanId(batch.parentSpanId, row);
      });
    }
  }

  #edge(batch: SpanBatch, row: number, spanIds: Uint8Array, add: (edge: Edge) => void): void {
    const key = hexOf(batch.traceId, 16, row) + hexOf(spanIds, 8, row);
    const { edge, expelled } = this.#pending.edge(key, this.#context.now());
    if (expelled !== undefined) {
      this.#giveUp(expelled);
    }
    const { start, end } = batch.traceState;
    edge.weight = Math.max(edge.weight, spanWeight(batch.bytes, start[row] as number, end[row] as number));
    edge.failed ||= batch.statusCode[row] === STATUS_ERROR;
    add(edge);
    if (edge.client !== null && edge.server !== null) {
      this.#pending.delete(key);
      this.#series.add(edge, null, false, this.#context.now());
    }
  }

  #client(edge: Edge, batch: SpanBatch, row: number, service: string, isMessage: boolean): void {
    edge.client = this.#side('client', batch, row, service);
    edge.connectionType = isMessage ? 'messaging_system' : edge.connectionType;
    edge.peer = this.#first(this.#names.peer, batch, row);
    const database = edge.server === null ? this.#first(this.#names.database, batch, row) : null;
    if (database !== null) {
      // Databases send no spans of their own: the caller's says it all.
      edge.connectionType = 'database';
      edge.server = { service: database, duration: edge.client.duration, dimensions: [] };
    }
  }

  #side(side: 'client' | 'server', batch: SpanBatch, row: number, service: string): EdgeSide {
    const dimensions = this.#names.prefixed[side].flatMap(([key, name]): AttributeEntry[] => {
      const text = this.#text(key, batch, row);
      return text === null ? [] : [[name, text]];
    });
    return { service, duration: spanDuration(batch, row) / 1e9, dimensions };
  }

  #first(keys: readonly AttributeKey[], batch: SpanBatch, row: number): string | null {
    for (const key of keys) {
      const text = this.#text(key, batch, row);
      if (text !== null && text !== '') {
        return text;
      }
    }
    return null;
  }

  #text(key: AttributeKey, batch: SpanBatch, row: number): string | null {
    const value =
      attributeOf(batch, batch.attributes, row, key) ??
      attributeOf(batch, batch.resources.attributes, batch.resource[row] as number, key);
    return value === undefined ? null : textOfValue(value);
  }

  /** The other side sent no span: it becomes a virtual node, named by the client, or the user before a root span. */
  #giveUp(edge: Edge): void {
    const add = (missing: 'client' | 'server') => {
      edge.connectionType = 'virtual_node';
      this.#series.add(edge, missing, this.#settings.labelVirtualNodes, this.#context.now());
    };
    if (edge.client !== null && edge.server === null) {
      edge.server = { service: edge.peer ?? 'unknown', duration: 0, dimensions: [] };
      add('server');
    } else if (edge.client === null && edge.server !== null && edge.isRoot) {
      edge.client = { service: 'user', duration: 0, dimensions: [] };
      add('client');
    }
  }
}
