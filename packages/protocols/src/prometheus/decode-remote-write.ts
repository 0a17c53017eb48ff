import { ProtobufReader } from '@signalbox/otlp';
import { type MetricBatch, MetricType } from '@signalbox/records';
import { fields, int64, message, packed, sint64, text } from '../protobuf-fields.ts';
import { decoding, ProtocolDecodeError } from '../protocol-decode-error.ts';
import { floatType } from './float-type.ts';
import {
  CUSTOM_BUCKETS_SCHEMA,
  emptyHistogram,
  type NativeHistogram,
  readSpan,
  setCustomPoint,
  setExponentialPoint,
} from './native-histogram.ts';
import { doubleOf, isStaleMarker, type LabelPair, PrometheusBatch, type SeriesExemplar } from './prometheus-batch.ts';
import { readLabel } from './read-label.ts';

export type RemoteWriteVersion = '1.0' | '2.0';

export interface DecodedRemoteWrite {
  readonly batch: MetricBatch;
  /** As the response headers of version 2.0 count them. */
  readonly written: { readonly samples: number; readonly histograms: number; readonly exemplars: number };
}

interface Sample {
  readonly value: number;
  readonly stale: boolean;
  readonly timeMs: number;
  readonly startMs: number;
}

interface TimedHistogram extends NativeHistogram {
  stale: boolean;
  timeMs: number;
  startMs: number;
}

interface Series {
  labels: LabelPair[];
  readonly samples: Sample[];
  readonly histograms: TimedHistogram[];
  readonly exemplars: SeriesExemplar[];
  help: string;
  unit: string;
  /** Of all of them, where they have none of their own. */
  startMs: number;
}

const WHAT = 'remote write request';
const MAX_LABELS = 512;

/**
 * Decodes `prometheus.WriteRequest` (1.0) or `io.prometheus.write.v2.Request` (2.0), after decompression. `job` and `instance` name the resource.
 *
 * Names stay as they are in Prometheus: a sum is what ends in `_total` (`floatType`); all other floats are gauges, buckets and counts of classic histograms
 * among them, since a request rarely holds all series of one. Native histograms become exponential ones. Throws ProtocolDecodeError.
 */
export function decodeRemoteWrite(bytes: Uint8Array, version: RemoteWriteVersion): DecodedRemoteWrite {
  return decoding(WHAT, () => {
    const series = version === '1.0' ? readVersion1(bytes) : readVersion2(bytes);
    const prometheus = new PrometheusBatch();
    const written = { samples: 0, histograms: 0, exemplars: 0 };
    for (const one of series) {
      addSeries(prometheus, one);
      written.samples += one.samples.length;
      written.histograms += one.histograms.length;
      written.exemplars += one.exemplars.length;
    }
    return { batch: prometheus.batch, written };
  });
}

function addSeries(prometheus: PrometheusBatch, series: Series): void {
  const { batch } = prometheus;
  const values = new Map(series.labels);
  const name = values.get('__name__') ?? '';
  if (name === '') throw new ProtocolDecodeError(`${WHAT}: a series has no name (label __name__)`);
  const origin = { job: values.get('job') ?? '', instance: values.get('instance') ?? '', resource: [] };
  const labels = series.labels.filter(([key]) => key !== '__name__' && key !== 'job' && key !== 'instance');
  // A unit that is not the end of the name would become so when the name is made again.
  const unit = series.unit !== '' && name.replace(/_total$/, '').endsWith(`_${series.unit}`) ? series.unit : '';
  const about = { name, help: series.help, unit };
  series.samples.forEach(({ value, stale, timeMs, startMs }, index) => {
    const type = floatType(name);
    const points = batch.numberPoints;
    const metric = prometheus.metric(origin, { ...about, type });
    const row = prometheus.point(points, metric, labels, startMs || series.startMs, timeMs);
    if (stale) prometheus.setStale(points, row);
    else points.value.setDouble(row, value);
    // Exemplars are the series', and stay with its last point.
    if (index === series.samples.length - 1) {
      for (const exemplar of series.exemplars) prometheus.exemplar(points.exemplars, exemplar);
    }
    points.end();
  });
  series.histograms.forEach((histogram, index) => {
    const custom = histogram.schema === CUSTOM_BUCKETS_SCHEMA;
    const type = custom ? MetricType.Histogram : MetricType.ExponentialHistogram;
    const points = custom ? batch.histogramPoints : batch.exponentialHistogramPoints;
    const metric = prometheus.metric(origin, { ...about, type });
    const row = prometheus.point(points, metric, labels, histogram.startMs || series.startMs, histogram.timeMs);
    if (histogram.stale) prometheus.setStale(points, row);
    else if (custom) setCustomPoint(batch.histogramPoints, row, histogram);
    else setExponentialPoint(batch.exponentialHistogramPoints, row, histogram);
    if (index === series.histograms.length - 1) {
      for (const exemplar of series.exemplars) prometheus.exemplar(points.exemplars, exemplar);
    }
    points.end();
  });
}

