import { AttributeType, anyValueJson, type LogBatch } from '@signalbox/records';
import { ALL_ACCEPTED, type ConsumeResult } from '../../../pipeline/consumer.ts';
import type { BlockBuilder, TableBlock } from '../../block-builder.ts';
import { AttributeKeyEncoder } from './attribute-key-encoder.ts';
import { AttributeMaps } from './attribute-maps.ts';
import { BlockColumns } from './block-columns.ts';
import { addSlices, copyFixed, RowSelection } from './copy-columns.ts';
import type { KnownKeys } from './known-keys.ts';
import { ResourceEncoder } from './resource-encoder.ts';
import { ScopeColumns } from './scope-columns.ts';
import { partitionOf, type TimeBounds } from './time-bounds.ts';

/**
 * Encodes log records for the tables `resources`, `log_attribute_keys` and `logs`.
 *
 * A record without a time has that of its observation, or now if that is missing or not believed (logs.proto: "use
 * Timestamp if it is present, otherwise use ObservedTimestamp"). A record whose time is there and not believed is a rejected row.
 */
export class LogEncoder implements BlockBuilder<LogBatch> {
  rows = 0;
  readonly #bounds: TimeBounds;
  readonly #resources: ResourceEncoder;
  readonly #attributeKeys: AttributeKeyEncoder;
  readonly #selection = new RowSelection();
  readonly #columns = new BlockColumns();
  readonly #time = this.#columns.add('time', "DateTime64(9, 'UTC')");
  readonly #observedTime = this.#columns.add('observed_time', "DateTime64(9, 'UTC')");
  readonly #traceId = this.#columns.add('trace_id', 'FixedString(16)');
  readonly #spanId = this.#columns.add('span_id', 'FixedString(8)');
  readonly #flags = this.#columns.add('flags', 'UInt32');
  readonly #severityNumber = this.#columns.add('severity_number', 'UInt8');
  readonly #severityText = this.#columns.addDictionary('severity_text');
  readonly #body = this.#columns.add('body', 'String');
  readonly #bodyType = this.#columns.add('body_type', 'UInt8');
  readonly #eventName = this.#columns.addDictionary('event_name');
  readonly #scope = new ScopeColumns(this.#columns);
  readonly #attributes = new AttributeMaps(this.#columns, 'attributes');
  readonly #droppedAttributes = this.#columns.add('dropped_attributes', 'UInt32');

  constructor(knownResources: KnownKeys, knownAttributes: KnownKeys<string>, bounds: TimeBounds) {
    this.#resources = new ResourceEncoder(knownResources);
    this.#attributeKeys = new AttributeKeyEncoder(knownAttributes);
    this.#bounds = bounds;
  }

  get byteLength(): number {
    return this.#columns.byteLength + this.#resources.byteLength + this.#attributeKeys.byteLength;
  }

  get partitions(): number {
    return this.#resources.partitions.size;
  }

  append(batch: LogBatch): ConsumeResult {
    const { bytes } = batch;
    const selection = this.#selectAndAppendTimes(batch);
    copyFixed(this.#observedTime, batch.observedTime.values, 8, selection);
    copyFixed(this.#traceId, batch.traceId, 16, selection);
    copyFixed(this.#spanId, batch.spanId, 8, selection);
    copyFixed(this.#flags, batch.flags, 4, selection);
    copyFixed(this.#severityNumber, batch.severityNumber, 1, selection);
    addSlices(this.#severityText, bytes, batch.severityText, selection);
    this.#appendBodies(batch, selection);
    copyFixed(this.#bodyType, batch.body.type, 1, selection);
    addSlices(this.#eventName, bytes, batch.eventName, selection);
    this.#scope.appendRows(batch, this.#resources.words, selection);
    this.#attributes.appendRows(bytes, batch.attributes, selection);
    this.#attributeKeys.append(bytes, batch.attributes);
    copyFixed(this.#droppedAttributes, batch.droppedAttributesCount, 4, selection);
    this.rows += selection.count;
    const rejected = batch.rowCount - selection.count;
    return rejected === 0 ? ALL_ACCEPTED : { rejected, reason: this.#bounds.reason('log records', 'retention-logs') };
  }

  blocks(): TableBlock[] {
    const blocks: TableBlock[] = [];
    if (this.#resources.rows > 0) {
      blocks.push({ table: 'resources', block: this.#resources.block() });
    }
    if (this.#attributeKeys.rows > 0) {
      blocks.push({ table: 'log_attribute_keys', block: this.#attributeKeys.block() });
    }
    if (this.rows > 0) {
      blocks.push({ table: 'logs', block: this.#columns.block(this.rows) });
    }
    return blocks;
  }

  committed(): void {
    this.#resources.committed();
    this.#attributeKeys.committed();
  }

  reset(): void {
    this.#columns.reset();
    this.#resources.reset();
    this.#attributeKeys.reset();
    this.rows = 0;
  }

  #selectAndAppendTimes(batch: LogBatch): RowSelection {
    const selection = this.#selection;
    const bounds = this.#bounds;
    const resources = this.#resources;
    const time = batch.time.words;
    const observed = batch.observedTime.words;
    bounds.refresh();
    resources.start(batch);
    this.#attributeKeys.start();
    selection.start(batch.rowCount);
    let resource = -1;
    let partition = -1;
    for (let row = 0; row < batch.rowCount; row++) {
      let low = time[row * 2];
      let high = time[row * 2 + 1];
      if (low === 0 && high === 0) {
        low = observed[row * 2];
        high = observed[row * 2 + 1];
        if (!bounds.believes(high)) {
          low = bounds.nowLow;
          high = bounds.nowHigh;
        }
      } else if (!bounds.believes(high)) {
        continue;
      }
      selection.add(row);
      this.#time.uint64(low, high);
      const rowPartition = partitionOf(low, high);
      if (batch.resource[row] !== resource || rowPartition !== partition) {
        resource = batch.resource[row];
        partition = rowPartition;
        resources.refer(batch, resource, partition);
        this.#attributeKeys.refer(partition);
      }
    }
    selection.finish(batch.rowCount);
    return selection;
  }

  #appendBodies(batch: LogBatch, selection: RowSelection): void {
    const { body, bytes } = batch;
    for (let i = 0; i < selection.count; i++) {
      const row = selection.rows[i];
      switch (body.type[row]) {
        case AttributeType.String:
          this.#body.string(bytes, body.start[row], body.end[row]);
          break;
        case AttributeType.Empty:
          this.#body.uint8(0);
          break;
        default:
          this.#body.text(anyValueJson(bytes, body, row));
      }
    }
  }
}
