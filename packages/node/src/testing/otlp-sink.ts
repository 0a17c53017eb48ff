import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import protobuf from 'protobufjs';
import { otlpProto } from './otlp-proto.ts';

const root = protobuf.parse(otlpProto).root;
const messages = { '/v1/traces': 'Traces', '/v1/logs': 'Logs', '/v1/metrics': 'Metrics' } as const;

export type Attributes = Record<string, unknown>;

export interface SinkSpan {
  name: string;
  kind: number;
  traceId: string;
  spanId: string;
  parentSpanId: string;
  traceState: string;
  status: { code: number; message: string };
  attributes: Attributes;
  events: { name: string; attributes: Attributes }[];
  links: { traceId: string; spanId: string }[];
  resource: Attributes;
  scope: string;
  start: bigint;
  end: bigint;
}

export interface SinkLog {
  body: unknown;
  eventName: string;
  severityNumber: number;
  severityText: string;
  attributes: Attributes;
  traceId: string;
  spanId: string;
  resource: Attributes;
  scope: string;
  time: bigint;
}

export interface SinkExemplar {
  value: number;
  traceId: string;
  spanId: string;
  time: bigint;
  filteredAttributes: Attributes;
}

export interface SinkPoint {
  metric: string;
  unit: string;
  type: 'gauge' | 'sum' | 'histogram' | 'exponentialHistogram';
  monotonic: boolean;
  temporality: number;
  scope: string;
  resource: Attributes;
  attributes: Attributes;
  value: number;
  count: number;
  bounds: number[];
  bucketCounts: number[];
  exemplars: SinkExemplar[];
}

export interface SinkRequest {
  path: string;
  headers: http.IncomingHttpHeaders;
  at: number;
}

/** How the sink answers; the default is 200 with an empty body. */
export type Answer = (request: http.IncomingMessage, response: http.ServerResponse, decode: () => void) => void;

/** A recording OTLP/HTTP receiver: protobuf or JSON, gzip or not. */
export class OtlpSink {
  readonly spans: SinkSpan[] = [];
  readonly logs: SinkLog[] = [];
  readonly points: SinkPoint[] = [];
  readonly requests: SinkRequest[] = [];
  /** Stays what it was after `close`. */
  port = 0;
  answer: Answer = (_request, response, decode) => {
    decode();
    response.end();
  };
  readonly #server = http.createServer((request, response) => this.#receive(request, response));

