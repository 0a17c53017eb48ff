import { attributesJson, type SpanBatch } from '@signalbox/records';
import { ALL_ACCEPTED, type ConsumeResult } from '../../../pipeline/consumer.ts';
import type { BlockBuilder, TableBlock } from '../../block-builder.ts';
import { AttributeMaps } from './attribute-maps.ts';
import { BlockColumns } from './block-columns.ts';
import { addSlices, copyFixed, copySlices, RowSelection } from './copy-columns.ts';
import type { KnownKeys } from './known-keys.ts';
import { ResourceEncoder } from './resource-encoder.ts';
import { ScopeColumns } from './scope-columns.ts';
import { partitionOf, type TimeBounds } from './time-bounds.ts';

/** Encodes spans for the tables `resources` and `spans`. Spans whose start is not believed are rejected rows. */
export class SpanEncoder implements BlockBuilder<SpanBatch> {
  rows = 0;
  readonly #bounds: TimeBounds;
  readonly #resources: ResourceEncoder;
  readonly #selection = new RowSelection();
  readonly #columns = new BlockColumns();
  readonly #time = this.#columns.add('time', "DateTime64(9, 'UTC')");
  readonly #duration = this.#columns.add('duration', 'UInt64');
  readonly #traceId = this.#columns.add('trace_id', 'FixedString(16)');
  readonly #spanId = this.#columns.add('span_id', 'FixedString(8)');
  readonly #parentSpanId = this.#columns.add('parent_span_id', 'FixedString(8)');
  readonly #traceState = this.#columns.add('trace_state', 'String');
  readonly #flags = this.#columns.add('flags', 'UInt32');
  readonly #name = this.#columns.addDictionary('name');
  readonly #kind = this.#columns.add('kind', 'UInt8');
  readonly #statusCode = this.#columns.add('status_code', 'UInt8');
  readonly #statusMessage = this.#columns.add('status_message', 'String');
  readonly #scope = new ScopeColumns(this.#columns);
  readonly #attributes = new AttributeMaps(this.#columns, 'attributes');
  readonly #droppedAttributes = this.#columns.add('dropped_attributes', 'UInt32');
  readonly #droppedEvents = this.#columns.add('dropped_events', 'UInt32');
  readonly #droppedLinks = this.#columns.add('dropped_links', 'UInt32');
  readonly #events = this.#columns.addArrays(
    ['event_time', "DateTime64(9, 'UTC')"],
    ['event_name', 'String'],
    ['event_attributes', 'String'],
    ['event_dropped', 'UInt32'],
  );
  readonly #exceptions = this.#columns.addArrays(['exception_type', 'String'], ['exception_message', 'String']);
  readonly #links = this.#columns.addArrays(
    ['link_trace_id', 'FixedString(16)'],
    ['link_span_id', 'FixedString(8)'],
    ['link_trace_state', 'String'],
    ['link_flags', 'UInt32'],
    ['link_attributes', 'String'],
    ['link_dropped', 'UInt32'],
  );

  constructor(knownResources: KnownKeys, bounds: TimeBounds) {
    this.#resources = new ResourceEncoder(knownResources);
    this.#bounds = bounds;
  }

  get byteLength(): number {
    return this.#columns.byteLength + this.#resources.byteLength;
  }

  get partitions(): number {
    return this.#resources.partitions.size;
  }

  append(batch: SpanBatch): ConsumeResult {
    const { bytes } = batch;
    const selection = this.#select(batch);
    copyFixed(this.#time, batch.startTime.values, 8, selection);
    this.#appendDurations(batch, selection);
    copyFixed(this.#traceId, batch.traceId, 16, selection);
    copyFixed(this.#spanId, batch.spanId, 8, selection);
    copyFixed(this.#parentSpanId, batch.parentSpanId, 8, selection);
    copySlices(this.#traceState, bytes, batch.traceState, selection);
    copyFixed(this.#flags, batch.flags, 4, selection);
    addSlices(this.#name, bytes, batch.name, selection);
    copyFixed(this.#kind, batch.kind, 1, selection);
    copyFixed(this.#statusCode, batch.statusCode, 1, selection);
    copySlices(this.#statusMessage, bytes, batch.statusMessage, selection);
    this.#scope.appendRows(batch, this.#resources.words, selection);
    this.#attributes.appendRows(bytes, batch.attributes, selection);
    copyFixed(this.#droppedAttributes, batch.droppedAttributesCount, 4, selection);
    copyFixed(this.#droppedEvents, batch.droppedEventsCount, 4, selection);
    copyFixed(this.#droppedLinks, batch.droppedLinksCount, 4, selection);
    this.#appendEvents(batch, selection);
    this.#appendLinks(batch, selection);
    this.rows += selection.count;
    const rejected = batch.rowCount - selection.count;
    return rejected === 0 ? ALL_ACCEPTED : { rejected, reason: this.#bounds.reason('spans', 'retention-traces') };
  }

  blocks(): TableBlock[] {
    const blocks: TableBlock[] = [];
    if (this.#resources.rows > 0) {
      blocks.push({ table: 'resources', block: this.#resources.block() });
    }
    if (this.rows > 0) {
      blocks.push({ table: 'spans', block: this.#columns.block(this.rows) });
    }
    return blocks;
  }

  committed(): void {
    this.#resources.committed();
  }

  reset(): void {
    this.#columns.reset();
    this.#resources.reset();
    this.rows = 0;
  }

  #select(batch: SpanBatch): RowSelection {
    const selection = this.#selection;
    const bounds = this.#bounds;
    const resources = this.#resources;
    const { words } = batch.startTime;
    bounds.refresh();
    resources.start(batch);
    selection.start(batch.rowCount);
    let resource = -1;
    let partition = -1;
    for (let row = 0; row < batch.rowCount; row++) {
      const high = words[row * 2 + 1];
      if (!bounds.believes(high)) {
        continue;
      }
      selection.add(row);
      const rowPartition = partitionOf(words[row * 2], high);
      if (batch.resource[row] !== resource || rowPartition !== partition) {
        resource = batch.resource[row];
        partition = rowPartition;
        resources.refer(batch, resource, partition);
      }
    }
    selection.finish(batch.rowCount);
    return selection;
  }

  /** End minus start; 0 where a sender's clock went back in between. */
  #appendDurations(batch: SpanBatch, selection: RowSelection): void {
    const start = batch.startTime.words;
    const end = batch.endTime.words;
    for (let i = 0; i < selection.count; i++) {
      const at = selection.rows[i] * 2;
      let low = end[at] - start[at];
      let high = end[at + 1] - start[at + 1];
      if (low < 0) {
        low += 0x1_0000_0000;
        high--;
      }
      if (high < 0) {
        this.#duration.uint64(0, 0);
      } else {
        this.#duration.uint64(low, high);
      }
    }
  }

  #appendEvents(batch: SpanBatch, selection: RowSelection): void {
    const { events, bytes } = batch;
    if (events.count === 0) {
      this.#events.endEmptyRows(selection.count);
      this.#exceptions.endEmptyRows(selection.count);
      return;
    }
    const [time, name, attributes, dropped] = this.#events.values;
    const [exceptionType, exceptionMessage] = this.#exceptions.values;
    for (let i = 0; i < selection.count; i++) {
      const row = selection.rows[i];
      for (let event = events.offsets[row]; event < events.offsets[row + 1]; event++) {
        time.uint64(events.time.words[event * 2], events.time.words[event * 2 + 1]);
        name.string(bytes, events.name.start[event], events.name.end[event]);
        dropped.uint32(events.droppedAttributesCount[event]);
        attributes.text(attributesJson(bytes, events.attributes, event));
        this.#events.count++;
        const { values } = events.attributes;
        const type = events.attributes.find(bytes, event, EXCEPTION_TYPE);
        const message = events.attributes.find(bytes, event, EXCEPTION_MESSAGE);
        if (type >= 0 || message >= 0) {
          exceptionType.string(bytes, type < 0 ? 0 : values.start[type], type < 0 ? 0 : values.end[type]);
          exceptionMessage.string(
            bytes,
            message < 0 ? 0 : values.start[message],
            message < 0 ? 0 : values.end[message],
          );
          this.#exceptions.count++;
        }
      }
      this.#events.endRow();
      this.#exceptions.endRow();
    }
  }

  #appendLinks(batch: SpanBatch, selection: RowSelection): void {
    const { links, bytes } = batch;
    if (links.count === 0) {
      this.#links.endEmptyRows(selection.count);
      return;
    }
    const [traceId, spanId, traceState, flags, attributes, dropped] = this.#links.values;
    for (let i = 0; i < selection.count; i++) {
      const row = selection.rows[i];
      for (let link = links.offsets[row]; link < links.offsets[row + 1]; link++) {
        traceId.raw(links.traceId, link * 16, link * 16 + 16);
        spanId.raw(links.spanId, link * 8, link * 8 + 8);
        traceState.string(bytes, links.traceState.start[link], links.traceState.end[link]);
        flags.uint32(links.flags[link]);
        attributes.text(attributesJson(bytes, links.attributes, link));
        dropped.uint32(links.droppedAttributesCount[link]);
        this.#links.count++;
      }
      this.#links.endRow();
    }
  }
}

const EXCEPTION_TYPE = Buffer.from('exception.type');
const EXCEPTION_MESSAGE = Buffer.from('exception.message');
