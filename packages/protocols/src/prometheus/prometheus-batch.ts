import { AttributeType, type ExemplarTable, MetricBatch, MetricType, type PointTable } from '@signalbox/records';
import type { LabelPair } from '../loki/parse-labels.ts';

export type { LabelPair } from '../loki/parse-labels.ts';

/** Where the values of a metric come from: what names the resource, and the metric itself. */
export interface SeriesOrigin {
  /** `job`, split at its first slash into `service.namespace` and `service.name`; '' for none. */
  readonly job: string;
  readonly instance: string;
  /** More attributes of the resource. */
  readonly resource: readonly LabelPair[];
}

export interface SeriesMetric {
  readonly name: string;
  /** A MetricType. Sums and histograms are cumulative, sums monotonic. */
  readonly type: MetricType;
  readonly help: string;
  readonly unit: string;
}

export interface SeriesExemplar {
  readonly labels: readonly LabelPair[];
  readonly value: number;
  readonly timeMs: number;
}

/** The value by which Prometheus says that a series ended. */
const STALE_LOW = 0x0000_0002;
const STALE_HIGH = 0x7ff0_0000;
const NO_RECORDED_VALUE = 1;

const CUMULATIVE = 2;

const words = new Uint32Array(2);
const double = new Float64Array(words.buffer);

/** Whether the words of a double are Prometheus's staleness marker: JavaScript may not keep the bits of a NaN, so ask before it is one. */
export function isStaleMarker(low: number, high: number): boolean {
  return low === STALE_LOW && high === STALE_HIGH;
}

export function doubleOf(low: number, high: number): number {
  words[0] = low;
  words[1] = high;
  return double[0];
}

/** Makes a batch of series that are named and labelled as in Prometheus. */
export class PrometheusBatch {
  readonly batch = new MetricBatch(new Uint8Array(4096));
  readonly #texts = new Map<string, number>();
  readonly #scopes = new Map<string, number>();
  readonly #metrics = new Map<string, number>();

  constructor() {
    this.batch.byteCount = 0;
  }

  /** The row of a metric; the same for the same arguments. */
  metric(origin: SeriesOrigin, { name, type, help, unit }: SeriesMetric): number {
    const scope = this.#scope(origin);
    const key = `${scope} ${type} ${unit} ${name}`;
    const known = this.#metrics.get(key);
    if (known !== undefined) return known;
    const { batch } = this;
    const { metrics } = batch;
    const row = metrics.add(batch.scopes.resource[scope], scope);
    metrics.name.set(row, ...this.#text(name));
    metrics.description.set(row, ...this.#text(help));
    metrics.unit.set(row, ...this.#text(unit));
    metrics.type[row] = type;
    if (type !== MetricType.Gauge && type !== MetricType.Summary) metrics.temporality[row] = CUMULATIVE;
    if (type === MetricType.Sum) metrics.monotonic[row] = 1;
    this.#metrics.set(key, row);
    return row;
  }

  /** Starts a point; the caller sets its value and calls `end` of the table. */
  point(table: PointTable, metric: number, labels: readonly LabelPair[], startMs: number, timeMs: number): number {
    const row = table.begin(metric);
    table.startTime.values[row] = nanoseconds(startMs);
    table.time.values[row] = nanoseconds(timeMs);
    this.#labels(table.attributes, labels);
    return row;
  }

  /** Says of a point that its series ended. */
  setStale(table: PointTable, row: number): void {
    table.flags[row] = NO_RECORDED_VALUE;
  }

  /** Adds an exemplar to the point under construction; `trace_id` and `span_id` become its own. */
  exemplar(table: ExemplarTable, { labels, value, timeMs }: SeriesExemplar): void {
    const entry = table.begin();
    table.time.values[entry] = nanoseconds(timeMs);
    table.value.setDouble(entry, value);
    const rest = labels.filter(([name, text]) => {
      if (name === 'trace_id' && /^[0-9a-f]{32}$/i.test(text)) table.traceId.set(Buffer.from(text, 'hex'), entry * 16);
      else if (name === 'span_id' && /^[0-9a-f]{16}$/i.test(text))
        table.spanId.set(Buffer.from(text, 'hex'), entry * 8);
      else return true;
      return false;
    });
    this.#labels(table.attributes, rest);
    table.end();
  }

  #scope(origin: SeriesOrigin): number {
    const key = JSON.stringify(origin);
    const known = this.#scopes.get(key);
    if (known !== undefined) return known;
    const { resources, scopes } = this.batch;
    const resource = resources.add();
    const slash = origin.job.indexOf('/');
    const identity: LabelPair[] = [
      ['service.name', origin.job.slice(slash + 1)],
      ['service.namespace', slash < 0 ? '' : origin.job.slice(0, slash)],
      ['service.instance.id', origin.instance],
    ];
    this.#labels(resources.attributes, [...identity.filter(([, value]) => value !== ''), ...origin.resource]);
    resources.end(this.batch.bytes);
    const scope = scopes.add(resource);
    scopes.end();
    this.#scopes.set(key, scope);
    return scope;
  }

  #labels(table: PointTable['attributes'], labels: readonly LabelPair[]): void {
    for (const [name, value] of labels) {
      const entry = table.add(...this.#text(name));
      table.values.setSlice(entry, AttributeType.String, ...this.#text(value));
    }
  }

  /** Names and values repeat from series to series: they stand in the bytes once. */
  #text(text: string): [start: number, end: number] {
    let start = this.#texts.get(text);
    if (start === undefined) {
      start = this.batch.appendText(text);
      this.#texts.set(text, start);
    }
    return [start, start + Buffer.byteLength(text)];
  }
}

function nanoseconds(milliseconds: number): bigint {
  if (!(milliseconds > 0)) return 0n;
  const whole = Math.floor(milliseconds);
  return BigInt(whole) * 1_000_000n + BigInt(Math.round((milliseconds - whole) * 1e6));
}
