import type { RecordBatch } from '@signalbox/records';
import { SignalboxError } from '../../../pipeline/signalbox-error.ts';
import type { NativeBlock } from '../../native-block.ts';
import { AttributeMaps } from './attribute-maps.ts';
import { BlockColumns } from './block-columns.ts';
import { CanonicalHash } from './canonical-hash.ts';
import type { KnownKeys } from './known-keys.ts';

/**
 * What one batch's resources may take. Each is written once for each of its partitions, so that a request of 60 MB over the
 * 28 partitions of a week would otherwise become a block of 1.7 GB.
 */
export const MAX_BATCH_RESOURCE_BYTES = 128 * 1024 * 1024;

/** Encodes the resources that the rows of a group refer to, and that their partitions do not have yet. */
export class ResourceEncoder {
  rows = 0;
  /** Ids of the current batch's resources, by their rows; low and high words of row i at 2i and 2i + 1. */
  words = new Uint32Array(32);
  #ids = new BigUint64Array(this.words.buffer);
  /** Partitions that rows of the group belong to (seconds since 1970 of their starts). */
  readonly partitions = new Set<number>();
  readonly #known: KnownKeys;
  readonly #added = new Map<number, Set<bigint>>();
  readonly #hash = new CanonicalHash();
  readonly #columns = new BlockColumns();
  readonly #time = this.#columns.add('time', "DateTime('UTC')");
  readonly #id = this.#columns.add('resource_id', 'UInt64');
  readonly #service = this.#columns.add('service', 'String');
  readonly #attributes = new AttributeMaps(this.#columns, 'resource');
  readonly #dropped = this.#columns.add('dropped_attributes', 'UInt32');
  /** Bytes of the columns when the current batch came. */
  #bytesBefore = 0;
  readonly #schemaUrl = this.#columns.add('schema_url', 'String');

  constructor(known: KnownKeys) {
    this.#known = known;
  }

  get byteLength(): number {
    return this.#columns.byteLength;
  }

  /** Makes the ids of a batch's resources. */
  start(batch: RecordBatch): void {
    this.#bytesBefore = this.#columns.byteLength;
    const { resources, bytes } = batch;
    if (resources.rowCount > this.#ids.length) {
      this.#ids = new BigUint64Array(resources.rowCount * 2);
      this.words = new Uint32Array(this.#ids.buffer);
    }
    for (let row = 0; row < resources.rowCount; row++) {
      const hash = this.#hash;
      hash.start();
      hash.attributes(bytes, resources.attributes, row);
      hash.form.string(bytes, resources.schemaUrl.start[row], resources.schemaUrl.end[row]);
      this.#ids[row] = hash.finish();
    }
  }

  /**
   * A row in the partition (seconds since 1970 of its start) refers to the batch's resource. Throws `too_large` when the
   * batch's resources take more than MAX_BATCH_RESOURCE_BYTES.
   */
  refer(batch: RecordBatch, resource: number, partition: number): void {
    this.partitions.add(partition);
    const id = this.#ids[resource];
    if (this.#known.has(partition, id)) {
      return;
    }
    let added = this.#added.get(partition);
    if (added === undefined) {
      added = new Set();
      this.#added.set(partition, added);
    }
    if (added.has(id)) {
      return;
    }
    added.add(id);
    const { resources, bytes } = batch;
    this.#time.uint32(partition);
    this.#id.bigUint64(id);
    this.#service.string(bytes, resources.serviceName.start[resource], resources.serviceName.end[resource]);
    this.#attributes.appendRow(bytes, resources.attributes, resource);
    this.#dropped.uint32(resources.droppedAttributesCount[resource]);
    this.#schemaUrl.string(bytes, resources.schemaUrl.start[resource], resources.schemaUrl.end[resource]);
    this.rows++;
    if (this.#columns.byteLength - this.#bytesBefore > MAX_BATCH_RESOURCE_BYTES) {
      throw new SignalboxError(
        'too_large',
        `The request's resource attributes, once for each of the ${this.#added.size} periods of six hours so far that its records are in, take more than ${MAX_BATCH_RESOURCE_BYTES / 1024 / 1024} MiB: send smaller resources, or fewer days in one request`,
      );
    }
  }

  block(): NativeBlock {
    return this.#columns.block(this.rows);
  }

  committed(): void {
    for (const [partition, ids] of this.#added) {
      for (const id of ids) {
        this.#known.add(partition, id);
      }
    }
  }

  reset(): void {
    this.#columns.reset();
    this.#added.clear();
    this.partitions.clear();
    this.rows = 0;
  }
}
