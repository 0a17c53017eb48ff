import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

/**
 * A second OTLP/HTTP receiver that shares no code with Signalbox: it stands for Coroot or any other backend. It reads protobuf with a table
 * of field numbers from opentelemetry-proto, keeps what it reads, and passes the very same bytes on to `forwardTo`, so that both ends can be
 * compared record by record.
 */
export class IndependentReceiver {
  readonly spans: ReceivedSpan[] = [];
  readonly logs: ReceivedLog[] = [];
  readonly metrics: ReceivedMetric[] = [];
  readonly resources: Record<string, unknown>[] = [];
  #server: Server;

  constructor(forwardTo: string) {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const sent = Buffer.concat(chunks);
        const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
        this.#keep(request.url ?? '', body);
        const { 'content-type': contentType = '', 'content-encoding': encoding } = request.headers;
        fetch(`${forwardTo}${request.url}`, {
          method: 'POST',
          headers: { 'content-type': contentType, ...(encoding ? { 'content-encoding': encoding } : {}) },
          body: sent,
        }).then(
          async (answer) => {
            response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
            response.end(Buffer.from(await answer.arrayBuffer()));
          },
          () => response.writeHead(503).end(),
        );
      });
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #keep(path: string, body: Buffer): void {
    for (const group of messages(body, 1)) {
      for (const resource of messages(group, 1)) this.resources.push(attributes(resource, 1));
      for (const scope of messages(group, 2)) {
        for (const record of messages(scope, 2)) {
          if (path === '/v1/traces') this.spans.push(readSpan(record));
          if (path === '/v1/logs') this.logs.push(readLog(record));
          if (path === '/v1/metrics') this.metrics.push(...readMetric(record));
        }
      }
    }
  }
}

export interface ReceivedSpan {
  traceId: string;
  spanId: string;
  parentSpanId: string;
  name: string;
  kind: number;
  attributes: Record<string, unknown>;
  statusCode: number;
  events: string[];
}

export interface ReceivedLog {
  traceId: string;
  spanId: string;
  severityNumber: number;
  severityText: string;
  body: unknown;
  attributes: Record<string, unknown>;
}

export interface ReceivedMetric {
  name: string;
  unit: string;
  kind: 'gauge' | 'sum' | 'histogram' | 'exponentialHistogram' | 'summary';
  pointAttributes: Record<string, unknown>[];
  exemplarTraceIds: string[];
  bounds: number[];
}

function readSpan(span: Buffer): ReceivedSpan {
  const [status] = messages(span, 15);
  return {
    traceId: hexField(span, 1),
    spanId: hexField(span, 2),
    parentSpanId: hexField(span, 4),
    name: text(span, 5),
    kind: number(span, 6),
    attributes: attributes(span, 9),
    statusCode: status ? number(status, 3) : 0,
    events: messages(span, 11).map((event) => text(event, 2)),
  };
}

function readLog(record: Buffer): ReceivedLog {
  const [body] = messages(record, 5);
  return {
    traceId: hexField(record, 9),
    spanId: hexField(record, 10),
    severityNumber: number(record, 2),
    severityText: text(record, 3),
    body: body && anyValue(body),
    attributes: attributes(record, 6),
  };
}

const kinds = { 5: 'gauge', 7: 'sum', 9: 'histogram', 10: 'exponentialHistogram', 11: 'summary' } as const;

function readMetric(metric: Buffer): ReceivedMetric[] {
  return Object.entries(kinds).flatMap(([field, kind]) =>
    messages(metric, Number(field)).map((data) => {
      const points = messages(data, 1);
      const attributesField = kind === 'histogram' ? 9 : kind === 'exponentialHistogram' ? 1 : 7;
      const exemplarsField = kind === 'histogram' ? 8 : kind === 'exponentialHistogram' ? 11 : 5;
      return {
        name: text(metric, 1),
        unit: text(metric, 3),
        kind,
        pointAttributes: points.map((point) => attributes(point, attributesField)),
        exemplarTraceIds: points.flatMap((point) =>
          messages(point, exemplarsField).map((exemplar) => hexField(exemplar, 5)),
        ),
        bounds: kind === 'histogram' && points[0] ? doubles(points[0], 7) : [],
      };
    }),
  );
}

/** Every field of a protobuf message: varints as bigint, everything else as its bytes. */
function* fields(message: Buffer): Generator<{ field: number; value: bigint | Buffer }> {
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message.readUInt8(at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = Number(varint());
    const field = tag >> 3;
    const wireType = tag & 7;
    if (wireType === 0) yield { field, value: varint() };
    else {
      const length = wireType === 1 ? 8 : wireType === 5 ? 4 : Number(varint());
      if (at + length > message.length) throw new Error('truncated protobuf');
      yield { field, value: message.subarray(at, at + length) };
      at += length;
    }
  }
}

function values(message: Buffer, wanted: number): (bigint | Buffer)[] {
  return [...fields(message)].filter(({ field }) => field === wanted).map(({ value }) => value);
}

function messages(message: Buffer, field: number): Buffer[] {
  return values(message, field).filter((value) => typeof value !== 'bigint');
}

const text = (message: Buffer, field: number): string => messages(message, field).at(-1)?.toString('utf8') ?? '';
const hexField = (message: Buffer, field: number): string => messages(message, field).at(-1)?.toString('hex') ?? '';
const number = (message: Buffer, field: number): number => Number(values(message, field).at(-1) ?? 0);

function doubles(message: Buffer, field: number): number[] {
  return messages(message, field).flatMap((packed) =>
    Array.from({ length: packed.length / 8 }, (_, index) => packed.readDoubleLE(index * 8)),
  );
}

function attributes(message: Buffer, field: number): Record<string, unknown> {
  return Object.fromEntries(
    messages(message, field).map((pair) => {
      const [value] = messages(pair, 2);
      return [text(pair, 1), value && anyValue(value)];
    }),
  );
}

function anyValue(message: Buffer): unknown {
  for (const { field, value } of fields(message)) {
    if (typeof value === 'bigint') return field === 2 ? value === 1n : Number(BigInt.asIntN(64, value));
    if (field === 1) return value.toString('utf8');
    if (field === 4) return value.readDoubleLE(0);
    return value;
  }
  return null;
}
