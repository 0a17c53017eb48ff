import {
  type AttributeEntry,
  type AttributeValue,
  attributesOf,
  ExplicitHistogram,
  type MetricBatch,
  MetricBuilder,
  MetricType,
  type SpanBatch,
  Temporality,
} from '@signalbox/records';
import type { ComponentContext } from '../../pipeline/component-context.ts';
import type { PipelineComponent } from '../../pipeline/component-factory.ts';
import { ALL_ACCEPTED, type ConsumeResult, type Consumer } from '../../pipeline/consumer.ts';
import type { Consumers } from '../../pipeline/signal.ts';
import { OTHER } from '../bounded-text.ts';
import { attributeOf, type Dimension } from '../dimensions.ts';
import { FlushTimer } from '../flush-timer.ts';
import { textOfValue } from '../ottl/text-of-value.ts';
import { type Operation, ServiceOperations } from '../red/operation-names.ts';
import { spanDuration } from '../span-totals.ts';
import { spanWeight } from '../span-weight.ts';
import type { SpanMetricsSettings } from './span-metrics-settings.ts';
import { SpanSeries, writeExemplars } from './span-series.ts';

const KINDS = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'].map(
  (kind) => `SPAN_KIND_${kind}`,
);
const STATUSES = ['UNSET', 'OK', 'ERROR'].map((status) => `STATUS_CODE_${status}`);
const OVERFLOW: readonly AttributeEntry[] = [['otel.metric.overflow', true]];
const NANOSECONDS = { ms: 1e6, s: 1e9 };
/** Names of spans per resource; further ones are `(other)`. */
const MAX_NAMES = 2_000;
/** Further ones are counted together. */
const MAX_RESOURCES = 10_000;
/** Deltas that the next stage did not take are kept for the next flush, so many of them. */
const MAX_UNSENT = 100;

/** What is counted of the spans of one resource. */
interface ResourceSeries {
  readonly attributes: readonly AttributeEntry[];
  readonly service: string;
  readonly names: ServiceOperations;
  readonly spans: Map<Operation, Map<string, SpanSeries>>;
  readonly events: Map<string, SpanSeries>;
}

/**
 * Counts calls and durations of spans by service, name, kind, status and further dimensions (upstream's `spanmetrics`), each
 * span weighing what a head sampler says it stands for. A batch is counted when `consume` resolves; what was not flushed is
 * lost in a crash, and a new start begins new series, as every counter does.
 */
export class SpanMetricsConnector implements PipelineComponent, Consumer<SpanBatch> {
  readonly consumers: Consumers = { traces: this };
  readonly #settings: SpanMetricsSettings;
  readonly #context: ComponentContext;
  readonly #next: Consumer<MetricBatch>;
  readonly #timer: FlushTimer;
  readonly #resources = new Map<string, ResourceSeries>();
  #seriesCount = 0;
  readonly #unsent: MetricBatch[] = [];
  /** Milliseconds since 1970. */
  #startedAt: number;

