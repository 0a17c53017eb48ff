import { type EncodedRequest, writeAttributes } from './encode-otlp.ts';
import { ProtobufWriter } from './protobuf-writer.ts';
import type { Attribute } from './services.ts';

export interface MetricWorkload {
  /** Series of counters, 5,000 a metric: `requests.0`, `requests.1`, … */
  series: number;
  /** Points of each: one every `stepNs`, the first at `startTime`. */
  points: number;
  startTime: bigint;
  stepNs: bigint;
  /** What names begin with. Default: `requests`. */
  name?: string;
}

const services = 10;
const seriesPerMetric = 5_000;
const bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
const histograms = 100;

interface Field {
  readonly at: number;
  readonly series: number;
}

/** A request for one point of each series of a metric; what changes from point to point has a fixed place. */
interface Template {
  readonly body: Buffer;
  readonly records: number;
  readonly times: readonly number[];
  readonly values: readonly Field[];
  readonly write: (body: Buffer, field: Field, index: number) => void;
}

/** Counters, and a histogram `latency` (s) of 100 series with ten buckets, in the order of their times: OTLP in protobuf, 5,000 points a request. */
export function* metricRequests({
  series,
  points,
  startTime,
  stepNs,
  name,
}: MetricWorkload): Generator<EncodedRequest> {
  const templates = Array.from({ length: Math.ceil(series / seriesPerMetric) }, (_, metric) =>
    counterTemplate(
      `${name ?? 'requests'}.${metric}`,
      Math.min(seriesPerMetric, series - metric * seriesPerMetric),
      startTime,
    ),
  );
  if (name === undefined) templates.push(histogramTemplate(startTime));
  for (let index = 0; index < points; index++) {
    const time = startTime + BigInt(index) * stepNs;
    for (const { body, records, times, values, write } of templates) {
      const own = Buffer.from(body);
      for (const at of times) own.writeBigUInt64LE(time, at);
      for (const field of values) write(own, field, index);
      yield { body: own, records, traceIdOffsets: [], timeOffsets: [] };
    }
  }
}

function counterTemplate(name: string, count: number, startTime: bigint): Template {
  const times: number[] = [];
  const places: number[] = [];
  const seriesOf: number[] = [];
  const writer = new ProtobufWriter([times, places]);
  for (let service = 0; service < services; service++) {
    writeMetric(writer, service, () => {
      writer.string(1, name);
      writer.message(7, () => {
        for (let series = service; series < count; series += services) {
          writer.message(1, () => {
            writeTimes(writer, startTime, times);
            writer.tag(4, 1);
            places.push(writer.length);
            seriesOf.push(series);
            writer.double(0);
            writeAttributes(
              writer,
              7,
              texts({
                route: `/r${Math.floor(series / services) % 100}`,
                code: `${200 + (series % 5)}`,
                pod: `pod-${series}`,
              }),
            );
          });
        }
        writer.tag(2, 0);
        writer.varint(2);
        writer.tag(3, 0);
        writer.varint(1);
      });
    });
  }
  const write = (body: Buffer, { at, series }: Field, index: number): void => {
    const perPoint = 10 * (1 + (series % 100));
    body.writeDoubleLE(index * perPoint + ((series * 7919 + index * 104_729) % perPoint), at);
  };
  return { body: writer.finish(), records: count, times, values: fields(places, seriesOf), write };
}

function histogramTemplate(startTime: bigint): Template {
  const times: number[] = [];
  const places: number[] = [];
  const seriesOf: number[] = [];
  const writer = new ProtobufWriter([times, places]);
  for (let service = 0; service < services; service++) {
    writeMetric(writer, service, () => {
      writer.string(1, 'latency');
      writer.string(3, 's');
      writer.message(9, () => {
        for (let series = service; series < histograms; series += services) {
          writer.message(1, () => {
            writeTimes(writer, startTime, times);
            // Count, sum and counts of buckets follow each other; all have eight bytes.
            places.push(writer.length);
            seriesOf.push(series);
            writer.tag(4, 1);
            writer.fixed64(0n);
            writer.tag(5, 1);
            writer.double(0);
            writer.message(6, () => {
              for (let bucket = 0; bucket <= bounds.length; bucket++) writer.fixed64(0n);
            });
            writer.message(7, () => {
              for (const bound of bounds) writer.double(bound);
            });
            writeAttributes(writer, 9, texts({ route: `/r${series}` }));
          });
        }
        writer.tag(2, 0);
        writer.varint(2);
      });
    });
  }
  const write = (body: Buffer, { at, series }: Field, index: number): void => {
    let total = 0n;
    for (let bucket = 0; bucket <= bounds.length; bucket++) {
      const count = BigInt((index + 1) * (bucket + 1) * (1 + (series % 7)) + ((index * 31 + series + bucket) % 3));
      total += count;
      body.writeBigUInt64LE(count, at + 20 + bucket * 8);
    }
    body.writeBigUInt64LE(total, at + 1);
    body.writeDoubleLE(Number(total) * 0.2, at + 10);
  };
  return { body: writer.finish(), records: histograms, times, values: fields(places, seriesOf), write };
}

function fields(places: readonly number[], seriesOf: readonly number[]): Field[] {
  return places.map((at, index) => ({ at, series: seriesOf[index] ?? 0 }));
}

function writeMetric(writer: ProtobufWriter, service: number, write: () => void): void {
  writer.message(1, () => {
    writer.message(1, () =>
      writeAttributes(writer, 1, texts({ 'service.name': `service-${service}`, 'service.instance.id': `${service}` })),
    );
    writer.message(2, () => writer.message(2, write));
  });
}

function writeTimes(writer: ProtobufWriter, startTime: bigint, times: number[]): void {
  writer.tag(2, 1);
  writer.fixed64(startTime);
  writer.tag(3, 1);
  times.push(writer.length);
  writer.fixed64(startTime);
}

function texts(attributes: Readonly<Record<string, string>>): Attribute[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, type: 'string', value }));
}
