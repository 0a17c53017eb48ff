import type { AttributeTable } from './attribute-table.ts';
import { MetricBatch } from './metric-batch.ts';
import type { AttributeEntry } from './objects.ts';
import type { PointTable } from './point-table.ts';
import { setAnyValue } from './set-any-value.ts';

/** Numbers of OTLP. */
export const Temporality = { Delta: 1, Cumulative: 2 } as const;
export type Temporality = (typeof Temporality)[keyof typeof Temporality];

export interface NewMetric {
  readonly name: string;
  readonly description?: string;
  readonly unit?: string;
  /** A MetricType. */
  readonly type: number;
  readonly temporality?: Temporality;
  readonly monotonic?: boolean;
}

/** Makes a batch of points that were counted here: by a connector, or by a receiver that adds up. */
export class MetricBuilder {
  readonly batch = new MetricBatch(new Uint8Array(4096));
  readonly #texts = new Map<string, readonly [start: number, end: number]>();

  constructor() {
    this.batch.byteCount = 0;
  }

  /** Starts a resource with one scope; returns the scope's row. */
  scope(resource: readonly AttributeEntry[], name: string): number {
    const { batch } = this;
    const row = batch.resources.add();
    this.#attributes(batch.resources.attributes, resource);
    batch.resources.end(batch.bytes);
    const scope = batch.scopes.add(row);
    batch.scopes.name.set(scope, ...this.#text(name));
    batch.scopes.end();
    return scope;
  }

  /** Starts a metric in a scope; returns its row. */
  metric(scope: number, { name, description = '', unit = '', type, temporality, monotonic }: NewMetric): number {
    const { batch } = this;
    const { metrics } = batch;
    const row = metrics.add(batch.scopes.resource[scope] as number, scope);
    metrics.name.set(row, ...this.#text(name));
    metrics.description.set(row, ...this.#text(description));
    metrics.unit.set(row, ...this.#text(unit));
    metrics.type[row] = type;
    metrics.temporality[row] = temporality ?? 0;
    metrics.monotonic[row] = monotonic ? 1 : 0;
    return row;
  }

  /** Starts a point; the caller sets its value and calls `end` of the table. Times are in milliseconds since 1970. */
  point<Table extends PointTable>(
    table: Table,
    metric: number,
    attributes: readonly AttributeEntry[],
    startMs: number,
    timeMs: number,
  ): number {
    const row = table.begin(metric);
    table.startTime.values[row] = BigInt(startMs) * 1_000_000n;
    table.time.values[row] = BigInt(timeMs) * 1_000_000n;
    this.#attributes(table.attributes, attributes);
    return row;
  }

  #attributes(table: AttributeTable, attributes: readonly AttributeEntry[]): void {
    for (const [key, value] of attributes) {
      const entry = table.add(...this.#text(key));
      setAnyValue(this.batch, table.values, entry, value);
    }
  }

  /** Names and keys stand in the bytes once. */
  #text(text: string): readonly [start: number, end: number] {
    let slice = this.#texts.get(text);
    if (slice === undefined) {
      slice = [this.batch.appendText(text), this.batch.byteCount];
      this.#texts.set(text, slice);
    }
    return slice;
  }
}
