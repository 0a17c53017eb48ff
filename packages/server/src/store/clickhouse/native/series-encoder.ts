import { type AttributeTable, type MetricBatch, type MetricType, textOf } from '@signalbox/records';
import type { WrittenMetric } from '../../metric-changes.ts';
import type { NativeBlock } from '../../native-block.ts';
import { AttributeMaps } from './attribute-maps.ts';
import { BlockColumns } from './block-columns.ts';
import { CanonicalHash } from './canonical-hash.ts';
import { dataView } from './copy-columns.ts';
import type { KnownSeries } from './known-series.ts';
import { ScopeColumns, scopeAttributes } from './scope-columns.ts';

/** Encodes the series that the points of a group belong to, and that their partitions do not have yet. */
export class SeriesEncoder {
  rows = 0;
  /** The words of the id of the series that was found last. */
  low = 0;
  high = 0;
  readonly #known: KnownSeries;
  readonly #added = new Map<number, Set<bigint>>();
  readonly #hash = new CanonicalHash();
  readonly #columns = new BlockColumns();
  readonly #time = this.#columns.add('time', "DateTime('UTC')");
  readonly #metricName = this.#columns.add('metric_name', 'String');
  readonly #id = this.#columns.add('series_id', 'UInt64');
  readonly #type = this.#columns.add('type', 'UInt8');
  readonly #unit = this.#columns.add('unit', 'String');
  readonly #description = this.#columns.add('description', 'String');
  readonly #temporality = this.#columns.add('temporality', 'UInt8');
  readonly #monotonic = this.#columns.add('monotonic', 'UInt8');
  readonly #scope = new ScopeColumns(this.#columns);
  readonly #attributes = new AttributeMaps(this.#columns, 'attributes');
  #resourceIds: Uint32Array = new Uint32Array(0);
  #scopeAttributes: readonly Uint8Array[] = [];
  #source: DataView = EMPTY;
  #metric = -1;
  #prefixLength = 0;
  #isPrefixHashed = false;
  /** Of the rows; a batch after the other, so that one may be there several times. */
  #metrics: WrittenMetric[] = [];
  /** The last of the batch that is among them. */
  #noted = -1;
  /** Where the known ones have the series that was found last; -1: they don't. */
  #place = -1;

  constructor(known: KnownSeries) {
    this.#known = known;
  }

  get byteLength(): number {
    return this.#columns.byteLength;
  }

  /** @param resourceIds low and high words of the ids of the batch's resources; valid as long as the batch is */
  start(batch: MetricBatch, resourceIds: Uint32Array): void {
    this.#resourceIds = resourceIds;
    this.#scopeAttributes = scopeAttributes(batch);
    this.#source = dataView(batch.bytes);
    this.#metric = -1;
    this.#noted = -1;
  }

  /** Finds the series of a point with these attributes. */
  find(batch: MetricBatch, metric: number, attributes: AttributeTable, row: number): void {
    // Points of a metric stand together: what they share is in the form already.
    if (metric !== this.#metric) this.#startMetric(batch, metric);
    const known = this.#known;
    this.#place = known.find(this.#source, attributes, row);
    if (this.#place >= 0) {
      this.low = known.low(this.#place);
      this.high = known.high(this.#place);
      return;
    }
    const hash = this.#hash;
    hash.form.length = this.#prefixLength;
    if (!this.#isPrefixHashed) hash.keep();
    this.#isPrefixHashed = true;
    hash.attributes(batch.bytes, attributes, row);
    const id = hash.finish();
    this.low = Number(id & 0xffff_ffffn);
    this.high = Number(id >> 32n);
    known.add(batch.bytes, this.#source, attributes, row, id);
  }

  /** A point in the partition (seconds since 1970 of its start) belongs to the series that was found last; says whether that is new to it. */
  refer(batch: MetricBatch, metric: number, attributes: AttributeTable, row: number, partition: number): boolean {
    const known = this.#known;
    if (this.#place >= 0 && known.isStored(this.#place, partition)) return false;
    const id = (BigInt(this.high) << 32n) | BigInt(this.low);
    if (known.stored.has(partition, id)) {
      if (this.#place >= 0) known.noteStored(this.#place, partition);
      return false;
    }
    let added = this.#added.get(partition);
    if (added === undefined) {
      added = new Set();
      this.#added.set(partition, added);
    }
    if (added.has(id)) {
      return false;
    }
    added.add(id);
    const { bytes, metrics } = batch;
    this.#time.uint32(partition);
    this.#metricName.string(bytes, metrics.name.start[metric], metrics.name.end[metric]);
    this.#id.bigUint64(id);
    this.#type.uint8(metrics.type[metric]);
    this.#unit.string(bytes, metrics.unit.start[metric], metrics.unit.end[metric]);
    this.#description.string(bytes, metrics.description.start[metric], metrics.description.end[metric]);
    this.#temporality.uint8(metrics.temporality[metric]);
    this.#monotonic.uint8(metrics.monotonic[metric]);
    this.#scope.appendRow(
      batch,
      this.#resourceIds,
      metrics.resource[metric],
      metrics.scope[metric],
      this.#scopeAttributes,
    );
    this.#attributes.appendRow(bytes, attributes, row);
    if (metric !== this.#noted) this.#note(batch, metric);
    this.rows++;
    return true;
  }

  block(): NativeBlock {
    const block = this.#columns.block(this.rows);
    // A name that is no text may be read as another one.
    const areTexts = this.#metrics.every(({ name, unit }) => !`${name}${unit}`.includes('\ufffd'));
    return areTexts ? { ...block, metrics: this.#metrics } : block;
  }

  committed(): void {
    for (const [partition, ids] of this.#added) {
      for (const id of ids) {
        this.#known.stored.add(partition, id);
      }
    }
  }

  reset(): void {
    this.#columns.reset();
    this.#added.clear();
    this.#metrics = [];
    this.#noted = -1;
    this.rows = 0;
  }

  #note({ bytes, metrics }: MetricBatch, metric: number): void {
    this.#noted = metric;
    this.#metrics.push({
      name: textOf(bytes, metrics.name, metric),
      type: metrics.type[metric] as MetricType,
      unit: textOf(bytes, metrics.unit, metric),
      isMonotonic: metrics.monotonic[metric] === 1,
    });
  }

  #startMetric(batch: MetricBatch, metric: number): void {
    const { bytes, metrics, scopes } = batch;
    const { form } = this.#hash;
    const resource = metrics.resource[metric];
    const scope = metrics.scope[metric];
    this.#hash.start();
    this.#isPrefixHashed = false;
    form.string(bytes, metrics.name.start[metric], metrics.name.end[metric]);
    form.uint8(metrics.type[metric]);
    form.string(bytes, metrics.unit.start[metric], metrics.unit.end[metric]);
    form.uint8(metrics.temporality[metric]);
    form.uint8(metrics.monotonic[metric]);
    form.uint64(this.#resourceIds[resource * 2], this.#resourceIds[resource * 2 + 1]);
    form.string(bytes, scopes.name.start[scope], scopes.name.end[scope]);
    form.string(bytes, scopes.version.start[scope], scopes.version.end[scope]);
    this.#hash.attributes(bytes, scopes.attributes, scope);
    this.#metric = metric;
    this.#prefixLength = form.length;
    this.#known.startMetric(form);
  }
}

const EMPTY = new DataView(new ArrayBuffer(0));
