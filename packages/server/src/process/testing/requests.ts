import { decodeLogs, decodeMetrics, decodeTraces } from '@signalbox/otlp';
import type { LogBatch, MetricBatch, SpanBatch } from '@signalbox/records';

export type TestValue = string | number | boolean | null | readonly TestValue[] | { readonly [key: string]: TestValue };

/** Attributes in OTLP/JSON: whole numbers are ints, others doubles. */
export function keyValues(attributes: Readonly<Record<string, TestValue>> = {}): object[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: anyValue(value) }));
}

export function anyValue(value: TestValue): object {
  switch (typeof value) {
    case 'string':
      return { stringValue: value };
    case 'boolean':
      return { boolValue: value };
    case 'number':
      return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
    default:
  }
  if (value === null) {
    return {};
  }
  return Array.isArray(value)
    ? { arrayValue: { values: value.map(anyValue) } }
    : { kvlistValue: { values: keyValues(value as Record<string, TestValue>) } };
}

interface Origin {
  readonly resource?: Readonly<Record<string, TestValue>>;
  readonly scope?: string;
}

export interface SpanInput extends Origin {
  readonly name?: string;
  readonly traceId?: string;
  readonly spanId?: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly flags?: number;
  /** Numbers of OTLP. */
  readonly kind?: number;
  readonly status?: number;
  /** Milliseconds since 1970. */
  readonly start?: number;
  readonly durationMs?: number;
  readonly attributes?: Readonly<Record<string, TestValue>>;
  readonly events?: readonly { readonly name: string; readonly attributes?: Readonly<Record<string, TestValue>> }[];
}

export const TRACE_ID = '5b8efff798038103d269b633813fc60c';
export const START_MS = 1_760_000_000_000;
let lastSpan = 0;

/** A batch of spans, each in a resource and scope of its own. */
export function spansOf(...spans: readonly SpanInput[]): SpanBatch {
  const resourceSpans = spans.map((span) => ({
    resource: { attributes: keyValues(span.resource ?? { 'service.name': 'shop' }) },
    scopeSpans: [
      {
        scope: { name: span.scope ?? '' },
        spans: [
          {
            traceId: span.traceId ?? TRACE_ID,
            spanId: span.spanId ?? (++lastSpan).toString(16).padStart(16, '0'),
            parentSpanId: span.parentSpanId ?? '',
            traceState: span.traceState ?? '',
            flags: span.flags ?? 0,
            name: span.name ?? 'GET /',
            kind: span.kind ?? 2,
            status: { code: span.status ?? 0 },
            startTimeUnixNano: String(BigInt(span.start ?? START_MS) * 1_000_000n),
            endTimeUnixNano: String(BigInt((span.start ?? START_MS) + (span.durationMs ?? 1)) * 1_000_000n),
            attributes: keyValues(span.attributes),
            events: (span.events ?? []).map((event) => ({ name: event.name, attributes: keyValues(event.attributes) })),
          },
        ],
      },
    ],
  }));
  return decodeTraces(Buffer.from(JSON.stringify({ resourceSpans })), 'json').batch;
}

export interface LogInput extends Origin {
  readonly body?: TestValue;
  readonly severityNumber?: number;
  readonly severityText?: string;
  readonly traceId?: string;
  readonly attributes?: Readonly<Record<string, TestValue>>;
}

/** A batch of log records, each in a resource and scope of its own. */
export function logsOf(...records: readonly LogInput[]): LogBatch {
  const resourceLogs = records.map((record) => ({
    resource: { attributes: keyValues(record.resource ?? { 'service.name': 'shop' }) },
    scopeLogs: [
      {
        scope: { name: record.scope ?? '' },
        logRecords: [
          {
            body: anyValue(record.body ?? 'hello'),
            severityNumber: record.severityNumber ?? 9,
            severityText: record.severityText ?? '',
            traceId: record.traceId ?? '',
            timeUnixNano: String(START_MS * 1_000_000),
            attributes: keyValues(record.attributes),
          },
        ],
      },
    ],
  }));
  return decodeLogs(Buffer.from(JSON.stringify({ resourceLogs })), 'json').batch;
}

export interface GaugeInput extends Origin {
  readonly name: string;
  readonly points: readonly { readonly value: number; readonly attributes?: Readonly<Record<string, TestValue>> }[];
}

/** A batch of gauges. */
export function gaugesOf(...gauges: readonly GaugeInput[]): MetricBatch {
  const resourceMetrics = gauges.map((gauge) => ({
    resource: { attributes: keyValues(gauge.resource ?? { 'service.name': 'shop' }) },
    scopeMetrics: [
      {
        scope: { name: gauge.scope ?? '' },
        metrics: [
          {
            name: gauge.name,
            gauge: {
              dataPoints: gauge.points.map(({ value, attributes }) => ({
                timeUnixNano: String(START_MS * 1_000_000),
                asDouble: value,
                attributes: keyValues(attributes),
              })),
            },
          },
        ],
      },
    ],
  }));
  return decodeMetrics(Buffer.from(JSON.stringify({ resourceMetrics })), 'json').batch;
}
