import type { OtlpSignal } from '../otlp/received-counters.ts';
import { bytesField, doubleField, fixed64Field, messageField, varintField } from './protobuf-writer.ts';

export const TRACE_ID = '5b8efff798038103d269b633813fc60c';
export const SPAN_ID = 'eee19b7ec3c1b174';
export const START = 1_760_000_000_000_000_000n;

/** The three signals and what the protocol calls their parts. */
export const SIGNALS = [
  { signal: 'traces', path: '/v1/traces', service: 'trace.v1.TraceService', rejectedField: 'rejectedSpans' },
  { signal: 'metrics', path: '/v1/metrics', service: 'metrics.v1.MetricsService', rejectedField: 'rejectedDataPoints' },
  { signal: 'logs', path: '/v1/logs', service: 'logs.v1.LogsService', rejectedField: 'rejectedLogRecords' },
] as const satisfies { signal: OtlpSignal; path: string; service: string; rejectedField: string }[];

const RESOURCE_JSON = { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] };
const ATTRIBUTES_JSON = [{ key: 'http.response.status_code', value: { intValue: '200' } }];

/** A valid `Export…ServiceRequest` as OTLP/JSON, with `rows` spans, points or log records. */
export function jsonRequest(signal: OtlpSignal, rows = 1): Record<string, unknown> {
  const scope = { name: 'test', version: '1' };
  const each = <Row>(row: (index: number) => Row) => Array.from({ length: rows }, (_, index) => row(index));
  const startTimeUnixNano = String(START);
  switch (signal) {
    case 'traces': {
      const spans = each((index) => ({
        traceId: TRACE_ID,
        spanId: SPAN_ID,
        name: `GET /${index}`,
        kind: 2,
        startTimeUnixNano,
        endTimeUnixNano: String(START + 5_000_000n),
        attributes: ATTRIBUTES_JSON,
      }));
      return { resourceSpans: [{ resource: RESOURCE_JSON, scopeSpans: [{ scope, spans }] }] };
    }
    case 'metrics': {
      const dataPoints = each((index) => ({
        startTimeUnixNano,
        timeUnixNano: startTimeUnixNano,
        asDouble: index,
        attributes: ATTRIBUTES_JSON,
      }));
      const metrics = [{ name: 'temperature', unit: 'Cel', gauge: { dataPoints } }];
      return { resourceMetrics: [{ resource: RESOURCE_JSON, scopeMetrics: [{ scope, metrics }] }] };
    }
    case 'logs': {
      const logRecords = each((index) => ({
        timeUnixNano: startTimeUnixNano,
        severityNumber: 9,
        severityText: 'INFO',
        body: { stringValue: `line ${index}` },
        attributes: ATTRIBUTES_JSON,
        traceId: TRACE_ID,
        spanId: SPAN_ID,
      }));
      return { resourceLogs: [{ resource: RESOURCE_JSON, scopeLogs: [{ scope, logRecords }] }] };
    }
  }
}

export function stringAttribute(key: string, value: string): Uint8Array {
  return Buffer.concat([bytesField(1, key), messageField(2, bytesField(1, value))]);
}

export interface SpanFields {
  readonly traceId?: string;
  readonly spanId?: string;
  readonly extra?: Uint8Array;
}

/** A `Span` of trace.proto. Ids are hexadecimal, of any length. */
export function span({ traceId = TRACE_ID, spanId = SPAN_ID, extra = new Uint8Array() }: SpanFields = {}): Uint8Array {
  return Buffer.concat([
    bytesField(1, Buffer.from(traceId, 'hex')),
    bytesField(2, Buffer.from(spanId, 'hex')),
    bytesField(5, 'GET /'),
    varintField(6, 2),
    fixed64Field(7, START),
    fixed64Field(8, START + 5_000_000n),
    messageField(9, stringAttribute('http.route', '/')),
    extra,
  ]);
}

export function gauge(extra: Uint8Array = new Uint8Array()): Uint8Array {
  const point = Buffer.concat([
    fixed64Field(3, START),
    doubleField(4, 21.5),
    messageField(7, stringAttribute('room', 'a')),
    extra,
  ]);
  return Buffer.concat([bytesField(1, 'temperature'), messageField(5, bytesField(1, point))]);
}

export function logRecord(extra: Uint8Array = new Uint8Array()): Uint8Array {
  return Buffer.concat([
    fixed64Field(1, START),
    varintField(2, 9),
    bytesField(3, 'INFO'),
    messageField(5, bytesField(1, 'a line')),
    messageField(6, stringAttribute('k', 'v')),
    extra,
  ]);
}

/** Wraps spans, metrics or log records into an `Export…ServiceRequest`: their nesting is the same in all three. */
export function protobufRequest(signal: OtlpSignal, records: Uint8Array[] = [protobufRecord(signal)]): Buffer {
  const scope = messageField(1, bytesField(1, 'test'), bytesField(2, '1'));
  const resource = messageField(1, messageField(1, stringAttribute('service.name', 'shop')));
  const scopeRecords = bytesField(2, Buffer.concat([scope, ...records.map((record) => bytesField(2, record))]));
  return Buffer.from(messageField(1, resource, scopeRecords));
}

/** One valid span, metric or log record; `extra` bytes follow its fields. */
export function protobufRecord(signal: OtlpSignal, extra?: Uint8Array): Uint8Array {
  switch (signal) {
    case 'traces':
      return span(extra === undefined ? {} : { extra });
    case 'metrics':
      return gauge(extra);
    case 'logs':
      return logRecord(extra);
  }
}
