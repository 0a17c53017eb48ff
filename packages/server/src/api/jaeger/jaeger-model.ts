import type { AnyValue, KeyValue } from '@signalbox/api-contract';
import type { JaegerTrace } from '../../query/jaeger/find-traces.ts';
import { spanKindName } from '../../query/span-codes.ts';
import type { OtlpScopeSpans, OtlpSpan } from '../../query/traces/get-otlp-traces.ts';

/** A trace as Jaeger's page has it. Times and durations are microseconds. */
export interface JaegerUiTrace {
  readonly traceID: string;
  readonly spans: readonly JaegerUiSpan[];
  readonly processes: Readonly<Record<string, { readonly serviceName: string; readonly tags: readonly JaegerTag[] }>>;
  readonly warnings: null;
}

export interface JaegerUiSpan {
  readonly traceID: string;
  readonly spanID: string;
  readonly flags: number;
  readonly operationName: string;
  readonly references: readonly {
    readonly refType: 'CHILD_OF' | 'FOLLOWS_FROM';
    readonly traceID: string;
    readonly spanID: string;
  }[];
  readonly startTime: number;
  readonly duration: number;
  readonly tags: readonly JaegerTag[];
  readonly logs: readonly { readonly timestamp: number; readonly fields: readonly JaegerTag[] }[];
  readonly processID: string;
  readonly warnings: null;
}

export interface JaegerTag {
  readonly key: string;
  readonly type: 'string' | 'bool' | 'int64' | 'float64' | 'binary';
  readonly value: string | number | boolean;
}

/** By OpenTelemetry's specification of the mapping to Jaeger (trace SDK exporters, "OpenTelemetry to Jaeger Transformation"). */
export function toJaegerTrace({ traceId, resourceSpans }: JaegerTrace): JaegerUiTrace {
  const processes: Record<string, JaegerUiTrace['processes'][string]> = {};
  const spans: JaegerUiSpan[] = [];
  for (const { resource, scopeSpans } of resourceSpans) {
    const processID = `p${Object.keys(processes).length + 1}`;
    const service = resource.attributes.find(({ key }) => key === 'service.name');
    processes[processID] = {
      serviceName: service === undefined ? 'unknown_service' : String(toTag(service).value),
      tags: resource.attributes.filter(({ key }) => key !== 'service.name').map(toTag),
    };
    for (const { scope, spans: own } of scopeSpans) spans.push(...own.map((span) => toSpan(span, scope, processID)));
  }
  spans.sort((a, b) => a.startTime - b.startTime);
  return { traceID: traceId, spans, processes, warnings: null };
}

function toSpan(span: OtlpSpan, scope: OtlpScopeSpans['scope'], processID: string): JaegerUiSpan {
  const { traceId: traceID, spanId: spanID, parentSpanId } = span;
  const start = BigInt(span.startTimeUnixNano);
  const references: JaegerUiSpan['references'][number][] = [];
  if (parentSpanId !== '') references.push({ refType: 'CHILD_OF', traceID, spanID: parentSpanId });
  for (const link of span.links)
    references.push({ refType: refType(link.attributes), traceID: link.traceId, spanID: link.spanId });
  return {
    traceID,
    spanID,
    flags: span.flags & 1,
    operationName: span.name,
    references,
    startTime: Number(start / 1_000n),
    duration: Number((BigInt(span.endTimeUnixNano) - start) / 1_000n),
    tags: tagsOf(span, scope),
    logs: span.events.map(({ timeUnixNano, name, attributes }) => ({
      timestamp: Number(BigInt(timeUnixNano) / 1_000n),
      fields: [...(name === '' ? [] : [text('event', name)]), ...attributes.map(toTag)],
    })),
    processID,
    warnings: null,
  };
}

function refType(attributes: readonly KeyValue[]): 'CHILD_OF' | 'FOLLOWS_FROM' {
  const type = attributes.find(({ key }) => key === 'opentracing.ref_type')?.value;
  return type !== undefined && 'stringValue' in type && type.stringValue === 'child_of' ? 'CHILD_OF' : 'FOLLOWS_FROM';
}

function tagsOf(span: OtlpSpan, scope: OtlpScopeSpans['scope']): JaegerTag[] {
  const tags = span.attributes.map(toTag);
  if (span.kind !== 0) tags.push(text('span.kind', spanKindName(span.kind).toLowerCase()));
  const { code, message } = span.status;
  if (code !== 0) tags.push(text('otel.status_code', code === 2 ? 'ERROR' : 'OK'));
  if (code === 2 && !tags.some(({ key }) => key === 'error')) tags.push({ key: 'error', type: 'bool', value: true });
  if (message !== '') tags.push(text('otel.status_description', message));
  if (scope.name !== '') tags.push(text('otel.scope.name', scope.name));
  if (scope.version !== '') tags.push(text('otel.scope.version', scope.version));
  if (span.traceState !== '') tags.push(text('w3c.tracestate', span.traceState));
  return tags;
}

function text(key: string, value: string): JaegerTag {
  return { key, type: 'string', value };
}

/** Integers beyond what JSON's numbers hold exactly are texts: so the page shows them right. */
function toTag({ key, value }: KeyValue): JaegerTag {
  if ('stringValue' in value) return text(key, value.stringValue);
  if ('boolValue' in value) return { key, type: 'bool', value: value.boolValue };
  if ('intValue' in value) {
    const number = Number(value.intValue);
    return { key, type: 'int64', value: Number.isSafeInteger(number) ? number : value.intValue };
  }
  if ('doubleValue' in value) return { key, type: 'float64', value: value.doubleValue };
  if ('bytesValue' in value) return { key, type: 'binary', value: value.bytesValue };
  return text(key, JSON.stringify(plain(value)));
}

/** A composite value as people write JSON. */
function plain(value: AnyValue): unknown {
  if ('arrayValue' in value) return value.arrayValue.values.map(plain);
  if ('kvlistValue' in value)
    return Object.fromEntries(value.kvlistValue.values.map((each) => [each.key, plain(each.value)]));
  if ('intValue' in value)
    return Number.isSafeInteger(Number(value.intValue)) ? Number(value.intValue) : value.intValue;
  return Object.values(value)[0] ?? null;
}
