import {
  type ExemplarTable,
  HistogramPresence,
  type MetricBatch,
  MetricType,
  type NumberColumn,
  type PointTable,
  type Uint64Column,
  type Uint64Lists,
} from '@signalbox/records';
import type { DecodeLimits } from '../wire/decode-limits.ts';
import { FieldNames } from '../wire/field-names.ts';
import { SPAN_ID_BYTES, TRACE_ID_BYTES } from '../wire/ids.ts';
import { readHexId } from '../wire/json-bytes.ts';
import { INTEGER_RANGES } from '../wire/json-integer.ts';
import { END_OF_OBJECT } from '../wire/json-reader.ts';
import { JsonRequest, type RequestNames } from '../wire/json-request.ts';
import type { Rejections } from '../wire/rejections.ts';
import { endHistogramPoint, endMetric, endNumberPoint, forgetPointsSince, pointCounts } from './metric-rejections.ts';

const NAMES: RequestNames = {
  request: new FieldNames('resourceMetrics'),
  resourceGroup: new FieldNames('resource', 'scopeMetrics', 'schemaUrl'),
  scopeGroup: new FieldNames('scope', 'metrics', 'schemaUrl'),
};
const FIRST_DATA_FIELD = 4;
const METRIC = new FieldNames(
  'name',
  'description',
  'unit',
  'gauge',
  'sum',
  'histogram',
  'exponentialHistogram',
  'summary',
);
const DATA = new FieldNames('dataPoints', 'aggregationTemporality', 'isMonotonic');
const COMMON = ['attributes', 'startTimeUnixNano', 'timeUnixNano', 'flags'] as const;
const NUMBER_POINT = new FieldNames(...COMMON, 'asDouble', 'asInt', 'exemplars');
const ANY_HISTOGRAM = [...COMMON, 'count', 'sum', 'min', 'max', 'exemplars'] as const;
const HISTOGRAM_POINT = new FieldNames(...ANY_HISTOGRAM, 'bucketCounts', 'explicitBounds');
const EXPONENTIAL_POINT = new FieldNames(
  ...ANY_HISTOGRAM,
  'scale',
  'zeroCount',
  'zeroThreshold',
  'positive',
  'negative',
);
const SUMMARY_POINT = new FieldNames(...COMMON, 'count', 'sum', 'quantileValues');
const BUCKETS = new FieldNames('offset', 'bucketCounts');
const QUANTILE = new FieldNames('quantile', 'value');
const EXEMPLAR = new FieldNames('filteredAttributes', 'timeUnixNano', 'asDouble', 'asInt', 'traceId', 'spanId');

const MAX_TEMPORALITY = 2;

/** Reads `ExportMetricsServiceRequest` in OTLP/JSON into columns. */
export class JsonMetrics extends JsonRequest<MetricBatch> {
  readonly #rejections: Rejections;

  constructor(batch: MetricBatch, limits: DecodeLimits, rejections: Rejections) {
    super(batch, limits, NAMES);
    this.#rejections = rejections;
  }

  protected override readRecord(resource: number, scope: number): void {
    const { reader, batch } = this;
    const { metrics } = batch;
    const metric = metrics.add(resource, scope);
    const counts = pointCounts(batch);
    for (let field = reader.firstField(METRIC); field !== END_OF_OBJECT; field = reader.nextField(METRIC)) {
      switch (field) {
        case 0:
          reader.skip();
          break;
        case 1:
          this.text(metrics.name, metric);
          break;
        case 2:
          this.text(metrics.description, metric);
          break;
        case 3:
          this.text(metrics.unit, metric);
          break;
        default: {
          if (reader.null()) {
            break;
          }
          const type = (field - FIRST_DATA_FIELD + MetricType.Gauge) as MetricType;
          if (metrics.type[metric] !== type) {
            // A oneof: what came before does not count.
            forgetPointsSince(batch, counts);
            metrics.temporality[metric] = 0;
            metrics.monotonic[metric] = 0;
            metrics.type[metric] = type;
          }
          this.#data(metric, type);
        }
      }
    }
    endMetric(batch, metric, counts, this.#rejections);
  }

  #data(metric: number, type: MetricType): void {
    const { reader } = this;
    const { metrics } = this.batch;
    const hasTemporality = type !== MetricType.Gauge && type !== MetricType.Summary;
    for (let field = reader.firstField(DATA); field !== END_OF_OBJECT; field = reader.nextField(DATA)) {
      if (field === 1) {
        for (let more = reader.firstElement(); more; more = reader.nextElement()) {
          this.#point(metric, type);
        }
      } else if (field === 2 && hasTemporality) {
        metrics.temporality[metric] = reader.enum(MAX_TEMPORALITY);
      } else if (field === 3 && type === MetricType.Sum) {
        metrics.monotonic[metric] = reader.bool() ? 1 : 0;
      } else {
        reader.skip();
      }
    }
  }

