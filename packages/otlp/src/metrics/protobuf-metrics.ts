import {
  type ExemplarTable,
  type Float64Lists,
  HistogramPresence,
  type MetricBatch,
  MetricType,
  type PointTable,
  type Uint64Lists,
} from '@signalbox/records';
import type { DecodeLimits } from '../wire/decode-limits.ts';
import { SPAN_ID_BYTES, setId, TRACE_ID_BYTES } from '../wire/ids.ts';
import { ProtobufRequest } from '../wire/protobuf-request.ts';
import type { Rejections } from '../wire/rejections.ts';
import { endHistogramPoint, endMetric, endNumberPoint, forgetPointsSince, pointCounts } from './metric-rejections.ts';

const MAX_TEMPORALITY = 2;

/** Reads `ExportMetricsServiceRequest` (metrics.proto) into columns. */
export class ProtobufMetrics extends ProtobufRequest<MetricBatch> {
  readonly #rejections: Rejections;

  constructor(batch: MetricBatch, limits: DecodeLimits, rejections: Rejections) {
    super(batch, limits);
    this.#rejections = rejections;
  }

  protected override readRecord(end: number, resource: number, scope: number): void {
    const { reader, batch } = this;
    const { metrics } = batch;
    const metric = metrics.add(resource, scope);
    const counts = pointCounts(batch);
    while (reader.position < end) {
      const tag = reader.tag();
      switch (tag) {
        case 0x0a:
        case 0x12:
        case 0x1a: {
          const textEnd = reader.delimited(end);
          const column = tag === 0x0a ? metrics.name : tag === 0x12 ? metrics.description : metrics.unit;
          column.set(metric, reader.position, textEnd);
          reader.position = textEnd;
          break;
        }
        case 0x2a:
        case 0x3a:
        case 0x4a:
        case 0x52:
        case 0x5a: {
          const type = TYPE_OF_TAG[tag];
          if (metrics.type[metric] !== type) {
            // A oneof: what came before does not count.
            forgetPointsSince(batch, counts);
            metrics.temporality[metric] = 0;
            metrics.monotonic[metric] = 0;
            metrics.type[metric] = type;
          }
          this.#data(reader.delimited(end), metric, type);
          break;
        }
        default:
          reader.skip(tag, end);
      }
    }
    reader.endMessage(end);
    endMetric(batch, metric, counts, this.#rejections);
  }

  /** `Gauge`, `Sum`, `Histogram`, `ExponentialHistogram` and `Summary` number their fields alike. */
  #data(end: number, metric: number, type: MetricType): void {
    const { reader } = this;
    const { metrics } = this.batch;
    const hasTemporality = type !== MetricType.Gauge && type !== MetricType.Summary;
    while (reader.position < end) {
      const tag = reader.tag();
      if (tag === 0x0a) {
        this.#point(reader.delimited(end), metric, type);
      } else if (tag === 0x10 && hasTemporality) {
        const temporality = reader.uint32();
        metrics.temporality[metric] = temporality <= MAX_TEMPORALITY ? temporality : 0;
      } else if (tag === 0x18 && type === MetricType.Sum) {
        metrics.monotonic[metric] = reader.bool() ? 1 : 0;
      } else {
        reader.skip(tag, end);
      }
    }
    reader.endMessage(end);
  }

