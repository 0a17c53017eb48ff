import type { ExemplarTable, MetricBatch, PointTable } from '@signalbox/records';
import { ALL_ACCEPTED, type ConsumeResult } from '../../../pipeline/consumer.ts';
import type { BlockBuilder, TableBlock } from '../../block-builder.ts';
import { RowSelection } from './copy-columns.ts';
import { ExemplarEncoder } from './exemplar-encoder.ts';
import type { KnownKeys } from './known-keys.ts';
import type { KnownSeries } from './known-series.ts';
import {
  ExponentialHistogramPointEncoder,
  HistogramPointEncoder,
  NumberPointEncoder,
  type PointEncoder,
  SummaryPointEncoder,
} from './point-encoders.ts';
import { ResourceEncoder } from './resource-encoder.ts';
import { SeriesEncoder } from './series-encoder.ts';
import { partitionOf, type TimeBounds } from './time-bounds.ts';

/** Encodes data points for `resources`, `series`, the tables of points and `exemplars`. Points whose time is not believed are rejected rows. */
export class MetricEncoder implements BlockBuilder<MetricBatch> {
  readonly #bounds: TimeBounds;
  readonly #resources: ResourceEncoder;
  readonly #series: SeriesEncoder;
  readonly #selection = new RowSelection();
  readonly #numbers = new NumberPointEncoder('number_points');
  readonly #histograms = new HistogramPointEncoder('histogram_points');
  readonly #exponentialHistograms = new ExponentialHistogramPointEncoder('exponential_histogram_points');
  readonly #summaries = new SummaryPointEncoder('summary_points');
  readonly #exemplars: ExemplarEncoder;
  readonly #points = [this.#numbers, this.#histograms, this.#exponentialHistograms, this.#summaries] as const;

  constructor(knownResources: KnownKeys, knownSeries: KnownSeries, bounds: TimeBounds) {
    this.#bounds = bounds;
    this.#resources = new ResourceEncoder(knownResources);
    this.#series = new SeriesEncoder(knownSeries);
    this.#exemplars = new ExemplarEncoder(bounds);
  }

  get rows(): number {
    return this.#points.reduce((sum, { rows }) => sum + rows, 0);
  }

  get byteLength(): number {
    const points = this.#points.reduce((sum, { columns }) => sum + columns.byteLength, 0);
    return points + this.#resources.byteLength + this.#series.byteLength + this.#exemplars.byteLength;
  }

  get partitions(): number {
    return this.#resources.partitions.size;
  }

  append(batch: MetricBatch): ConsumeResult {
    this.#bounds.refresh();
    this.#resources.start(batch);
    this.#series.start(batch, this.#resources.words);
    const { numberPoints, histogramPoints, exponentialHistogramPoints } = batch;
    const accepted =
      this.#appendPoints(batch, numberPoints, this.#numbers, numberPoints.exemplars) +
      this.#appendPoints(batch, histogramPoints, this.#histograms, histogramPoints.exemplars) +
      this.#appendPoints(
        batch,
        exponentialHistogramPoints,
        this.#exponentialHistograms,
        exponentialHistogramPoints.exemplars,
      ) +
      this.#appendPoints(batch, batch.summaryPoints, this.#summaries, undefined);
    const rejected = batch.rowCount - accepted;
    return rejected === 0
      ? ALL_ACCEPTED
      : { rejected, reason: this.#bounds.reason('data points', 'retention-metrics') };
  }

  blocks(): TableBlock[] {
    const blocks: TableBlock[] = [];
    if (this.#resources.rows > 0) {
      blocks.push({ table: 'resources', block: this.#resources.block() });
    }
    if (this.#series.rows > 0) {
      blocks.push({ table: 'series', block: this.#series.block() });
    }
    for (const { rows, table, columns, earliestMs } of this.#points) {
      if (rows > 0) {
        blocks.push({ table, block: { ...columns.block(rows), earliestMs } });
      }
    }
    if (this.#exemplars.rows > 0) {
      blocks.push({ table: 'exemplars', block: this.#exemplars.block() });
    }
    return blocks;
  }

  committed(): void {
    this.#resources.committed();
    this.#series.committed();
  }

  reset(): void {
    this.#resources.reset();
    this.#series.reset();
    this.#exemplars.reset();
    for (const points of this.#points) {
      points.reset();
    }
  }

  /** Gives the number of points accepted. */
  #appendPoints<Points extends PointTable>(
    batch: MetricBatch,
    points: Points,
    encoder: PointEncoder<Points>,
    exemplars: ExemplarTable | undefined,
  ): number {
    const { bytes, metrics } = batch;
    const { words } = points.time;
    const selection = this.#selection;
    selection.start(points.rowCount);
    let lastPartition = -1;
    for (let row = 0; row < points.rowCount; row++) {
      const low = words[row * 2];
      const high = words[row * 2 + 1];
      if (!this.#bounds.believes(high)) {
        continue;
      }
      selection.add(row);
      encoder.noteTime(low, high);
      const metric = points.metric[row];
      const partition = partitionOf(low, high);
      if (partition !== lastPartition) {
        this.#resources.partitions.add(partition);
        lastPartition = partition;
      }
      const series = this.#series;
      series.find(batch, metric, points.attributes, row);
      if (series.refer(batch, metric, points.attributes, row, partition)) {
        this.#resources.refer(batch, metrics.resource[metric], partition);
      }
      encoder.metricName.string(bytes, metrics.name.start[metric], metrics.name.end[metric]);
      encoder.seriesId.uint64(series.low, series.high);
      if (exemplars !== undefined && exemplars.offsets[row + 1] > exemplars.offsets[row]) {
        this.#exemplars.append(batch, exemplars, row, metric, series, { low, high });
      }
    }
    selection.finish(points.rowCount);
    encoder.append(points, selection);
    return selection.count;
  }
}