  constructor(settings: SpanMetricsSettings, context: ComponentContext, next: Consumer<MetricBatch>) {
    this.#settings = settings;
    this.#context = context;
    this.#next = next;
    this.#startedAt = context.now();
    this.#timer = new FlushTimer(
      () => this.flush(),
      (error) => context.log.error('metrics of spans could not be handed on', error),
    );
  }

  async start(): Promise<void> {
    this.#startedAt = this.#context.now();
    this.#timer.start(this.#settings.flushIntervalMs);
  }

  shutdown(deadlineMs: number): Promise<void> {
    return this.#timer.stop(deadlineMs);
  }

  async consume(batch: SpanBatch): Promise<ConsumeResult> {
    const now = this.#context.now();
    const perUnit = NANOSECONDS[this.#settings.unit];
    const resources: (ResourceSeries | null)[] = [];
    for (let row = 0; row < batch.resources.rowCount; row++) {
      resources.push(this.#resource(batch, row));
    }
    for (let row = 0; row < batch.rowCount; row++) {
      const resource = resources[batch.resource[row] as number] ?? null;
      if (resource === null) {
        continue;
      }
      const { start, end } = batch.traceState;
      const weight = spanWeight(batch.bytes, start[row] as number, end[row] as number);
      const duration = spanDuration(batch, row) / perUnit;
      const series = this.#series(batch, row, resource);
      series.add(duration, weight);
      series.updatedAt = now;
      if (series.exemplars.length < this.#settings.maxExemplars) {
        series.exemplars.push({
          traceId: batch.traceId.slice(row * 16, row * 16 + 16),
          spanId: batch.spanId.slice(row * 8, row * 8 + 8),
          time: batch.endTime.values[row] as bigint,
          value: duration,
        });
      }
      this.#countEvents(batch, row, resource, weight, now);
    }
    return ALL_ACCEPTED;
  }

  /** Hands on what was counted. */
  async flush(): Promise<void> {
    const now = this.#context.now();
    const metrics = this.#build(now);
    if (this.#settings.temporality === Temporality.Delta) {
      this.#resources.clear();
      this.#seriesCount = 0;
      this.#startedAt = now;
    } else {
      this.#expire(now);
    }
    if (metrics.rowCount > 0) {
      await this.#send(metrics);
    }
  }

  /** What is cumulative comes again with the next flush; a delta would be lost. */
  async #send(metrics: MetricBatch): Promise<void> {
    if (this.#settings.temporality === Temporality.Cumulative) {
      await this.#next.consume(metrics);
      return;
    }
    this.#unsent.push(metrics);
    if (this.#unsent.length > MAX_UNSENT) {
      this.#unsent.shift();
      this.#context.log.warn('counts of spans are lost, since the next stage has not taken any for long');
    }
    for (let [oldest] = this.#unsent; oldest !== undefined; [oldest] = this.#unsent) {
      await this.#next.consume(oldest);
      this.#unsent.shift();
    }
  }

  /** Null: spans without a service are not counted, as upstream has it. */
  #resource(batch: SpanBatch, row: number): ResourceSeries | null {
    const { serviceName, attributes: table } = batch.resources;
    if (serviceName.start[row] === serviceName.end[row]) {
      return null;
    }
    const { resourceKeys } = this.#settings;
    const all = attributesOf(batch.bytes, table, row);
    const wanted = resourceKeys === null ? all : all.filter(([key]) => resourceKeys.includes(key));
    const wantedKey = JSON.stringify(wanted.map(([name, value]) => [name, textOfValue(value)]));
    const isOverflow = !this.#resources.has(wantedKey) && this.#resources.size >= MAX_RESOURCES;
    const key = isOverflow ? OTHER : wantedKey;
    const attributes = isOverflow ? OVERFLOW : wanted;
    let resource = this.#resources.get(key);
    if (resource === undefined) {
      const service = isOverflow ? OTHER : String(new Map(all).get('service.name'));
      resource = { attributes, service, names: new ServiceOperations(service), spans: new Map(), events: new Map() };
      this.#resources.set(key, resource);
    }
    return resource;
  }

  #series(batch: SpanBatch, row: number, resource: ResourceSeries): SpanSeries {
    const { start, end } = batch.name;
    const { names } = resource;
    const mayAdd = () => names.size < MAX_NAMES && this.#seriesCount < this.#settings.maxSeries;
    const operation = names.find(batch.bytes, start[row] as number, end[row] as number, mayAdd);
    const kind = batch.kind[row] as number;
    const status = batch.statusCode[row] as number;
    const values = dimensionValues(this.#settings.dimensions, batch, row, null);
    const key = keyOf(kind * 4 + status, values);
    let ofOperation = resource.spans.get(operation);
    if (ofOperation === undefined) {
      ofOperation = new Map();
      resource.spans.set(operation, ofOperation);
    }
    const known = ofOperation.get(key);
    if (known !== undefined) {
      return known;
    }
    return this.#newSeries(ofOperation, key, () => [
      ...this.#ownDimensions(resource.service, operation.name, kind, status),
      ...this.#settings.dimensions.flatMap(({ key: { text } }, i) => entryOf(text, values[i])),
    ]);
  }

  /** A new series in `among`, or the one for all beyond the limit. */
  #newSeries(among: Map<string, SpanSeries>, key: string, attributes: () => AttributeEntry[]): SpanSeries {
    const isOverflow = this.#seriesCount >= this.#settings.maxSeries;
    const wanted = isOverflow ? 'overflow' : key;
    let series = among.get(wanted);
    if (series === undefined) {
      series = new SpanSeries(isOverflow ? OVERFLOW : attributes(), this.#settings.histogram);
      among.set(wanted, series);
      this.#seriesCount++;
    }
    return series;
  }

  #ownDimensions(service: string, name: string, kind: number, status: number): AttributeEntry[] {
    const own: AttributeEntry[] = [
      ['service.name', service],
      ['span.name', name],
      ['span.kind', KINDS[kind] ?? (KINDS[0] as string)],
      ['status.code', STATUSES[status] ?? (STATUSES[0] as string)],
    ];
    return own.filter(([key]) => !this.#settings.excluded.has(key));
  }

  #countEvents(batch: SpanBatch, row: number, resource: ResourceSeries, weight: number, now: number): void {
    const { eventDimensions, dimensions } = this.#settings;
    if (eventDimensions === null) {
      return;
    }
    const { events } = batch;
    for (let event = events.offsets[row] as number; event < (events.offsets[row + 1] as number); event++) {
      const all = [...dimensions, ...eventDimensions];
      const values = [
        ...dimensionValues(dimensions, batch, row, null),
        ...dimensionValues(eventDimensions, batch, row, event),
      ];
      const kind = batch.kind[row] as number;
      const status = batch.statusCode[row] as number;
      const name = Buffer.from(batch.bytes.subarray(batch.name.start[row], batch.name.end[row])).toString();
      const key = keyOf(kind * 4 + status, [name, ...values]);
      const series =
        resource.events.get(key) ??
        this.#newSeries(resource.events, key, () => [
          ...this.#ownDimensions(resource.service, name, kind, status),
          ...all.flatMap(({ key: { text } }, i) => entryOf(text, values[i])),
        ]);
      series.calls += weight;
      series.updatedAt = now;
    }
  }

  #build(now: number): MetricBatch {
    const builder = new MetricBuilder();
    for (const { attributes, spans, events } of this.#resources.values()) {
      const series = [...spans.values()].flatMap((ofOperation) => [...ofOperation.values()]);
      if (series.length === 0) {
        continue;
      }
      const scope = builder.scope(attributes, 'spanmetricsconnector');
      this.#buildSums(builder, scope, 'calls', 'Number of spans', series, now);
      this.#buildHistograms(builder, scope, series, now);
      if (events.size > 0) {
        this.#buildSums(builder, scope, 'events', 'Number of span events', [...events.values()], now);
      }
    }
    return builder.batch;
  }

  #buildSums(
    builder: MetricBuilder,
    scope: number,
    name: string,
    description: string,
    all: readonly SpanSeries[],
    now: number,
  ): void {
    const { temporality } = this.#settings;
    const type = MetricType.Sum;
    const metric = builder.metric(scope, { name: this.#name(name), description, type, temporality, monotonic: true });
    const { numberPoints } = builder.batch;
    for (const { attributes, calls } of all) {
      const row = builder.point(numberPoints, metric, attributes, this.#startedAt, now);
      const whole = Math.round(calls);
      numberPoints.value.setIntWords(row, whole >>> 0, Math.floor(whole / 2 ** 32));
      numberPoints.end();
    }
  }

  #buildHistograms(builder: MetricBuilder, scope: number, all: readonly SpanSeries[], now: number): void {
    const { histogram: kind, unit, temporality } = this.#settings;
    if (kind === null) {
      return;
    }
    const type = kind.kind === 'explicit' ? MetricType.Histogram : MetricType.ExponentialHistogram;
    const description = 'Durations of spans';
    const metric = builder.metric(scope, { name: this.#name('duration'), description, unit, type, temporality });
    const { histogramPoints, exponentialHistogramPoints } = builder.batch;
    for (const series of all) {
      const { histogram } = series;
      if (histogram instanceof ExplicitHistogram) {
        const row = builder.point(histogramPoints, metric, series.attributes, this.#startedAt, now);
        histogram.write(histogramPoints, row);
        writeExemplars(histogramPoints.exemplars, series.exemplars);
        histogramPoints.end();
      } else if (histogram !== null) {
        const row = builder.point(exponentialHistogramPoints, metric, series.attributes, this.#startedAt, now);
        histogram.write(exponentialHistogramPoints, row);
        writeExemplars(exponentialHistogramPoints.exemplars, series.exemplars);
        exponentialHistogramPoints.end();
      }
      // Exemplars are of the time since the last flush.
      series.exemplars = [];
    }
  }

  #name(name: string): string {
    const { namespace } = this.#settings;
    return namespace === '' ? name : `${namespace}.${name}`;
  }

  #expire(now: number): void {
    const { expirationMs } = this.#settings;
    if (expirationMs === 0) {
      return;
    }
    const expire = (among: Map<string, SpanSeries>) => {
      for (const [key, { updatedAt }] of among) {
        if (updatedAt + expirationMs <= now) {
          among.delete(key);
          this.#seriesCount--;
        }
      }
    };
    for (const [key, { spans, events }] of this.#resources) {
      for (const ofOperation of spans.values()) {
        expire(ofOperation);
      }
      expire(events);
      if (events.size === 0 && [...spans.values()].every(({ size }) => size === 0)) {
        this.#resources.delete(key);
      }
    }
  }
}

/** Of the event if one is given, otherwise of the span, or else of its resource. */
function dimensionValues(
  dimensions: readonly Dimension[],
  batch: SpanBatch,
  row: number,
  event: number | null,
): (AttributeValue | undefined)[] {
  return dimensions.map(({ key, fallback }) =>
    event === null
      ? (attributeOf(batch, batch.attributes, row, key) ??
        attributeOf(batch, batch.resources.attributes, batch.resource[row] as number, key) ??
        fallback)
      : (attributeOf(batch, batch.events.attributes, event, key) ?? fallback),
  );
}

function keyOf(number: number, values: readonly (AttributeValue | undefined)[]): string {
  return values.length === 0
    ? String(number)
    : JSON.stringify([number, ...values.map((value) => (value === undefined ? null : textOfValue(value)))]);
}

function entryOf(key: string, value: AttributeValue | undefined): AttributeEntry[] {
  return value === undefined ? [] : [[key, value]];
}
