import { AnyValueColumn } from './any-value-column.ts';
import { AttributeTable } from './attribute-table.ts';
import { ByteSlices } from './byte-slices.ts';
import { grownCapacity, grownUint8, grownUint32 } from './capacity.ts';
import { gatherIds, gatherMapped, gatherUint8, gatherUint32 } from './gather.ts';
import { RecordBatch } from './record-batch.ts';
import type { SlicesVisitor } from './slices-visitor.ts';
import { Uint64Column } from './uint64-column.ts';

/** Log records in columns (`LogRecord` in logs.proto). See RecordBatch for ownership. */
export class LogBatch extends RecordBatch {
  rowCount = 0;
  /** Row of `resources`. */
  resource: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  /** Row of `scopes`. */
  scope: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  /** Nanoseconds since 1970; 0: unknown. */
  readonly time = new Uint64Column();
  /** Nanoseconds since 1970; 0: unknown. */
  readonly observedTime = new Uint64Column();
  /** Numbers of OTLP: 1-24, 0 unspecified; unknown ones are 0. */
  severityNumber: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  readonly severityText = new ByteSlices();
  readonly body = new AnyValueColumn();
  readonly eventName = new ByteSlices();
  /** 16 bytes a row; zeros: none, or the sender's was invalid. */
  traceId: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  /** 8 bytes a row; zeros: none, or the sender's was invalid. */
  spanId: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  /** Bits 0-7: W3C trace flags. */
  flags: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  readonly attributes = new AttributeTable();
  droppedAttributesCount: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  #capacity = 0;

  override reuse(bytes: Uint8Array): void {
    super.reuse(bytes);
    this.rowCount = 0;
    this.attributes.clear();
  }

  /** Starts row `rowCount` with nothing set. It counts once `end` was called. */
  begin(resource: number, scope: number): number {
    const row = this.rowCount;
    if (row >= this.#capacity) {
      this.#grow(row + 1);
    }
    this.resource[row] = resource;
    this.scope[row] = scope;
    this.time.setWords(row, 0, 0);
    this.observedTime.setWords(row, 0, 0);
    this.severityNumber[row] = 0;
    this.severityText.set(row, 0, 0);
    this.body.setEmpty(row);
    this.eventName.set(row, 0, 0);
    this.traceId.fill(0, row * 16, row * 16 + 16);
    this.spanId.fill(0, row * 8, row * 8 + 8);
    this.flags[row] = 0;
    this.droppedAttributesCount[row] = 0;
    return row;
  }

  end(): void {
    this.attributes.endRow(this.rowCount++);
  }

  /** As SpanBatch.append: adds copies of the rows `rows` of `source`, whose texts stand in `bytes` already. */
  append(source: LogBatch, rows: Uint32Array, shift: number): void {
    const first = this.rowCount;
    const count = first + rows.length;
    if (count > this.#capacity) {
      this.#grow(count);
    }
    const { resources, scopes } = this.appendOrigins(source, source, rows, shift);
    gatherMapped(this.resource, first, source.resource, rows, resources);
    gatherMapped(this.scope, first, source.scope, rows, scopes);
    this.time.gather(first, source.time, rows);
    this.observedTime.gather(first, source.observedTime, rows);
    gatherUint8(this.severityNumber, first, source.severityNumber, rows);
    this.severityText.gather(first, source.severityText, rows, shift);
    this.body.gather(first, source.body, rows, shift);
    this.eventName.gather(first, source.eventName, rows, shift);
    gatherIds(this.traceId, first, source.traceId, rows, 16);
    gatherIds(this.spanId, first, source.spanId, rows, 8);
    gatherUint32(this.flags, first, source.flags, rows);
    this.attributes.gather(first, source.attributes, rows, shift);
    gatherUint32(this.droppedAttributesCount, first, source.droppedAttributesCount, rows);
    this.rowCount = count;
  }

  override visitSlices(visit: SlicesVisitor): void {
    super.visitSlices(visit);
    visit(this.severityText, this.rowCount);
    visit(this.body, this.rowCount);
    visit(this.eventName, this.rowCount);
    this.attributes.visitSlices(visit);
  }

  #grow(needed: number): void {
    const capacity = grownCapacity(this.#capacity, needed, 'log records');
    this.resource = grownUint32(this.resource, capacity);
    this.scope = grownUint32(this.scope, capacity);
    this.time.grow(capacity);
    this.observedTime.grow(capacity);
    this.severityNumber = grownUint8(this.severityNumber, capacity);
    this.severityText.grow(capacity);
    this.body.grow(capacity);
    this.eventName.grow(capacity);
    this.traceId = grownUint8(this.traceId, capacity * 16);
    this.spanId = grownUint8(this.spanId, capacity * 8);
    this.flags = grownUint32(this.flags, capacity);
    this.attributes.growRows(capacity);
    this.droppedAttributesCount = grownUint32(this.droppedAttributesCount, capacity);
    this.#capacity = capacity;
  }
}
