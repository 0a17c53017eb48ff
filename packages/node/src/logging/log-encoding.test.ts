import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import type { AnyValue, LogRecord } from '@opentelemetry/api-logs';
import { ProtobufLogsSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { LoggerProvider, type SdkLogRecord } from '@opentelemetry/sdk-logs';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { expect, test } from 'vitest';
import { protobufLogs } from './log-encoding.ts';

/** From the specification's own definition: github.com/open-telemetry/opentelemetry-proto. */
const { root } = protobuf.parse(`syntax = "proto3";
message Request { repeated ResourceLogs resource_logs = 1; }
message ResourceLogs { Resource resource = 1; repeated ScopeLogs scope_logs = 2; string schema_url = 3; }
message Resource { repeated KeyValue attributes = 1; }
message ScopeLogs { Scope scope = 1; repeated LogRecord log_records = 2; string schema_url = 3; }
message Scope { string name = 1; string version = 2; repeated KeyValue attributes = 3; uint32 dropped_attributes_count = 4; }
message KeyValue { string key = 1; AnyValue value = 2; }
message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; ArrayValue array_value = 5; KeyValueList kvlist_value = 6; bytes bytes_value = 7; } }
message ArrayValue { repeated AnyValue values = 1; }
message KeyValueList { repeated KeyValue values = 1; }
message LogRecord { fixed64 time_unix_nano = 1; int32 severity_number = 2; string severity_text = 3; AnyValue body = 5; repeated KeyValue attributes = 6;
  uint32 dropped_attributes_count = 7; fixed32 flags = 8; bytes trace_id = 9; bytes span_id = 10; fixed64 observed_time_unix_nano = 11; string event_name = 12; }`);
const request = root.lookupType('Request');
const read = (bytes: Uint8Array | undefined): object =>
  request.toObject(request.decode(bytes ?? new Uint8Array(0)), {
    longs: String,
    // proto3 does not tell a default that is written from one that is not.
    defaults: true,
    bytes: String,
  });

const resource = resourceFromAttributes(
  { 'service.name': 'grüße 🌍', 'process.pid': 12 },
  { schemaUrl: 'https://schema' },
);

/** As the official SDK makes records, of two scopes. */
function recordsOf(emitted: readonly LogRecord[]): SdkLogRecord[] {
  const records: SdkLogRecord[] = [];
  const keep = {
    onEmit: (record: SdkLogRecord) => void records.push(record),
    forceFlush: async () => {},
    shutdown: async () => {},
  };
  const provider = new LoggerProvider({ resource, processors: [keep], logRecordLimits: { attributeCountLimit: 3 } });
  const loggers = [
    provider.getLogger('first', '1.2.3', { schemaUrl: 'https://scope', attributes: { a: 'b' } }),
    provider.getLogger('second'),
  ];
  for (const [index, record] of emitted.entries()) loggers[index % 2]?.emit(record);
  return records;
}

const value: fc.Arbitrary<AnyValue> = fc.letrec<{ value: AnyValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.string({ unit: 'binary' }),
    fc.boolean(),
    fc.double({ noNaN: true }),
    fc.integer(),
    fc.constantFrom(2 ** 60, -(2 ** 60), 2 ** 63, Number.MAX_SAFE_INTEGER, 1e300),
    fc.uint8Array({ maxLength: 5 }),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.string(), tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
})).value;

const emitted: fc.Arbitrary<LogRecord> = fc.record(
  {
    timestamp: fc.tuple(fc.nat(4_000_000_000), fc.nat(999_999_999)),
    observedTimestamp: fc.tuple(fc.nat(4_000_000_000), fc.nat(999_999_999)),
    eventName: fc.string(),
    severityNumber: fc.integer({ min: 0, max: 24 }),
    severityText: fc.string(),
    body: value,
    attributes: fc.dictionary(fc.string({ minLength: 1 }), value, { maxKeys: 5, noNullPrototype: true }),
    context: fc
      .constantFrom(0, 1)
      .map((traceFlags) =>
        trace.setSpanContext(ROOT_CONTEXT, { traceId: 'a1'.repeat(16), spanId: 'b2'.repeat(8), traceFlags }),
      ),
  },
  { requiredKeys: ['timestamp', 'observedTimestamp'] },
);

test('says what the official serializer says', () => {
  fc.assert(
    fc.property(fc.array(emitted, { minLength: 1, maxLength: 6 }), (all) => {
      const records = recordsOf(all);
      expect(read(protobufLogs.serializeRequest(records))).toEqual(
        read(ProtobufLogsSerializer.serializeRequest(records)),
      );
    }),
    { numRuns: 300 },
  );
});

test('of nothing there is no request', () => {
  expect(protobufLogs.serializeRequest([])).toBeUndefined();
});
