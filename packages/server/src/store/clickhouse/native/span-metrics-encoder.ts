import { ALL_ACCEPTED, type ConsumeResult } from '../../../pipeline/consumer.ts';
import type { BlockBuilder, TableBlock } from '../../block-builder.ts';
import type { EdgeRow, RedRow } from '../../span-metrics-row.ts';
import { BlockColumns } from './block-columns.ts';
import { partitionOf, type TimeBounds } from './time-bounds.ts';

type SpanAggregate = Omit<RedRow, 'service' | 'name' | 'kind' | 'entry'>;

/** What the tables `red` and `edges` share. */
abstract class SpanAggregateEncoder<Row extends SpanAggregate> implements BlockBuilder<readonly Row[]> {
  rows = 0;
  readonly #partitions = new Set<number>();
  readonly #bounds: TimeBounds;
  protected readonly columns = new BlockColumns();
  readonly #table: string;
  readonly #time = this.columns.add('time', "DateTime('UTC')");
  readonly #error = this.columns.add('error', 'UInt8');
  readonly #count = this.columns.add('count', 'Float64');
  readonly #durationSum = this.columns.add('duration_sum', 'Float64');
  readonly #durationMax = this.columns.add('duration_max', 'UInt64');
  readonly #buckets = this.columns.addMap('buckets', 'Int16', 'Float64');

  constructor(table: string, bounds: TimeBounds) {
    this.#table = table;
    this.#bounds = bounds;
  }

  get partitions(): number {
    return this.#partitions.size;
  }

  get byteLength(): number {
    return this.columns.byteLength;
  }

  /** Rows of spans that are refused for their time are left out: the writer of spans tells their sender. */
  append(batch: readonly Row[]): ConsumeResult {
    this.#bounds.refresh();
    for (const row of batch) {
      const { low, high } = wordsOfSeconds(row.time);
      if (!this.#bounds.believes(high)) {
        continue;
      }
      this.#partitions.add(partitionOf(low, high));
      this.#time.uint32(row.time);
      this.#error.uint8(row.error ? 1 : 0);
      this.#count.float64(row.count);
      this.#durationSum.float64(row.durationSum);
      this.#durationMax.bigUint64(BigInt(Math.round(row.durationMax)));
      // sumMap over maps keeps keys in order only if they come in order.
      for (const [index, count] of [...row.buckets].sort((a, b) => a[0] - b[0])) {
        this.#buckets.values[0].int16(index);
        this.#buckets.values[1].float64(count);
        this.#buckets.count++;
      }
      this.#buckets.endRow();
      this.appendKey(row);
      this.rows++;
    }
    return ALL_ACCEPTED;
  }

  blocks(): TableBlock[] {
    return this.rows === 0 ? [] : [{ table: this.#table, block: this.columns.block(this.rows) }];
  }

  committed(): void {}

  reset(): void {
    this.columns.reset();
    this.#partitions.clear();
    this.rows = 0;
  }

  protected abstract appendKey(row: Row): void;
}

export class RedEncoder extends SpanAggregateEncoder<RedRow> {
  readonly #service = this.columns.add('service', 'String');
  readonly #name = this.columns.add('name', 'String');
  readonly #kind = this.columns.add('kind', 'UInt8');
  readonly #entry = this.columns.add('entry', 'UInt8');

  constructor(bounds: TimeBounds) {
    super('red', bounds);
  }

  protected override appendKey(row: RedRow): void {
    this.#service.text(row.service);
    this.#name.text(row.name);
    this.#kind.uint8(row.kind);
    this.#entry.uint8(row.entry ? 1 : 0);
  }
}

export class EdgeEncoder extends SpanAggregateEncoder<EdgeRow> {
  readonly #source = this.columns.add('source', 'String');
  readonly #target = this.columns.add('target', 'String');
  readonly #targetType = this.columns.add('target_type', 'String');

  constructor(bounds: TimeBounds) {
    super('edges', bounds);
  }

  protected override appendKey(row: EdgeRow): void {
    this.#source.text(row.source);
    this.#target.text(row.target);
    this.#targetType.text(row.targetType);
  }
}

/** A time in seconds as the words of its nanoseconds. */
function wordsOfSeconds(seconds: number): { low: number; high: number } {
  const ns = BigInt(Math.max(0, Math.floor(seconds))) * 1_000_000_000n;
  return { low: Number(ns & 0xffff_ffffn), high: Number(ns >> 32n) };
}
