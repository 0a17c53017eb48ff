import {
  type AttributeTable,
  AttributeType,
  LogBatch,
  MetricBatch,
  type RecordBatch,
  SpanBatch,
} from '@signalbox/records';

/** A value as a test writes it: bigint is Int, number Double; `encoded` is a protobuf `AnyValue`. */
export type TestValue =
  | string
  | Uint8Array
  | bigint
  | number
  | boolean
  | null
  | { readonly type: 'array' | 'kvlist'; readonly encoded: Uint8Array }
  | { readonly type: 'bytes'; readonly bytes: Uint8Array };

/** Attributes as a test writes them; a list may repeat keys. Texts may be raw bytes. */
export type TestAttributes = readonly (readonly [key: string | Uint8Array, value: TestValue])[];

/** Puts things into a batch through its own methods, as a decoder does. */
export class BatchWriter<Batch extends RecordBatch> {
  readonly batch: Batch;

  constructor(batch: Batch) {
    this.batch = batch;
  }

  static spans(): BatchWriter<SpanBatch> {
    return new BatchWriter(new SpanBatch(new Uint8Array(0)));
  }

  static logs(): BatchWriter<LogBatch> {
    return new BatchWriter(new LogBatch(new Uint8Array(0)));
  }

  static metrics(): BatchWriter<MetricBatch> {
    return new BatchWriter(new MetricBatch(new Uint8Array(0)));
  }

  /** The slice of a text. */
  slice(text: string | Uint8Array): [start: number, end: number] {
    const bytes = typeof text === 'string' ? Buffer.from(text) : text;
    const start = this.batch.appendBytes(bytes);
    return [start, start + bytes.length];
  }

  attributes(table: AttributeTable, attributes: TestAttributes): void {
    for (const [key, value] of attributes) {
      this.value(table.values, table.add(...this.slice(key)), value);
    }
  }

  value(column: AttributeTable['values'], row: number, value: TestValue): void {
    if (value === null) column.setEmpty(row);
    else if (typeof value === 'string' || value instanceof Uint8Array)
      column.setSlice(row, AttributeType.String, ...this.slice(value));
    else if (typeof value === 'bigint') {
      const bits = BigInt.asUintN(64, value);
      column.setInt(row, Number(bits & 0xffff_ffffn), Number(bits >> 32n));
    } else if (typeof value === 'number') column.setDouble(row, value);
    else if (typeof value === 'boolean') column.setBool(row, value);
    else if (value.type === 'bytes') column.setSlice(row, AttributeType.Bytes, ...this.slice(value.bytes));
    else {
      const type = value.type === 'array' ? AttributeType.Array : AttributeType.KeyValueList;
      column.setSlice(row, type, ...this.slice(value.encoded));
    }
  }

  resource(attributes: TestAttributes, dropped = 0, schemaUrl = ''): number {
    const { resources } = this.batch;
    const row = resources.add();
    this.attributes(resources.attributes, attributes);
    resources.droppedAttributesCount[row] = dropped;
    resources.schemaUrl.set(row, ...this.slice(schemaUrl));
    resources.end(this.batch.bytes);
    return row;
  }

  scope(resource: number, name: string | Uint8Array, version = '', attributes: TestAttributes = []): number {
    const { scopes } = this.batch;
    const row = scopes.add(resource);
    scopes.name.set(row, ...this.slice(name));
    scopes.version.set(row, ...this.slice(version));
    this.attributes(scopes.attributes, attributes);
    scopes.end();
    return row;
  }
}

/** Low and high word. */
export function words(value: bigint): [low: number, high: number] {
  const bits = BigInt.asUintN(64, value);
  return [Number(bits & 0xffff_ffffn), Number(bits >> 32n)];
}

/** Adds a span with little in it. */
export function addSpan(
  writer: BatchWriter<SpanBatch>,
  scope: number,
  span: {
    name: string | Uint8Array;
    start: bigint;
    end?: bigint;
    traceId?: string;
    spanId?: string;
    attributes?: TestAttributes;
  },
): number {
  const { batch } = writer;
  const row = batch.begin(batch.scopes.resource[scope], scope);
  batch.traceId.set(Buffer.from(span.traceId ?? '0af7651916cd43dd8448eb211c80319c', 'hex'), row * 16);
  batch.spanId.set(Buffer.from(span.spanId ?? 'b7ad6b7169203331', 'hex'), row * 8);
  batch.name.set(row, ...writer.slice(span.name));
  batch.startTime.setWords(row, ...words(span.start));
  batch.endTime.setWords(row, ...words(span.end ?? span.start));
  writer.attributes(batch.attributes, span.attributes ?? []);
  batch.end();
  return row;
}

/** Adds a log record with little in it. */
export function addLog(
  writer: BatchWriter<LogBatch>,
  scope: number,
  log: { body: TestValue; time: bigint; observed?: bigint; attributes?: TestAttributes },
): number {
  const { batch } = writer;
  const row = batch.begin(batch.scopes.resource[scope], scope);
  writer.value(batch.body, row, log.body);
  batch.time.setWords(row, ...words(log.time));
  batch.observedTime.setWords(row, ...words(log.observed ?? 0n));
  writer.attributes(batch.attributes, log.attributes ?? []);
  batch.end();
  return row;
}

/** Adds a metric; its points are the caller's. */
export function addMetric(
  writer: BatchWriter<MetricBatch>,
  scope: number,
  metric: {
    name: string;
    type: number;
    unit?: string;
    description?: string;
    temporality?: number;
    monotonic?: boolean;
  },
): number {
  const { batch } = writer;
  const row = batch.metrics.add(batch.scopes.resource[scope], scope);
  batch.metrics.name.set(row, ...writer.slice(metric.name));
  batch.metrics.unit.set(row, ...writer.slice(metric.unit ?? ''));
  batch.metrics.description.set(row, ...writer.slice(metric.description ?? ''));
  batch.metrics.type[row] = metric.type;
  batch.metrics.temporality[row] = metric.temporality ?? 0;
  batch.metrics.monotonic[row] = metric.monotonic ? 1 : 0;
  return row;
}

/** Adds a point of a gauge or a sum. */
export function addNumberPoint(
  writer: BatchWriter<MetricBatch>,
  metric: number,
  point: { time: bigint; start?: bigint; value: number | bigint; attributes?: TestAttributes; flags?: number },
): number {
  const points = writer.batch.numberPoints;
  const row = points.begin(metric);
  points.time.setWords(row, ...words(point.time));
  points.startTime.setWords(row, ...words(point.start ?? 0n));
  points.flags[row] = point.flags ?? 0;
  if (typeof point.value === 'bigint') points.value.setIntWords(row, ...words(point.value));
  else points.value.setDouble(row, point.value);
  writer.attributes(points.attributes, point.attributes ?? []);
  points.end();
  return row;
}
