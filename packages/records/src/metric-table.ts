import { ByteSlices } from './byte-slices.ts';
import { grownCapacity, grownUint8, grownUint32 } from './capacity.ts';
import { gatherMapped, gatherUint8 } from './gather.ts';
import type { SlicesVisitor } from './slices-visitor.ts';

/** Kind of a metric. The numbers are ours and are stored: never change one. */
export const MetricType = { None: 0, Gauge: 1, Sum: 2, Histogram: 3, ExponentialHistogram: 4, Summary: 5 } as const;

export type MetricType = (typeof MetricType)[keyof typeof MetricType];

/** The metrics of a batch, one per `Metric` message of the request. Not kept: `metadata`. */
export class MetricTable {
  rowCount = 0;
  /** Row of `resources`. */
  resource: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  /** Row of `scopes`. */
  scope: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  readonly name = new ByteSlices();
  readonly description = new ByteSlices();
  readonly unit = new ByteSlices();
  /** MetricType; None: the request had a kind that OTLP did not know when this was written. Such a metric has no points. */
  type: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  /** Numbers of OTLP: 0 unspecified, 1 delta, 2 cumulative; unknown ones are 0. */
  temporality: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  /** 1: a sum that never falls. */
  monotonic: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #capacity = 0;

  add(resource: number, scope: number): number {
    const row = this.rowCount++;
    if (row >= this.#capacity) {
      this.#grow(row + 1);
    }
    this.resource[row] = resource;
    this.scope[row] = scope;
    this.name.set(row, 0, 0);
    this.description.set(row, 0, 0);
    this.unit.set(row, 0, 0);
    this.type[row] = MetricType.None;
    this.temporality[row] = 0;
    this.monotonic[row] = 0;
    return row;
  }

  /** Forgets all rows, and keeps the room for them. */
  clear(): void {
    this.rowCount = 0;
  }

  /** Adds copies of rows of `source`, whose resources and scopes are now those of the maps. See AnyValueColumn for `shift`. */
  append(
    source: MetricTable,
    rows: Uint32Array,
    maps: { readonly resources: Int32Array; readonly scopes: Int32Array },
    shift: number,
  ): void {
    const first = this.rowCount;
    this.rowCount += rows.length;
    if (this.rowCount > this.#capacity) {
      this.#grow(this.rowCount);
    }
    gatherMapped(this.resource, first, source.resource, rows, maps.resources);
    gatherMapped(this.scope, first, source.scope, rows, maps.scopes);
    this.name.gather(first, source.name, rows, shift);
    this.description.gather(first, source.description, rows, shift);
    this.unit.gather(first, source.unit, rows, shift);
    gatherUint8(this.type, first, source.type, rows);
    gatherUint8(this.temporality, first, source.temporality, rows);
    gatherUint8(this.monotonic, first, source.monotonic, rows);
  }

  visitSlices(visit: SlicesVisitor): void {
    visit(this.name, this.rowCount);
    visit(this.description, this.rowCount);
    visit(this.unit, this.rowCount);
  }

  #grow(needed: number): void {
    const capacity = grownCapacity(this.#capacity, needed, 'metrics');
    this.resource = grownUint32(this.resource, capacity);
    this.scope = grownUint32(this.scope, capacity);
    this.name.grow(capacity);
    this.description.grow(capacity);
    this.unit.grow(capacity);
    this.type = grownUint8(this.type, capacity);
    this.temporality = grownUint8(this.temporality, capacity);
    this.monotonic = grownUint8(this.monotonic, capacity);
    this.#capacity = capacity;
  }
}
