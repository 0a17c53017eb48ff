import { attributesJson, type ExemplarTable, type MetricBatch, NumberType } from '@signalbox/records';
import type { NativeBlock } from '../../native-block.ts';
import { BlockColumns } from './block-columns.ts';
import { int64ToNumber } from './point-encoders.ts';
import type { TimeBounds } from './time-bounds.ts';

interface Words {
  readonly low: number;
  readonly high: number;
}

/** Encodes the exemplars of data points of all kinds. One whose time is not believed has its point's. */
export class ExemplarEncoder {
  rows = 0;
  readonly #bounds: TimeBounds;
  readonly #columns = new BlockColumns();
  readonly #metricName = this.#columns.add('metric_name', 'String');
  readonly #seriesId = this.#columns.add('series_id', 'UInt64');
  readonly #time = this.#columns.add('time', "DateTime64(9, 'UTC')");
  readonly #value = this.#columns.add('value', 'Float64');
  readonly #traceId = this.#columns.add('trace_id', 'FixedString(16)');
  readonly #spanId = this.#columns.add('span_id', 'FixedString(8)');
  readonly #attributes = this.#columns.add('attributes', 'String');

  constructor(bounds: TimeBounds) {
    this.#bounds = bounds;
  }

  get byteLength(): number {
    return this.#columns.byteLength;
  }

  /** Adds the exemplars of the point in `row`, whose time and series' id are given in two words. */
  append(
    batch: MetricBatch,
    exemplars: ExemplarTable,
    row: number,
    metric: number,
    seriesId: Words,
    pointTime: Words,
  ): void {
    const { bytes, metrics } = batch;
    for (let exemplar = exemplars.offsets[row]; exemplar < exemplars.offsets[row + 1]; exemplar++) {
      const high = exemplars.time.words[exemplar * 2 + 1];
      this.#metricName.string(bytes, metrics.name.start[metric], metrics.name.end[metric]);
      this.#seriesId.uint64(seriesId.low, seriesId.high);
      if (this.#bounds.believes(high)) {
        this.#time.uint64(exemplars.time.words[exemplar * 2], high);
      } else {
        this.#time.uint64(pointTime.low, pointTime.high);
      }
      const { value, attributes } = exemplars;
      const low = value.words[exemplar * 2];
      if (value.type[exemplar] === NumberType.Int) {
        this.#value.float64(int64ToNumber(low, value.words[exemplar * 2 + 1]));
      } else {
        this.#value.uint64(low, value.words[exemplar * 2 + 1]);
      }
      this.#traceId.raw(exemplars.traceId, exemplar * 16, exemplar * 16 + 16);
      this.#spanId.raw(exemplars.spanId, exemplar * 8, exemplar * 8 + 8);
      this.#attributes.text(attributesJson(bytes, attributes, exemplar));
      this.rows++;
    }
  }

  block(): NativeBlock {
    return this.#columns.block(this.rows);
  }

  reset(): void {
    this.#columns.reset();
    this.rows = 0;
  }
}