function emptySeries(): Series {
  return { labels: [], samples: [], histograms: [], exemplars: [], help: '', unit: '', startMs: 0 };
}

function readVersion1(bytes: Uint8Array): Series[] {
  const reader = new ProtobufReader(bytes);
  const series: Series[] = [];
  const metadata = new Map<string, { help: string; unit: string }>();
  fields(reader, bytes.length, (tag) => {
    if (tag === 0x0a) {
      const one = emptySeries();
      message(reader, bytes.length, (field, end) => readSeriesField(reader, field, end, one, null));
      checkLabels(one.labels);
      series.push(one);
    } else if (tag === 0x1a) {
      let family = '';
      const about = { help: '', unit: '' };
      message(reader, bytes.length, (field, end) => {
        if (field === 0x12) family = text(reader, end);
        else if (field === 0x22) about.help = text(reader, end);
        else if (field === 0x2a) about.unit = text(reader, end);
        else return false;
        return true;
      });
      metadata.set(family, about);
    } else return false;
    return true;
  });
  for (const one of series) {
    const name = one.labels.find(([key]) => key === '__name__')?.[1] ?? '';
    const found = metadata.get(name) ?? metadata.get(name.replace(/_(total|bucket|count|sum)$/, ''));
    if (found !== undefined) Object.assign(one, found);
  }
  return series;
}

function readVersion2(bytes: Uint8Array): Series[] {
  const reader = new ProtobufReader(bytes);
  const symbols: string[] = [];
  // Symbols may follow the series that use them.
  fields(reader, bytes.length, (tag) => {
    if (tag !== 0x22) return false;
    symbols.push(text(reader, bytes.length));
    return true;
  });
  if (symbols[0] !== undefined && symbols[0] !== '') {
    throw new ProtocolDecodeError(`${WHAT}: the first symbol must be the empty one`);
  }
  reader.position = 0;
  const series: Series[] = [];
  fields(reader, bytes.length, (tag) => {
    if (tag !== 0x2a) return false;
    const one = emptySeries();
    message(reader, bytes.length, (field, end) => readSeriesField(reader, field, end, one, symbols));
    checkLabels(one.labels);
    series.push(one);
    return true;
  });
  return series;
}

function checkLabels(labels: readonly LabelPair[]): void {
  if (labels.length > MAX_LABELS) throw new ProtocolDecodeError(`${WHAT}: a series has more than ${MAX_LABELS} labels`);
}

/** @param symbols of version 2.0, whose fields differ from those of 1.0 where they hold labels, and in the order of the lists */
function readSeriesField(
  reader: ProtobufReader,
  tag: number,
  end: number,
  series: Series,
  symbols: readonly string[] | null,
): boolean {
  const isHistogram = tag === (symbols === null ? 0x22 : 0x1a);
  if (isHistogram) {
    series.histograms.push(readHistogram(reader, end));
    return true;
  }
  if (tag === (symbols === null ? 0x1a : 0x22)) {
    series.exemplars.push(readExemplar(reader, end, symbols));
    return true;
  }
  switch (tag) {
    case 0x0a:
      if (symbols === null) series.labels.push(readLabel(reader, end));
      else series.labels.push(...readReferences(reader, end, symbols));
      return true;
    case 0x12:
      series.samples.push(readSample(reader, end));
      return true;
    case 0x2a:
      if (symbols === null) return false;
      message(reader, end, (field) => {
        if (field === 0x18) series.help = symbol(symbols, reader.uint32());
        else if (field === 0x20) series.unit = symbol(symbols, reader.uint32());
        else return false;
        return true;
      });
      return true;
    case 0x30:
      if (symbols === null) return false;
      series.startMs = int64(reader);
      return true;
    default:
      return false;
  }
}