  async listen(port = 0): Promise<this> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }

  span(name: string): SinkSpan {
    const span = this.spans.find((candidate) => candidate.name === name);
    if (span === undefined) throw new Error(`no span ${name} among: ${this.spans.map((each) => each.name).join(', ')}`);
    return span;
  }

  /** The newest point of a metric whose attributes include `attributes`. */
  point(metric: string, attributes: Attributes = {}): SinkPoint {
    const point = this.points.findLast(
      (candidate) =>
        candidate.metric === metric &&
        Object.entries(attributes).every(([key, value]) => candidate.attributes[key] === value),
    );
    if (point === undefined)
      throw new Error(
        `no point of ${metric} among: ${[...new Set(this.points.map((each) => each.metric))].join(', ')}`,
      );
    return point;
  }

  #receive(request: http.IncomingMessage, response: http.ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const path = request.url ?? '';
      this.requests.push({ path, headers: request.headers, at: Date.now() });
      const raw = Buffer.concat(chunks);
      const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
      const isJson = request.headers['content-type'] === 'application/json';
      response.setHeader('content-type', isJson ? 'application/json' : 'application/x-protobuf');
      this.answer(request, response, () => this.take(path, body, isJson));
    });
  }

  /** Keeps what an export request holds; `path` is the one of OTLP/HTTP. */
  take(path: string, body: Buffer, isJson: boolean): void {
    const name = messages[path as keyof typeof messages];
    if (name === undefined) throw new Error(`unexpected path ${path}`);
    // JSON carries ids as hex where protobuf's own mapping says base64, so it is read as it is.
    const type = root.lookupType(name);
    const options = {
      longs: String,
      bytes: Array,
      defaults: true,
      arrays: true,
      objects: false,
      oneofs: false,
    } as const;
    const message: Json = isJson ? JSON.parse(body.toString()) : type.toObject(type.decode(body), options);
    for (const part of list(message.resourceSpans)) this.#addSpans(part);
    for (const part of list(message.resourceLogs)) this.#addLogs(part);
    for (const part of list(message.resourceMetrics)) this.#addMetrics(part);
  }

  #addSpans(part: Json): void {
    const resource = toAttributes(part.resource?.attributes);
    for (const scope of list(part.scopeSpans)) {
      for (const span of list(scope.spans)) {
        this.spans.push({
          name: span.name,
          kind: span.kind ?? 0,
          traceId: toHex(span.traceId),
          spanId: toHex(span.spanId),
          parentSpanId: toHex(span.parentSpanId),
          traceState: span.traceState ?? '',
          status: { code: span.status?.code ?? 0, message: span.status?.message ?? '' },
          attributes: toAttributes(span.attributes),
          events: list(span.events).map((event) => ({ name: event.name, attributes: toAttributes(event.attributes) })),
          links: list(span.links).map((link) => ({ traceId: toHex(link.traceId), spanId: toHex(link.spanId) })),
          resource,
          scope: scope.scope?.name ?? '',
          start: BigInt(span.startTimeUnixNano),
          end: BigInt(span.endTimeUnixNano),
        });
      }
    }
  }

  #addLogs(part: Json): void {
    const resource = toAttributes(part.resource?.attributes);
    for (const scope of list(part.scopeLogs)) {
      for (const record of list(scope.logRecords)) {
        this.logs.push({
          body: toValue(record.body),
          eventName: record.eventName ?? '',
          severityNumber: record.severityNumber ?? 0,
          severityText: record.severityText ?? '',
          attributes: toAttributes(record.attributes),
          traceId: toHex(record.traceId),
          spanId: toHex(record.spanId),
          resource,
          scope: scope.scope?.name ?? '',
          time: BigInt(record.timeUnixNano ?? 0),
        });
      }
    }
  }

  #addMetrics(part: Json): void {
    const resource = toAttributes(part.resource?.attributes);
    for (const scope of list(part.scopeMetrics)) {
      for (const metric of list(scope.metrics)) {
        for (const type of ['gauge', 'sum', 'histogram', 'exponentialHistogram'] as const) {
          for (const point of list(metric[type]?.dataPoints)) {
            this.points.push({
              metric: metric.name,
              unit: metric.unit ?? '',
              type,
              monotonic: metric[type].isMonotonic === true,
              temporality: metric[type].aggregationTemporality ?? 0,
              scope: scope.scope?.name ?? '',
              resource,
              attributes: toAttributes(point.attributes),
              value: Number(point.asInt ?? point.asDouble ?? point.sum ?? 0),
              count: Number(point.count ?? 0),
              bounds: list(point.explicitBounds).map(Number),
              bucketCounts: list(point.bucketCounts).map(Number),
              exemplars: list(point.exemplars).map((exemplar) => ({
                value: Number(exemplar.asInt ?? exemplar.asDouble),
                traceId: toHex(exemplar.traceId),
                spanId: toHex(exemplar.spanId),
                time: BigInt(exemplar.timeUnixNano ?? 0),
                filteredAttributes: toAttributes(exemplar.filteredAttributes),
              })),
            });
          }
        }
      }
    }
  }
}

// biome-ignore lint/suspicious/noExplicitAny: decoded messages of a test sink; every field is read defensively.
type Json = any;

function list(value: Json): Json[] {
  return Array.isArray(value) ? value : [];
}

function toHex(id: unknown): string {
  return typeof id === 'string' ? id : Array.isArray(id) ? Buffer.from(id).toString('hex') : '';
}

function toAttributes(pairs: Json): Attributes {
  return Object.fromEntries(list(pairs).map(({ key, value }) => [key, toValue(value)]));
}

function toValue(value: Json): unknown {
  if (value === undefined || value === null) return undefined;
  if (value.intValue !== undefined) return Number(value.intValue);
  if (value.arrayValue !== undefined) return list(value.arrayValue.values).map(toValue);
  if (value.kvlistValue !== undefined) return toAttributes(value.kvlistValue.values);
  return value.stringValue ?? value.boolValue ?? value.doubleValue ?? value.bytesValue;
}