  #point(end: number, metric: number, type: MetricType): void {
    switch (type) {
      case MetricType.Gauge:
      case MetricType.Sum:
        this.#numberPoint(end, metric);
        break;
      case MetricType.Histogram:
        this.#histogramPoint(end, metric);
        break;
      case MetricType.ExponentialHistogram:
        this.#exponentialHistogramPoint(end, metric);
        break;
      default:
        this.#summaryPoint(end, metric);
    }
  }

  #numberPoint(end: number, metric: number): void {
    const { reader } = this;
    const points = this.batch.numberPoints;
    const row = points.begin(metric);
    while (reader.position < end) {
      const tag = reader.tag();
      switch (tag) {
        case 0x11:
        case 0x19:
          this.#time(points, row, tag);
          break;
        case 0x21:
          points.value.setDouble(row, reader.double());
          break;
        case 0x2a:
          this.#exemplar(reader.delimited(end), points.exemplars);
          break;
        case 0x31:
          reader.fixed64();
          points.value.setIntWords(row, reader.low, reader.high);
          break;
        case 0x3a:
          this.values.attributes(points.attributes, end, tag);
          break;
        case 0x40:
          points.flags[row] = reader.uint32();
          break;
        default:
          reader.skip(tag, end);
      }
    }
    reader.endMessage(end);
    endNumberPoint(points, this.#rejections);
  }

  #histogramPoint(end: number, metric: number): void {
    const { reader } = this;
    const points = this.batch.histogramPoints;
    const row = points.begin(metric);
    while (reader.position < end) {
      const tag = reader.tag();
      switch (tag) {
        case 0x11:
        case 0x19:
          this.#time(points, row, tag);
          break;
        case 0x21:
          reader.fixed64();
          points.valueCount.setWords(row, reader.low, reader.high);
          break;
        case 0x29:
          points.sum[row] = reader.double();
          points.presence[row] |= HistogramPresence.Sum;
          break;
        case 0x31:
        case 0x32:
          this.#fixed64List(points.bucketCounts, tag, end);
          break;
        case 0x39:
        case 0x3a:
          this.#doubleList(points.explicitBounds, tag, end);
          break;
        case 0x42:
          this.#exemplar(reader.delimited(end), points.exemplars);
          break;
        case 0x4a:
          this.values.attributes(points.attributes, end, tag);
          break;
        case 0x50:
          points.flags[row] = reader.uint32();
          break;
        case 0x59:
          points.min[row] = reader.double();
          points.presence[row] |= HistogramPresence.Min;
          break;
        case 0x61:
          points.max[row] = reader.double();
          points.presence[row] |= HistogramPresence.Max;
          break;
        default:
          reader.skip(tag, end);
      }
    }
    reader.endMessage(end);
    endHistogramPoint(points, this.#rejections);
  }

  #exponentialHistogramPoint(end: number, metric: number): void {
    const { reader } = this;
    const points = this.batch.exponentialHistogramPoints;
    const row = points.begin(metric);
    while (reader.position < end) {
      const tag = reader.tag();
      switch (tag) {
        case 0x0a:
          this.values.attributes(points.attributes, end, tag);
          break;
        case 0x11:
        case 0x19:
          this.#time(points, row, tag);
          break;
        case 0x21:
          reader.fixed64();
          points.valueCount.setWords(row, reader.low, reader.high);
          break;
        case 0x29:
          points.sum[row] = reader.double();
          points.presence[row] |= HistogramPresence.Sum;
          break;
        case 0x30:
          points.scale[row] = reader.sint32();
          break;
        case 0x39:
          reader.fixed64();
          points.zeroCount.setWords(row, reader.low, reader.high);
          break;
        case 0x42:
          this.#buckets(reader.delimited(end), row, points.positiveOffset, points.positiveCounts);
          break;
        case 0x4a:
          this.#buckets(reader.delimited(end), row, points.negativeOffset, points.negativeCounts);
          break;
        case 0x50:
          points.flags[row] = reader.uint32();
          break;
        case 0x5a:
          this.#exemplar(reader.delimited(end), points.exemplars);
          break;
        case 0x61:
          points.min[row] = reader.double();
          points.presence[row] |= HistogramPresence.Min;
          break;
        case 0x69:
          points.max[row] = reader.double();
          points.presence[row] |= HistogramPresence.Max;
          break;
        case 0x71:
          points.zeroThreshold[row] = reader.double();
          break;
        default:
          reader.skip(tag, end);
      }
    }
    reader.endMessage(end);
    points.end();
  }

  #summaryPoint(end: number, metric: number): void {
    const { reader } = this;
    const points = this.batch.summaryPoints;
    const row = points.begin(metric);
    while (reader.position < end) {
      const tag = reader.tag();
      switch (tag) {
        case 0x11:
        case 0x19:
          this.#time(points, row, tag);
          break;
        case 0x21:
          reader.fixed64();
          points.valueCount.setWords(row, reader.low, reader.high);
          break;
        case 0x29:
          points.sum[row] = reader.double();
          break;
        case 0x32:
          this.#quantile(reader.delimited(end));
          break;
        case 0x3a:
          this.values.attributes(points.attributes, end, tag);
          break;
        case 0x40:
          points.flags[row] = reader.uint32();
          break;
        default:
          reader.skip(tag, end);
      }
    }
    reader.endMessage(end);
    points.end();
  }

  #quantile(end: number): void {
    const { reader } = this;
    const points = this.batch.summaryPoints;
    let quantile = 0;
    let value = 0;
    while (reader.position < end) {
      const tag = reader.tag();
      if (tag === 0x09) {
        quantile = reader.double();
      } else if (tag === 0x11) {
        value = reader.double();
      } else {
        reader.skip(tag, end);
      }
    }
    reader.endMessage(end);
    points.quantiles.push(quantile);
    points.quantileValues.push(value);
  }

  #buckets(end: number, row: number, offsets: Int32Array, counts: Uint64Lists): void {
    const { reader } = this;
    while (reader.position < end) {
      const tag = reader.tag();
      if (tag === 0x08) {
        offsets[row] = reader.sint32();
      } else if (tag === 0x10) {
        reader.varint();
        counts.pushWords(reader.low, reader.high);
      } else if (tag === 0x12) {
        const packedEnd = reader.delimited(end);
        while (reader.position < packedEnd) {
          reader.varint();
          counts.pushWords(reader.low, reader.high);
        }
        reader.endMessage(packedEnd);
      } else {
        reader.skip(tag, end);
      }
    }
    reader.endMessage(end);
  }

  #exemplar(end: number, exemplars: ExemplarTable): void {
    const { reader } = this;
    const entry = exemplars.begin();
    while (reader.position < end) {
      const tag = reader.tag();
      switch (tag) {
        case 0x11:
          reader.fixed64();
          exemplars.time.setWords(entry, reader.low, reader.high);
          break;
        case 0x19:
          exemplars.value.setDouble(entry, reader.double());
          break;
        case 0x22:
        case 0x2a: {
          const idEnd = reader.delimited(end);
          if (tag === 0x22) {
            setId(reader.bytes, reader.position, idEnd, exemplars.spanId, SPAN_ID_BYTES, entry);
          } else {
            setId(reader.bytes, reader.position, idEnd, exemplars.traceId, TRACE_ID_BYTES, entry);
          }
          reader.position = idEnd;
          break;
        }
        case 0x31:
          reader.fixed64();
          exemplars.value.setIntWords(entry, reader.low, reader.high);
          break;
        case 0x3a:
          this.values.attributes(exemplars.attributes, end, tag);
          break;
        default:
          reader.skip(tag, end);
      }
    }
    reader.endMessage(end);
    exemplars.end();
  }

  /** Field 2 of all points is the start time, field 3 the time. */
  #time(points: PointTable, row: number, tag: number): void {
    const { reader } = this;
    reader.fixed64();
    (tag === 0x11 ? points.startTime : points.time).setWords(row, reader.low, reader.high);
  }

  /** One number, or a packed list of them. */
  #fixed64List(lists: Uint64Lists, tag: number, messageEnd: number): void {
    const { reader } = this;
    if ((tag & 7) === 1) {
      reader.fixed64();
      lists.pushWords(reader.low, reader.high);
      return;
    }
    const end = reader.delimited(messageEnd);
    while (reader.position < end) {
      reader.fixed64();
      lists.pushWords(reader.low, reader.high);
    }
    reader.endMessage(end);
  }

  /** One number, or a packed list of them. */
  #doubleList(lists: Float64Lists, tag: number, messageEnd: number): void {
    const { reader } = this;
    if ((tag & 7) === 1) {
      lists.push(reader.double());
      return;
    }
    const end = reader.delimited(messageEnd);
    while (reader.position < end) {
      lists.push(reader.double());
    }
    reader.endMessage(end);
  }
}

const TYPE_OF_TAG: Readonly<Record<0x2a | 0x3a | 0x4a | 0x52 | 0x5a, MetricType>> = {
  42: MetricType.Gauge,
  58: MetricType.Sum,
  74: MetricType.Histogram,
  82: MetricType.ExponentialHistogram,
  90: MetricType.Summary,
};
