import { AttributeTable } from './attribute-table.ts';
import { grownCapacity, grownUint32 } from './capacity.ts';
import { gatherMapped, gatherUint32 } from './gather.ts';
import type { SlicesVisitor } from './slices-visitor.ts';
import { Uint64Column } from './uint64-column.ts';

/** What the data points of all kinds of metrics share. */
export abstract class PointTable {
  rowCount = 0;
  /** Row of the MetricTable. */
  metric: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  /** Nanoseconds since 1970; 0: unknown. */
  readonly startTime = new Uint64Column();
  /** Nanoseconds since 1970. */
  readonly time = new Uint64Column();
  /** Bit 0: no recorded value (metrics.proto, DataPointFlags). */
  flags: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  readonly attributes = new AttributeTable();
  #capacity = 0;

  /** Makes room for as many rows, and attributes of them, as are expected. */
  reserve(rows: number, attributes: number): void {
    if (rows > this.#capacity) {
      this.#grow(rows);
    }
    this.attributes.reserve(attributes);
  }

  /** Starts row `rowCount` with nothing set. It counts once `end` was called; until then `rollback` forgets it. */
  begin(metric: number): number {
    const row = this.rowCount;
    if (row >= this.#capacity) {
      this.#grow(row + 1);
    }
    this.metric[row] = metric;
    this.startTime.setWords(row, 0, 0);
    this.time.setWords(row, 0, 0);
    this.flags[row] = 0;
    this.clearRow(row);
    return row;
  }

  end(): void {
    const row = this.rowCount++;
    this.attributes.endRow(row);
    this.endRow(row);
  }

  /** Forgets the row under construction. */
  rollback(): void {
    this.truncate(this.rowCount);
  }

  /** Forgets row `row` and those after it. */
  truncate(row: number): void {
    this.attributes.truncate(row);
    this.truncateColumns(row);
    this.rowCount = row;
  }

  /** Adds copies of the rows `rows` of `source`, whose metrics are now those of `metrics`. See AnyValueColumn for `shift`. */
  append(source: this, rows: Uint32Array, metrics: Int32Array, shift: number): void {
    const first = this.rowCount;
    const count = first + rows.length;
    if (count > this.#capacity) {
      this.#grow(count);
    }
    gatherMapped(this.metric, first, source.metric, rows, metrics);
    this.startTime.gather(first, source.startTime, rows);
    this.time.gather(first, source.time, rows);
    gatherUint32(this.flags, first, source.flags, rows);
    this.attributes.gather(first, source.attributes, rows, shift);
    this.gatherColumns(first, source, rows, shift);
    this.rowCount = count;
  }

  visitSlices(visit: SlicesVisitor): void {
    this.attributes.visitSlices(visit);
  }

  #grow(needed: number): void {
    const capacity = grownCapacity(this.#capacity, needed, 'data points');
    this.metric = grownUint32(this.metric, capacity);
    this.startTime.grow(capacity);
    this.time.grow(capacity);
    this.flags = grownUint32(this.flags, capacity);
    this.attributes.growRows(capacity);
    this.growColumns(capacity);
    this.#capacity = capacity;
  }

  protected abstract gatherColumns(first: number, source: this, rows: Uint32Array, shift: number): void;
  protected abstract growColumns(capacity: number): void;
  protected abstract clearRow(row: number): void;
  protected abstract endRow(row: number): void;
  protected abstract truncateColumns(row: number): void;
}