function symbol(symbols: readonly string[], index: number): string {
  const found = symbols[index];
  if (found === undefined) throw new ProtocolDecodeError(`${WHAT}: there is no symbol ${index}`);
  return found;
}

function readReferences(reader: ProtobufReader, messageEnd: number, symbols: readonly string[]): LabelPair[] {
  const end = reader.delimited(messageEnd);
  const pairs: LabelPair[] = [];
  while (reader.position < end) {
    const name = symbol(symbols, reader.uint32());
    if (reader.position >= end) throw new ProtocolDecodeError(`${WHAT}: a label has a name and no value`);
    pairs.push([name, symbol(symbols, reader.uint32())]);
  }
  reader.endMessage(end);
  checkLabels(pairs);
  return pairs;
}

function readSample(reader: ProtobufReader, messageEnd: number): Sample {
  let low = 0;
  let high = 0;
  let timeMs = 0;
  let startMs = 0;
  message(reader, messageEnd, (tag) => {
    if (tag === 0x09) {
      reader.fixed64();
      ({ low, high } = reader);
    } else if (tag === 0x10) timeMs = int64(reader);
    else if (tag === 0x18) startMs = int64(reader);
    else return false;
    return true;
  });
  return { value: doubleOf(low, high), stale: isStaleMarker(low, high), timeMs, startMs };
}

function readExemplar(reader: ProtobufReader, messageEnd: number, symbols: readonly string[] | null): SeriesExemplar {
  const labels: LabelPair[] = [];
  let value = 0;
  let timeMs = 0;
  message(reader, messageEnd, (tag, end) => {
    if (tag === 0x0a) {
      if (symbols === null) labels.push(readLabel(reader, end));
      else labels.push(...readReferences(reader, end, symbols));
    } else if (tag === 0x11) value = reader.double();
    else if (tag === 0x18) timeMs = int64(reader);
    else return false;
    return true;
  });
  checkLabels(labels);
  return { labels, value, timeMs };
}

function readHistogram(reader: ProtobufReader, messageEnd: number): TimedHistogram {
  const histogram: TimedHistogram = { ...emptyHistogram(), stale: false, timeMs: 0, startMs: 0 };
  message(reader, messageEnd, (tag, end) => {
    switch (tag) {
      case 0x08:
        histogram.count = int64(reader);
        break;
      case 0x11:
        histogram.count = reader.double();
        break;
      case 0x19:
        reader.fixed64();
        histogram.sum = doubleOf(reader.low, reader.high);
        histogram.stale = isStaleMarker(reader.low, reader.high);
        break;
      case 0x20:
        histogram.schema = reader.sint32();
        break;
      case 0x29:
        histogram.zeroThreshold = reader.double();
        break;
      case 0x30:
        histogram.zeroCount = int64(reader);
        break;
      case 0x39:
        histogram.zeroCount = reader.double();
        break;
      case 0x42:
      case 0x5a:
        (tag === 0x42 ? histogram.negative : histogram.positive).spans.push(readSpan(reader, end));
        break;
      case 0x4a:
      case 0x62:
        packed(reader, end, (tag === 0x4a ? histogram.negative : histogram.positive).deltas, sint64);
        break;
      case 0x52:
      case 0x6a:
        packed(reader, end, (tag === 0x52 ? histogram.negative : histogram.positive).counts, (from) => from.double());
        break;
      case 0x78:
        histogram.timeMs = int64(reader);
        break;
      case 0x82:
        packed(reader, end, histogram.customValues, (from) => from.double());
        break;
      case 0x88:
        histogram.startMs = int64(reader);
        break;
      default:
        return false;
    }
    return true;
  });
  return histogram;
}