  #point(metric: number, type: MetricType): void {
    switch (type) {
      case MetricType.Gauge:
      case MetricType.Sum:
        this.#numberPoint(metric);
        break;
      case MetricType.Histogram:
        this.#histogramPoint(metric);
        break;
      case MetricType.ExponentialHistogram:
        this.#exponentialHistogramPoint(metric);
        break;
      default:
        this.#summaryPoint(metric);
    }
  }

  #numberPoint(metric: number): void {
    const { reader } = this;
    const points = this.batch.numberPoints;
    const row = points.begin(metric);
    for (let field = reader.firstField(NUMBER_POINT); field !== END_OF_OBJECT; field = reader.nextField(NUMBER_POINT)) {
      switch (field) {
        case 5:
        case 6:
          this.#number(points.value, row, field === 6);
          break;
        case 7:
          this.#exemplars(points.exemplars);
          break;
        default:
          this.#common(points, row, field);
      }
    }
    endNumberPoint(points, this.#rejections);
  }

  #histogramPoint(metric: number): void {
    const { reader } = this;
    const points = this.batch.histogramPoints;
    const row = points.begin(metric);
    for (
      let field = reader.firstField(HISTOGRAM_POINT);
      field !== END_OF_OBJECT;
      field = reader.nextField(HISTOGRAM_POINT)
    ) {
      switch (field) {
        case 10:
          this.#counts(points.bucketCounts);
          break;
        case 11:
          for (let more = reader.firstElement(); more; more = reader.nextElement()) {
            points.explicitBounds.push(reader.double());
          }
          break;
        default:
          this.#anyHistogram(points, row, field);
      }
    }
    endHistogramPoint(points, this.#rejections);
  }

  #exponentialHistogramPoint(metric: number): void {
    const { reader } = this;
    const points = this.batch.exponentialHistogramPoints;
    const row = points.begin(metric);
    for (
      let field = reader.firstField(EXPONENTIAL_POINT);
      field !== END_OF_OBJECT;
      field = reader.nextField(EXPONENTIAL_POINT)
    ) {
      switch (field) {
        case 10:
          points.scale[row] = reader.int32();
          break;
        case 11:
          this.#uint64(points.zeroCount, row);
          break;
        case 12:
          points.zeroThreshold[row] = reader.double();
          break;
        case 13:
          this.#buckets(points.positiveOffset, points.positiveCounts, row);
          break;
        case 14:
          this.#buckets(points.negativeOffset, points.negativeCounts, row);
          break;
        default:
          this.#anyHistogram(points, row, field);
      }
    }
    points.end();
  }

  #summaryPoint(metric: number): void {
    const { reader } = this;
    const points = this.batch.summaryPoints;
    const row = points.begin(metric);
    for (
      let field = reader.firstField(SUMMARY_POINT);
      field !== END_OF_OBJECT;
      field = reader.nextField(SUMMARY_POINT)
    ) {
      switch (field) {
        case 5:
          this.#uint64(points.valueCount, row);
          break;
        case 6:
          points.sum[row] = reader.double();
          break;
        case 7:
          for (let more = reader.firstElement(); more; more = reader.nextElement()) {
            this.#quantile();
          }
          break;
        default:
          this.#common(points, row, field);
      }
    }
    points.end();
  }

  /** Fields 1 to 4 of every kind of point. */
  #common(points: PointTable, row: number, field: number): void {
    const { reader } = this;
    switch (field) {
      case 1:
        this.values.attributes(points.attributes);
        break;
      case 2:
        this.#uint64(points.startTime, row);
        break;
      case 3:
        this.#uint64(points.time, row);
        break;
      case 4:
        points.flags[row] = reader.uint32();
        break;
      default:
        reader.skip();
    }
  }

  /** Fields 1 to 9 of both kinds of histogram. */
  #anyHistogram(
    points: MetricBatch['histogramPoints'] | MetricBatch['exponentialHistogramPoints'],
    row: number,
    field: number,
  ): void {
    const { reader } = this;
    switch (field) {
      case 5:
        this.#uint64(points.valueCount, row);
        break;
      case 6:
      case 7:
      case 8: {
        if (reader.null()) {
          break;
        }
        const column = field === 6 ? points.sum : field === 7 ? points.min : points.max;
        column[row] = reader.double();
        points.presence[row] |=
          field === 6 ? HistogramPresence.Sum : field === 7 ? HistogramPresence.Min : HistogramPresence.Max;
        break;
      }
      case 9:
        this.#exemplars(points.exemplars);
        break;
      default:
        this.#common(points, row, field);
    }
  }

  #buckets(offsets: Int32Array, counts: Uint64Lists, row: number): void {
    const { reader } = this;
    for (let field = reader.firstField(BUCKETS); field !== END_OF_OBJECT; field = reader.nextField(BUCKETS)) {
      if (field === 1) {
        offsets[row] = reader.int32();
      } else if (field === 2) {
        this.#counts(counts);
      } else {
        reader.skip();
      }
    }
  }

  #counts(lists: Uint64Lists): void {
    const { reader } = this;
    for (let more = reader.firstElement(); more; more = reader.nextElement()) {
      reader.integer64(INTEGER_RANGES.uint64);
      lists.pushWords(reader.low, reader.high);
    }
  }

  #quantile(): void {
    const { reader } = this;
    const points = this.batch.summaryPoints;
    let quantile = 0;
    let value = 0;
    for (let field = reader.firstField(QUANTILE); field !== END_OF_OBJECT; field = reader.nextField(QUANTILE)) {
      if (field === 1) {
        quantile = reader.double();
      } else if (field === 2) {
        value = reader.double();
      } else {
        reader.skip();
      }
    }
    points.quantiles.push(quantile);
    points.quantileValues.push(value);
  }

  #exemplars(exemplars: ExemplarTable): void {
    const { reader } = this;
    for (let more = reader.firstElement(); more; more = reader.nextElement()) {
      const entry = exemplars.begin();
      for (let field = reader.firstField(EXEMPLAR); field !== END_OF_OBJECT; field = reader.nextField(EXEMPLAR)) {
        switch (field) {
          case 1:
            this.values.attributes(exemplars.attributes);
            break;
          case 2:
            this.#uint64(exemplars.time, entry);
            break;
          case 3:
          case 4:
            this.#number(exemplars.value, entry, field === 4);
            break;
          case 5:
            readHexId(reader, exemplars.traceId, TRACE_ID_BYTES, entry);
            break;
          case 6:
            readHexId(reader, exemplars.spanId, SPAN_ID_BYTES, entry);
            break;
          default:
            reader.skip();
        }
      }
      exemplars.end();
    }
  }

  #uint64(column: Uint64Column, row: number): void {
    const { reader } = this;
    reader.integer64(INTEGER_RANGES.uint64);
    column.setWords(row, reader.low, reader.high);
  }

  #number(column: NumberColumn, row: number, isInt: boolean): void {
    const { reader } = this;
    if (reader.null()) {
      return;
    }
    if (isInt) {
      reader.integer64(INTEGER_RANGES.int64);
      column.setIntWords(row, reader.low, reader.high);
    } else {
      column.setDouble(row, reader.double());
    }
  }
}
