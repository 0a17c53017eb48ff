import type { AnyValueMap } from '@opentelemetry/api-logs';
import { ProtobufLogsSerializer } from '@opentelemetry/otlp-transformer';
import type { SdkLogRecord } from '@opentelemetry/sdk-logs';
import type { OtlpSerializer } from '../export/otlp-exporter.ts';
import { ReverseWriter } from '../trace/reverse-writer.ts';

/**
 * ExportLogsServiceRequest as protobuf, written once: the official serializer goes through all records a first time to learn
 * how large they will be. https://github.com/open-telemetry/opentelemetry-proto has the numbers of the fields.
 */
export const protobufLogs: OtlpSerializer<SdkLogRecord[]> = {
  serializeRequest(records) {
    const [first] = records;
    if (first === undefined) return undefined;
    writer.reset();
    for (const [scope, ofScope] of [...byScope(records)].reverse()) {
      const before = writer.length;
      text(3, scope.schemaUrl);
      for (let index = ofScope.length - 1; index >= 0; index -= 1) logRecord(ofScope[index] as SdkLogRecord);
      scopeHead(scope);
      writer.nested(2, before);
    }
    text(3, first.resource.schemaUrl);
    const beforeResource = writer.length;
    writer.keyValues(1, first.resource.attributes);
    writer.nested(1, beforeResource);
    writer.nested(1, 0);
    return Buffer.from(writer.written);
  },
  deserializeResponse: (body) => ProtobufLogsSerializer.deserializeResponse(body),
};

/** Scopes of loggers can have attributes, which their type does not tell. */
type Scope = SdkLogRecord['instrumentationScope'] & {
  readonly attributes?: AnyValueMap;
  readonly droppedAttributesCount?: number;
};

const writer = new ReverseWriter();

function byScope(records: readonly SdkLogRecord[]): Map<Scope, SdkLogRecord[]> {
  const scopes = new Map<Scope, SdkLogRecord[]>();
  for (const record of records) {
    const ofScope = scopes.get(record.instrumentationScope);
    if (ofScope === undefined) scopes.set(record.instrumentationScope, [record]);
    else ofScope.push(record);
  }
  return scopes;
}

function scopeHead({ name, version, attributes, droppedAttributesCount = 0 }: Scope): void {
  const before = writer.length;
  count(4, droppedAttributesCount);
  if (attributes !== undefined) writer.keyValues(3, attributes);
  text(2, version);
  text(1, name);
  writer.nested(1, before);
}

function logRecord(record: SdkLogRecord): void {
  const before = writer.length;
  const { spanContext, body } = record;
  text(12, record.eventName);
  writer.nanos(record.hrTimeObserved);
  writer.tag(11, 1);
  if (spanContext !== undefined) {
    writer.hex(spanContext.spanId);
    writer.tag(10, 2);
    writer.hex(spanContext.traceId);
    writer.tag(9, 2);
    if (spanContext.traceFlags !== 0) {
      writer.fixed32(spanContext.traceFlags);
      writer.tag(8, 5);
    }
  }
  count(7, record.droppedAttributesCount);
  writer.keyValues(6, record.attributes);
  if (body !== undefined) {
    const beforeBody = writer.length;
    writer.anyValue(body);
    writer.nested(5, beforeBody);
  }
  text(3, record.severityText);
  count(2, record.severityNumber ?? 0);
  writer.nanos(record.hrTime);
  writer.tag(1, 1);
  writer.nested(2, before);
}

function text(field: number, value: string | undefined): void {
  if (value === undefined || value === '') return;
  writer.text(value);
  writer.tag(field, 2);
}

function count(field: number, value: number): void {
  if (value === 0) return;
  writer.varint(value);
  writer.tag(field, 0);
}
