import { ProtobufReader } from '@signalbox/otlp';
import { int64, message, packed, sint64, text } from '../protobuf-fields.ts';
import { decoding, ProtocolDecodeError } from '../protocol-decode-error.ts';
import { boundLabel, type ExposedSample, type Exposition } from './exposition.ts';
import { checkSpans, emptyHistogram, type NativeHistogram, readSpan } from './native-histogram.ts';
import type { LabelPair, SeriesExemplar } from './prometheus-batch.ts';
import { readLabel } from './read-label.ts';

export interface DecodeExpositionOptions {
  /** Take native histograms. Otherwise a histogram is its classic buckets, if it has any. */
  readonly native: boolean;
  /** Of a histogram that has both, take the classic buckets too. */
  readonly classicToo: boolean;
}

/** `io.prometheus.client.MetricType`. */
const GAUGE_HISTOGRAM = 5;

const WHAT = 'protobuf exposition';
const MAX_LABELS = 512;

/** What the messages `Gauge`, `Counter`, `Untyped`, `Summary` and `Histogram` hold. */
interface Value {
  kind: 'number' | 'summary' | 'histogram';
  number: number;
  /** Bounds of cumulative buckets, or quantiles. */
  readonly parts: { bound: number; value: number; exemplar: SeriesExemplar | null }[];
  readonly histogram: NativeHistogram;
  hasNative: boolean;
  startMs: number | null;
  readonly exemplars: SeriesExemplar[];
}

interface Metric {
  readonly labels: LabelPair[];
  readonly value: Value;
  timeMs: number | null;
}

/**
 * Decodes what a target exposes as protobuf: messages `io.prometheus.client.MetricFamily`, each behind its length
 * (https://prometheus.io/docs/instrumenting/exposition_formats/#protobuf-format), the only format with native histograms. Throws
 * ProtocolDecodeError.
 */
export function decodeExposition(bytes: Uint8Array, options: DecodeExpositionOptions): Exposition {
  return decoding(WHAT, () => {
    const reader = new ProtobufReader(bytes);
    const samples: ExposedSample[] = [];
    const help = new Map<string, string>();
    while (reader.position < bytes.length) readFamily(reader, bytes.length, samples, help, options);
    return { samples, help };
  });
}

function readFamily(
  reader: ProtobufReader,
  bytesEnd: number,
  samples: ExposedSample[],
  helpOf: Map<string, string>,
  options: DecodeExpositionOptions,
): void {
  let name = '';
  let help = '';
  let type = 0;
  const metrics: Metric[] = [];
  message(reader, bytesEnd, (tag, end) => {
    if (tag === 0x0a) name = text(reader, end);
    else if (tag === 0x12) help = text(reader, end);
    else if (tag === 0x18) type = reader.uint32();
    else if (tag === 0x22) metrics.push(readMetric(reader, end));
    else return false;
    return true;
  });
  if (name === '') throw new ProtocolDecodeError(`${WHAT}: a metric family has no name`);
  if (help !== '') helpOf.set(name, help);
  for (const metric of metrics) addSamples(samples, name, type, metric, options);
}

function addSamples(
  samples: ExposedSample[],
  family: string,
  type: number,
  { labels, timeMs, value }: Metric,
  { native, classicToo }: DecodeExpositionOptions,
): void {
  const { kind, startMs, histogram, parts, exemplars } = value;
  const add = (
    name: string,
    one: ExposedSample['value'],
    more: readonly LabelPair[] = [],
    own: readonly SeriesExemplar[] = [],
  ) => samples.push({ name, labels: [...labels, ...more], value: one, timeMs, startMs, exemplars: own });
  if (kind === 'number') {
    add(family, value.number, [], exemplars);
    return;
  }
  if (kind === 'summary') {
    for (const { bound, value: at } of parts) add(family, at, [['quantile', boundLabel(bound)]]);
  } else {
    const isNative = native && value.hasNative;
    // Exemplars with times are the native histogram's own; older libraries give only those of the buckets.
    const ofBuckets = parts.flatMap(({ exemplar }) => (exemplar === null ? [] : [exemplar]));
    if (isNative) add(family, histogram, [], exemplars.length > 0 ? exemplars : ofBuckets);
    if (isNative && !classicToo) return;
    if (parts.length > 0 && parts.at(-1)?.bound !== Number.POSITIVE_INFINITY) {
      parts.push({ bound: Number.POSITIVE_INFINITY, value: histogram.count, exemplar: null });
    }
    for (const { bound, value: count, exemplar } of parts) {
      add(`${family}_bucket`, count, [['le', boundLabel(bound)]], exemplar === null ? [] : [exemplar]);
    }
  }
  const [sum, count] = type === GAUGE_HISTOGRAM ? ['_gsum', '_gcount'] : ['_sum', '_count'];
  add(`${family}${sum}`, histogram.sum);
  add(`${family}${count}`, histogram.count);
}

function readMetric(reader: ProtobufReader, messageEnd: number): Metric {
  const value: Value = {
    kind: 'number',
    number: 0,
    parts: [],
    histogram: emptyHistogram(),
    hasNative: false,
    startMs: null,
    exemplars: [],
  };
  const metric: Metric = { labels: [], value, timeMs: null };
  message(reader, messageEnd, (tag, end) => {
    switch (tag) {
      case 0x0a:
        metric.labels.push(readLabel(reader, end));
        return true;
      case 0x12:
      case 0x1a:
      case 0x2a:
        readNumber(reader, end, value);
        return true;
      case 0x22:
        value.kind = 'summary';
        readSummary(reader, end, value);
        return true;
      case 0x30:
        metric.timeMs = int64(reader);
        return true;
      case 0x3a:
        value.kind = 'histogram';
        readHistogram(reader, end, value);
        return true;
      default:
        return false;
    }
  });
  if (metric.labels.length > MAX_LABELS) {
    throw new ProtocolDecodeError(`${WHAT}: a metric has more than ${MAX_LABELS} labels`);
  }
  return metric;
}

