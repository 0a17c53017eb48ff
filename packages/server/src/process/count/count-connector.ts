import {
  type AttributeEditor,
  type AttributeEntry,
  type AttributeValue,
  attributesOf,
  type LogBatch,
  type MetricBatch,
  MetricBuilder,
  MetricType,
  POINT_TABLES,
  type RecordBatch,
  type SpanBatch,
  Temporality,
} from '@signalbox/records';
import type { ComponentContext } from '../../pipeline/component-context.ts';
import type { PipelineComponent } from '../../pipeline/component-factory.ts';
import { ALL_ACCEPTED, type ConsumeResult, type Consumer } from '../../pipeline/consumer.ts';
import type { Consumers } from '../../pipeline/signal.ts';
import type { Dimension } from '../dimensions.ts';
import { LogCursor } from '../ottl/log-cursor.ts';
import { MetricCursor } from '../ottl/metric-cursor.ts';
import type { RecordCursor } from '../ottl/record-cursor.ts';
import { SpanCursor } from '../ottl/span-cursor.ts';
import { textOfValue } from '../ottl/text-of-value.ts';

/** One metric that counts records. */
export interface CountedMetric<Cursor> {
  readonly name: string;
  readonly description: string;
  /** Null: every record counts. */
  readonly condition: ((cursor: Cursor) => boolean) | null;
  readonly dimensions: readonly Dimension[];
}

export interface CountSettings {
  readonly spans: readonly CountedMetric<SpanCursor>[];
  readonly spanEvents: readonly CountedMetric<SpanCursor>[];
  readonly metrics: readonly CountedMetric<MetricCursor>[];
  readonly points: readonly CountedMetric<MetricCursor>[];
  readonly logs: readonly CountedMetric<LogCursor>[];
}

/** Counts the records of each batch into metrics of their resources, at once (upstream's `count`). A batch that a sender delivers twice counts twice. */
export class CountConnector implements PipelineComponent {
  readonly consumers: Consumers;
  readonly #context: ComponentContext;
  readonly #next: Consumer<MetricBatch>;

  constructor(settings: CountSettings, context: ComponentContext, next: Consumer<MetricBatch>) {
    this.#context = context;
    this.#next = next;
    this.consumers = {
      traces: { consume: (batch) => this.#handOn(batch, countSpans(settings, batch)) },
      metrics: { consume: (batch) => this.#handOn(batch, countMetrics(settings, batch)) },
      logs: { consume: (batch) => this.#handOn(batch, countLogs(settings, batch)) },
    };
  }

  async start(): Promise<void> {}

  async shutdown(): Promise<void> {}

  async #handOn(batch: RecordBatch, counts: Counts): Promise<ConsumeResult> {
    const metrics = counts.build(batch, this.#context.now());
    if (metrics.rowCount > 0) {
      // A refusal is the sender's, who sends the records again.
      await this.#next.consume(metrics);
    }
    return ALL_ACCEPTED;
  }
}

function countSpans({ spans, spanEvents }: CountSettings, batch: SpanBatch): Counts {
  const counts = new Counts();
  const cursor = new SpanCursor(batch);
  const { offsets } = batch.events;
  for (let row = 0; row < batch.rowCount; row++) {
    cursor.moveTo(row);
    counts.add(spans, cursor, cursor.attributes, row);
    if (spanEvents.length > 0) {
      for (let event = offsets[row] as number; event < (offsets[row + 1] as number); event++) {
        cursor.moveToEvent(row, event);
        counts.add(spanEvents, cursor, cursor.eventAttributes, event);
      }
    }
  }
  return counts;
}

function countLogs({ logs }: CountSettings, batch: LogBatch): Counts {
  const counts = new Counts();
  const cursor = new LogCursor(batch);
  for (let row = 0; row < batch.rowCount; row++) {
    cursor.moveTo(row);
    counts.add(logs, cursor, cursor.attributes, row);
  }
  return counts;
}

function countMetrics({ metrics, points }: CountSettings, batch: MetricBatch): Counts {
  const counts = new Counts();
  const cursor = new MetricCursor(batch);
  for (let row = 0; row < batch.metrics.rowCount; row++) {
    cursor.moveToMetric(row);
    counts.add(metrics, cursor, null, row);
  }
  for (const table of POINT_TABLES) {
    for (let row = 0; row < batch[table].rowCount; row++) {
      cursor.moveToPoint(table, row);
      counts.add(points, cursor, cursor.pointAttributes, row);
    }
  }
  return counts;
}

interface Series {
  readonly attributes: readonly AttributeEntry[];
  count: number;
}

/** Counts of one batch by resource, metric and attributes. */
class Counts {
  readonly #ofResources = new Map<
    number,
    Map<string, { readonly description: string; readonly series: Map<string, Series> }>
  >();

  add<Cursor extends RecordCursor>(
    metrics: readonly CountedMetric<Cursor>[],
    cursor: Cursor,
    attributes: AttributeEditor | null,
    row: number,
  ): void {
    for (const { name, description, condition, dimensions } of metrics) {
      if (condition !== null && !condition(cursor)) {
        continue;
      }
      const entries = entriesOf(dimensions, cursor, attributes, row);
      if (entries === null) {
        continue;
      }
      let ofResource = this.#ofResources.get(cursor.resource);
      if (ofResource === undefined) {
        ofResource = new Map();
        this.#ofResources.set(cursor.resource, ofResource);
      }
      let metric = ofResource.get(name);
      if (metric === undefined) {
        metric = { description, series: new Map() };
        ofResource.set(name, metric);
      }
      const key = entries.length === 0 ? '' : JSON.stringify(entries.map(([, value]) => textOfValue(value)));
      const series = metric.series.get(key);
      if (series === undefined) {
        metric.series.set(key, { attributes: entries, count: 1 });
      } else {
        series.count++;
      }
    }
  }

  /** `now` is in milliseconds since 1970. */
  build({ bytes, resources }: RecordBatch, now: number): MetricBatch {
    const builder = new MetricBuilder();
    const { numberPoints } = builder.batch;
    for (const [resource, metrics] of this.#ofResources) {
      const scope = builder.scope(attributesOf(bytes, resources.attributes, resource), 'countconnector');
      for (const [name, { description, series }] of metrics) {
        const type = MetricType.Sum;
        const temporality = Temporality.Delta;
        const metric = builder.metric(scope, { name, description, type, temporality, monotonic: true });
        for (const { attributes, count } of series.values()) {
          const row = builder.point(numberPoints, metric, attributes, now, now);
          numberPoints.value.setIntWords(row, count, 0);
          numberPoints.end();
        }
      }
    }
    return builder.batch;
  }
}

/** Null: an attribute is absent and has no default; such a record does not count, as upstream has it. */
function entriesOf(
  dimensions: readonly Dimension[],
  cursor: RecordCursor,
  attributes: AttributeEditor | null,
  row: number,
): AttributeEntry[] | null {
  const entries: AttributeEntry[] = [];
  for (const { key, fallback } of dimensions) {
    const value =
      valueIn(attributes, row, key) ??
      valueIn(cursor.scopeAttributes, cursor.scope, key) ??
      valueIn(cursor.resourceAttributes, cursor.resource, key) ??
      fallback;
    if (value === undefined) {
      return null;
    }
    entries.push([key.text, value]);
  }
  return entries;
}

function valueIn(editor: AttributeEditor | null, row: number, key: Dimension['key']): AttributeValue | undefined {
  const entry = editor?.find(row, key) ?? -1;
  return editor === null || entry < 0 ? undefined : editor.value(entry);
}
