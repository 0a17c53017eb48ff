import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { OtlpSerializer } from '../export/otlp-exporter.ts';
import type { OtlpProtocol } from '../options.ts';
import type { PointExemplars } from './exemplar-meter-provider.ts';
import type { Exemplar } from './exemplar-reservoir.ts';

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/**
 * Adds exemplars to what an official metrics serializer encodes. The serializers have no place for them, so they are put
 * into the finished request: once per export, at the histogram points in their order.
 */
export function withExemplars(
  serializer: OtlpSerializer<ResourceMetrics>,
  protocol: OtlpProtocol,
  takeExemplars: (metrics: ResourceMetrics) => PointExemplars | undefined,
): OtlpSerializer<ResourceMetrics> {
  return {
    serializeRequest(metrics) {
      const encoded = serializer.serializeRequest(metrics);
      const exemplars = takeExemplars(metrics);
      if (encoded === undefined || exemplars === undefined) return encoded;
      return protocol === 'http/json' ? addToJson(encoded, exemplars) : addToProtobuf(encoded, exemplars);
    },
    deserializeResponse: (body) => serializer.deserializeResponse(body),
  };
}

interface JsonPoint {
  exemplars?: unknown;
}

interface JsonRequest {
  readonly resourceMetrics: readonly {
    readonly scopeMetrics: readonly {
      readonly metrics: readonly {
        readonly histogram?: { readonly dataPoints: readonly JsonPoint[] };
        readonly exponentialHistogram?: { readonly dataPoints: readonly JsonPoint[] };
      }[];
    }[];
  }[];
}

function addToJson(encoded: Uint8Array, exemplars: PointExemplars): Uint8Array {
  const request: JsonRequest = JSON.parse(decoder.decode(encoded));
  let index = 0;
  for (const { scopeMetrics } of request.resourceMetrics) {
    for (const { metrics } of scopeMetrics) {
      for (const { histogram, exponentialHistogram } of metrics) {
        for (const point of (histogram ?? exponentialHistogram)?.dataPoints ?? []) {
          const own = exemplars[index++] ?? [];
          if (own.length > 0) point.exemplars = own.map(jsonExemplar);
        }
      }
    }
  }
  return encoder.encode(JSON.stringify(request));
}

function jsonExemplar({ value, time: [seconds, nanos], traceId, spanId }: Exemplar): object {
  return {
    timeUnixNano: String(BigInt(seconds) * 1_000_000_000n + BigInt(nanos)),
    asDouble: value,
    ...(traceId !== undefined && { traceId, spanId }),
  };
}

/** Field numbers from the request down to Histogram.data_points and ExponentialHistogram.data_points. */
const histogramPath = [1, 2, 2, 9, 1];
const exponentialPath = [1, 2, 2, 10, 1];
const histogramExemplarsField = 8;
const exponentialExemplarsField = 11;
const lengthDelimited = 2;

function addToProtobuf(encoded: Uint8Array, exemplars: PointExemplars): Uint8Array {
  let index = 0;
  const rewrite = (message: Uint8Array, path: readonly number[], exemplarsField: number): Uint8Array => {
    if (path.length === 0) {
      const own = exemplars[index++] ?? [];
      return Buffer.concat([message, ...own.map((exemplar) => field(exemplarsField, encodeExemplar(exemplar)))]);
    }
    const [wanted, ...rest] = path;
    const pieces: Uint8Array[] = [];
    for (const { number, start, content, end } of fieldsOf(message)) {
      // A metric holds one of the two kinds of histogram; above it both paths are the same.
      const isExponential = path.length === 2 && number === exponentialPath[3];
      if (content !== undefined && (number === wanted || isExponential)) {
        pieces.push(field(number, rewrite(content, rest, isExponential ? exponentialExemplarsField : exemplarsField)));
      } else pieces.push(message.subarray(start, end));
    }
    return Buffer.concat(pieces);
  };
  return rewrite(encoded, histogramPath, histogramExemplarsField);
}

interface Field {
  readonly number: number;
  readonly start: number;
  readonly end: number;
  /** Of length-delimited fields. */
  readonly content: Uint8Array | undefined;
}

/** The fields of a message that the official serializer has just written, hence well-formed. */
function* fieldsOf(message: Uint8Array): Generator<Field> {
  let position = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = message[position++] ?? 0;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (position < message.length) {
    const start = position;
    const tag = varint();
    const wireType = tag & 7;
    let content: Uint8Array | undefined;
    if (wireType === lengthDelimited) {
      const length = varint();
      content = message.subarray(position, position + length);
      position += length;
    } else if (wireType === 1) position += 8;
    else if (wireType === 5) position += 4;
    else varint();
    yield { number: Math.floor(tag / 8), start, end: position, content };
  }
}

function field(number: number, content: Uint8Array): Uint8Array {
  const head: number[] = [(number << 3) | lengthDelimited];
  let length = content.length;
  for (; length > 127; length = Math.floor(length / 128)) head.push((length & 127) | 128);
  head.push(length);
  return Buffer.concat([Uint8Array.from(head), content]);
}

/** opentelemetry.proto.metrics.v1.Exemplar: time_unix_nano 2, as_double 3, span_id 4, trace_id 5. */
function encodeExemplar({ value, time: [seconds, nanos], traceId, spanId }: Exemplar): Uint8Array {
  const numbers = Buffer.alloc(18);
  numbers[0] = (2 << 3) | 1;
  numbers.writeBigUInt64LE(BigInt(seconds) * 1_000_000_000n + BigInt(nanos), 1);
  numbers[9] = (3 << 3) | 1;
  numbers.writeDoubleLE(value, 10);
  if (traceId === undefined || spanId === undefined) return numbers;
  return Buffer.concat([numbers, field(4, Buffer.from(spanId, 'hex')), field(5, Buffer.from(traceId, 'hex'))]);
}