/** `Gauge`, `Counter` or `Untyped`, which have their value in the same field. */
function readNumber(reader: ProtobufReader, messageEnd: number, value: Value): void {
  message(reader, messageEnd, (tag, end) => {
    if (tag === 0x09) value.number = reader.double();
    else if (tag === 0x12) value.exemplars.push(readExemplar(reader, end));
    else if (tag === 0x1a) value.startMs = readTimestamp(reader, end);
    else return false;
    return true;
  });
}

function readSummary(reader: ProtobufReader, messageEnd: number, value: Value): void {
  message(reader, messageEnd, (tag, end) => {
    if (tag === 0x08) value.histogram.count = int64(reader);
    else if (tag === 0x11) value.histogram.sum = reader.double();
    else if (tag === 0x1a) value.parts.push(readQuantile(reader, end));
    else if (tag === 0x22) value.startMs = readTimestamp(reader, end);
    else return false;
    return true;
  });
}

function readQuantile(reader: ProtobufReader, messageEnd: number): Value['parts'][number] {
  const part = { bound: 0, value: 0, exemplar: null };
  message(reader, messageEnd, (tag) => {
    if (tag === 0x09) part.bound = reader.double();
    else if (tag === 0x11) part.value = reader.double();
    else return false;
    return true;
  });
  return part;
}

/** Lists of numbers come packed or one by one: the file is of proto2, whose writers do the latter. */
function readHistogram(reader: ProtobufReader, messageEnd: number, value: Value): void {
  const { histogram } = value;
  const { positive, negative } = histogram;
  let floatCount = 0;
  let floatZeroCount = 0;
  message(reader, messageEnd, (tag, end) => {
    switch (tag) {
      case 0x08:
        histogram.count = int64(reader);
        break;
      case 0x11:
        histogram.sum = reader.double();
        break;
      case 0x1a:
        value.parts.push(readBucket(reader, end));
        break;
      case 0x21:
        floatCount = reader.double();
        break;
      case 0x28:
        histogram.schema = reader.sint32();
        break;
      case 0x31:
        histogram.zeroThreshold = reader.double();
        break;
      case 0x38:
        histogram.zeroCount = int64(reader);
        break;
      case 0x41:
        floatZeroCount = reader.double();
        break;
      case 0x4a:
      case 0x62:
        (tag === 0x4a ? negative : positive).spans.push(readSpan(reader, end));
        break;
      case 0x50:
      case 0x68:
        (tag === 0x50 ? negative : positive).deltas.push(sint64(reader));
        break;
      case 0x52:
      case 0x6a:
        packed(reader, end, (tag === 0x52 ? negative : positive).deltas, sint64);
        break;
      case 0x59:
      case 0x71:
        (tag === 0x59 ? negative : positive).counts.push(reader.double());
        break;
      case 0x5a:
      case 0x72:
        packed(reader, end, (tag === 0x5a ? negative : positive).counts, (from) => from.double());
        break;
      case 0x7a:
        value.startMs = readTimestamp(reader, end);
        break;
      case 0x82:
        value.exemplars.push(readExemplar(reader, end));
        break;
      default:
        return false;
    }
    return true;
  });
  checkSpans(positive);
  checkSpans(negative);
  if (floatCount > 0) histogram.count = floatCount;
  if (floatZeroCount > 0) histogram.zeroCount = floatZeroCount;
  // As Prometheus decides: a native histogram without observations has a span of no buckets.
  value.hasNative =
    histogram.zeroThreshold > 0 || histogram.zeroCount > 0 || positive.spans.length > 0 || negative.spans.length > 0;
}

function readBucket(reader: ProtobufReader, messageEnd: number): Value['parts'][number] {
  const part: Value['parts'][number] = { bound: 0, value: 0, exemplar: null };
  message(reader, messageEnd, (tag, end) => {
    if (tag === 0x08) part.value = int64(reader);
    else if (tag === 0x11) part.bound = reader.double();
    else if (tag === 0x1a) part.exemplar = readExemplar(reader, end);
    else if (tag === 0x21) part.value = reader.double();
    else return false;
    return true;
  });
  return part;
}

function readExemplar(reader: ProtobufReader, messageEnd: number): SeriesExemplar {
  const exemplar = { labels: [] as LabelPair[], value: 0, timeMs: 0 };
  message(reader, messageEnd, (tag, end) => {
    if (tag === 0x0a) exemplar.labels.push(readLabel(reader, end));
    else if (tag === 0x11) exemplar.value = reader.double();
    else if (tag === 0x1a) exemplar.timeMs = readTimestamp(reader, end);
    else return false;
    return true;
  });
  return exemplar;
}

/** `google.protobuf.Timestamp` in milliseconds. */
function readTimestamp(reader: ProtobufReader, messageEnd: number): number {
  let seconds = 0;
  let nanos = 0;
  message(reader, messageEnd, (tag) => {
    if (tag === 0x08) seconds = int64(reader);
    else if (tag === 0x10) nanos = int64(reader);
    else return false;
    return true;
  });
  return seconds * 1000 + nanos / 1e6;
}
