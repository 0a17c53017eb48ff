import { AttributeTable } from './attribute-table.ts';
import { ByteSlices } from './byte-slices.ts';
import { grownCapacity, grownUint8, grownUint32 } from './capacity.ts';
import { EventTable } from './event-table.ts';
import { gatherIds, gatherMapped, gatherUint8, gatherUint32 } from './gather.ts';
import { LinkTable } from './link-table.ts';
import { RecordBatch } from './record-batch.ts';
import type { SlicesVisitor } from './slices-visitor.ts';
import { Uint64Column } from './uint64-column.ts';

/** Spans in columns (`Span` in trace.proto). See RecordBatch for ownership. */
export class SpanBatch extends RecordBatch {
  rowCount = 0;
  /** Row of `resources`. */
  resource: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  /** Row of `scopes`. */
  scope: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  /** 16 bytes a row. */
  traceId: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  /** 8 bytes a row. */
  spanId: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  /** 8 bytes a row; zeros: a root span. */
  parentSpanId: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  readonly traceState = new ByteSlices();
  /** Bits 0-7: W3C trace flags; 8-9: whether the parent is remote. */
  flags: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  readonly name = new ByteSlices();
  /** Numbers of OTLP: 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer; unknown ones are 0. */
  kind: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  /** Nanoseconds since 1970. */
  readonly startTime = new Uint64Column();
  /** Nanoseconds since 1970. */
  readonly endTime = new Uint64Column();
  readonly attributes = new AttributeTable();
  droppedAttributesCount: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  readonly events = new EventTable();
  droppedEventsCount: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  readonly links = new LinkTable();
  droppedLinksCount: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  /** Numbers of OTLP: 0 unset, 1 ok, 2 error; unknown ones are 0. */
  statusCode: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  readonly statusMessage = new ByteSlices();
  #capacity = 0;
  /** Rows from here on were never begun, so that all of their columns are zero. */
  #firstUntouched = 0;

  /** Makes room for as many rows and attributes as are expected. */
  reserve(rows: number, attributes: number): void {
    if (rows > this.#capacity) {
      this.#grow(rows);
    }
    this.attributes.reserve(attributes);
  }

  override reuse(bytes: Uint8Array): void {
    super.reuse(bytes);
    const rows = this.#firstUntouched;
    // At once, which takes less than row by row when they are begun.
    this.traceId.fill(0, 0, rows * 16);
    this.spanId.fill(0, 0, rows * 8);
    this.parentSpanId.fill(0, 0, rows * 8);
    this.traceState.start.fill(0, 0, rows);
    this.traceState.end.fill(0, 0, rows);
    this.flags.fill(0, 0, rows);
    this.name.start.fill(0, 0, rows);
    this.name.end.fill(0, 0, rows);
    this.kind.fill(0, 0, rows);
    this.startTime.words.fill(0, 0, rows * 2);
    this.endTime.words.fill(0, 0, rows * 2);
    this.droppedAttributesCount.fill(0, 0, rows);
    this.droppedEventsCount.fill(0, 0, rows);
    this.droppedLinksCount.fill(0, 0, rows);
    this.statusCode.fill(0, 0, rows);
    this.statusMessage.start.fill(0, 0, rows);
    this.statusMessage.end.fill(0, 0, rows);
    this.rowCount = 0;
    this.#firstUntouched = 0;
    this.attributes.clear();
    this.events.clear();
    this.links.clear();
  }

  /** Starts row `rowCount` with nothing set. It counts once `end` was called; until then `rollback` forgets it. */
  begin(resource: number, scope: number): number {
    const row = this.rowCount;
    if (row >= this.#capacity) {
      this.#grow(row + 1);
    }
    if (row < this.#firstUntouched) {
      this.#clear(row);
    } else {
      this.#firstUntouched = row + 1;
    }
    this.resource[row] = resource;
    this.scope[row] = scope;
    return row;
  }

  end(): void {
    const row = this.rowCount++;
    this.attributes.endRow(row);
    this.events.endRow(row);
    this.links.endRow(row);
  }

  /** Forgets the row that was begun, with its attributes, events and links. */
  rollback(): void {
    this.attributes.truncate(this.rowCount);
    this.events.truncate(this.rowCount);
    this.links.truncate(this.rowCount);
  }

