import { AttributeEditor, type AttributeValue, type MetricBatch, POINT_TABLES } from '@signalbox/records';
import { RecordCursor } from './record-cursor.ts';

export type PointTableName = (typeof POINT_TABLES)[number];

/** A metric, or one of its points. */
export class MetricCursor extends RecordCursor {
  readonly metrics: MetricBatch;
  readonly #pointAttributes: Readonly<Record<PointTableName, AttributeEditor>>;
  /** Row of the metric table. */
  metric = 0;
  /** The table of the point at hand, and its row there. */
  table: PointTableName = 'numberPoints';
  point = 0;

  constructor(metrics: MetricBatch) {
    super(metrics);
    this.metrics = metrics;
    const editor = (table: PointTableName) =>
      new AttributeEditor(metrics, metrics[table].attributes, metrics[table].rowCount);
    this.#pointAttributes = {
      numberPoints: editor('numberPoints'),
      histogramPoints: editor('histogramPoints'),
      exponentialHistogramPoints: editor('exponentialHistogramPoints'),
      summaryPoints: editor('summaryPoints'),
    };
  }

  /** Of the table of the point at hand. */
  get pointAttributes(): AttributeEditor {
    return this.#pointAttributes[this.table];
  }

  moveToMetric(metric: number): void {
    const { metrics } = this.metrics;
    this.metric = metric;
    this.moveToOrigin(metrics.resource[metric] as number, metrics.scope[metric] as number);
  }

  moveToPoint(table: PointTableName, point: number): void {
    this.table = table;
    this.point = point;
    this.moveToMetric(this.metrics[table].metric[point] as number);
  }

  /** Whether some point of the metric at hand has an attribute that `test` is true for. */
  somePoint(test: (key: string, value: AttributeValue) => boolean): boolean {
    for (const table of POINT_TABLES) {
      const points = this.metrics[table];
      const editor = this.#pointAttributes[table];
      for (let row = 0; row < points.rowCount; row++) {
        if (points.metric[row] !== this.metric) {
          continue;
        }
        for (let entry = editor.first(row); entry >= 0; entry = editor.next(entry, row)) {
          if (test(editor.key(entry), editor.value(entry))) {
            return true;
          }
        }
      }
    }
    return false;
  }

  override finish(): void {
    super.finish();
    for (const table of POINT_TABLES) {
      this.#pointAttributes[table].finish();
    }
  }
}