  /**
   * Adds copies of the rows `rows` of `source` in this order, with the resources and scopes that they refer to. Their texts
   * are not copied: they must already stand in `bytes`, `shift` bytes after where they stand in the source's.
   */
  append(source: SpanBatch, rows: Uint32Array, shift: number): void {
    const first = this.rowCount;
    const count = first + rows.length;
    if (count > this.#capacity) {
      this.#grow(count);
    }
    const { resources, scopes } = this.appendOrigins(source, source, rows, shift);
    gatherMapped(this.resource, first, source.resource, rows, resources);
    gatherMapped(this.scope, first, source.scope, rows, scopes);
    gatherIds(this.traceId, first, source.traceId, rows, 16);
    gatherIds(this.spanId, first, source.spanId, rows, 8);
    gatherIds(this.parentSpanId, first, source.parentSpanId, rows, 8);
    this.traceState.gather(first, source.traceState, rows, shift);
    gatherUint32(this.flags, first, source.flags, rows);
    this.name.gather(first, source.name, rows, shift);
    gatherUint8(this.kind, first, source.kind, rows);
    this.startTime.gather(first, source.startTime, rows);
    this.endTime.gather(first, source.endTime, rows);
    this.attributes.gather(first, source.attributes, rows, shift);
    gatherUint32(this.droppedAttributesCount, first, source.droppedAttributesCount, rows);
    this.events.gather(first, source.events, rows, shift);
    gatherUint32(this.droppedEventsCount, first, source.droppedEventsCount, rows);
    this.links.gather(first, source.links, rows, shift);
    gatherUint32(this.droppedLinksCount, first, source.droppedLinksCount, rows);
    gatherUint8(this.statusCode, first, source.statusCode, rows);
    this.statusMessage.gather(first, source.statusMessage, rows, shift);
    this.rowCount = count;
    this.#firstUntouched = Math.max(this.#firstUntouched, count);
  }

  override visitSlices(visit: SlicesVisitor): void {
    super.visitSlices(visit);
    visit(this.traceState, this.rowCount);
    visit(this.name, this.rowCount);
    this.attributes.visitSlices(visit);
    this.events.visitSlices(visit);
    this.links.visitSlices(visit);
    visit(this.statusMessage, this.rowCount);
  }

  #clear(row: number): void {
    this.traceId.fill(0, row * 16, row * 16 + 16);
    this.spanId.fill(0, row * 8, row * 8 + 8);
    this.parentSpanId.fill(0, row * 8, row * 8 + 8);
    this.traceState.set(row, 0, 0);
    this.flags[row] = 0;
    this.name.set(row, 0, 0);
    this.kind[row] = 0;
    this.startTime.setWords(row, 0, 0);
    this.endTime.setWords(row, 0, 0);
    this.droppedAttributesCount[row] = 0;
    this.droppedEventsCount[row] = 0;
    this.droppedLinksCount[row] = 0;
    this.statusCode[row] = 0;
    this.statusMessage.set(row, 0, 0);
  }

  #grow(needed: number): void {
    const capacity = grownCapacity(this.#capacity, needed, 'spans');
    this.resource = grownUint32(this.resource, capacity);
    this.scope = grownUint32(this.scope, capacity);
    this.traceId = grownUint8(this.traceId, capacity * 16);
    this.spanId = grownUint8(this.spanId, capacity * 8);
    this.parentSpanId = grownUint8(this.parentSpanId, capacity * 8);
    this.traceState.grow(capacity);
    this.flags = grownUint32(this.flags, capacity);
    this.name.grow(capacity);
    this.kind = grownUint8(this.kind, capacity);
    this.startTime.grow(capacity);
    this.endTime.grow(capacity);
    this.attributes.growRows(capacity);
    this.droppedAttributesCount = grownUint32(this.droppedAttributesCount, capacity);
    this.events.growRows(capacity);
    this.droppedEventsCount = grownUint32(this.droppedEventsCount, capacity);
    this.links.growRows(capacity);
    this.droppedLinksCount = grownUint32(this.droppedLinksCount, capacity);
    this.statusCode = grownUint8(this.statusCode, capacity);
    this.statusMessage.grow(capacity);
    this.#capacity = capacity;
  }
}
