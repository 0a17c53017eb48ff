import { type HrTime, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import type { AnyValue, LoggerProvider as ApiLoggerProvider, LogRecord } from '@opentelemetry/api-logs';
import { ProtobufLogsSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { LoggerProvider, type SdkLogRecord } from '@opentelemetry/sdk-logs';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { expect, test } from 'vitest';
import { emitLine } from './emit-line.ts';
import { ProtobufLogs } from './log-encoding.ts';
import type { LogLine } from './log-line.ts';
import type { FinishedLogRecord, LogScope } from './log-record.ts';
import { type LoggerProviderOptions, SignalboxLoggerProvider } from './logger-provider.ts';

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

const scopes = [
  ['first', '1.2.3', { schemaUrl: 'https://scope', attributes: { a: 'b' } }],
  ['second'],
  ['third', '2.0.0', { schemaUrl: 'https://third' }],
] as const;

function emitAll(provider: ApiLoggerProvider, emitted: readonly LogRecord[]): void {
  const loggers = scopes.map(([name, version, options]) => provider.getLogger(name, version, options));
  for (const [index, record] of emitted.entries()) loggers[index % loggers.length]?.emit(record);
}

type TestedLimits = LoggerProviderOptions['limits'];
const limits: TestedLimits = { attributeCountLimit: 3, attributeValueLengthLimit: Number.POSITIVE_INFINITY };

/** The request that the official SDK makes of them. */
function officialRequest(emitted: readonly LogRecord[], logRecordLimits: TestedLimits): object {
  const records: SdkLogRecord[] = [];
  const keep = {
    onEmit: (record: SdkLogRecord) => void records.push(record),
    forceFlush: async () => {},
    shutdown: async () => {},
  };
  emitAll(new LoggerProvider({ resource, processors: [keep], logRecordLimits }), emitted);
  return read(ProtobufLogsSerializer.serializeRequest(records));
}

function ourRequest(emitted: readonly LogRecord[], ownLimits: TestedLimits): object {
  const encoding = new ProtobufLogs(resource.schemaUrl);
  const encoded = new Map<LogScope, Uint8Array[]>();
  const provider = new SignalboxLoggerProvider({
    limits: ownLimits,
    onRecord(record, scope) {
      const ofScope = encoded.get(scope) ?? [];
      encoded.set(scope, [...ofScope, Buffer.from(encoding.encode(record))]);
    },
    flush: async () => {},
  });
  emitAll(provider, emitted);
  const parts = [...encoded].map(([scope, bytes]) => ({ scope, bytes: Buffer.concat(bytes) }));
  return read(Buffer.concat(encoding.request(resource.attributes, parts)));
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

test('says what the official SDK and its serializer say', () => {
  const cut: TestedLimits = { attributeCountLimit: 128, attributeValueLengthLimit: 2 };
  fc.assert(
    fc.property(fc.array(emitted, { minLength: 1, maxLength: 6 }), fc.constantFrom(limits, cut), (all, of) => {
      expect(ourRequest(all, of)).toEqual(officialRequest(all, of));
    }),
    { numRuns: 300 },
  );
});

test('what the official SDK refuses, is refused; what it takes, is taken', () => {
  const cycle: Record<string, unknown> = { name: 'a' };
  cycle.self = cycle;
  const wide = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`k${index}`, { index }]));
  const strange: unknown[] = [
    cycle,
    wide,
    () => 1,
    10n,
    new Date(0),
    new Map(),
    /x/,
    [[cycle]],
    [undefined],
    Symbol('s'),
  ];
  const at = { timestamp: 1_700_000_000_123, observedTimestamp: new Date(1_700_000_000_456) };
  const records = [
    ...strange.map((each) => ({ ...at, attributes: { each, kept: 1 } })),
    { ...at, attributes: { '': 'no key', kept: null, none: undefined } },
    { ...at, exception: new TypeError('boom'), body: 'with an exception' },
    { ...at, exception: 'text', attributes: { 'exception.message': 'own' } },
    { ...at, attributes: Object.assign(Object.create(null), { bare: Object.create(null) }) },
    {
      ...at,
      context: trace.setSpanContext(ROOT_CONTEXT, { traceId: '0'.repeat(32), spanId: 'b2'.repeat(8), traceFlags: 1 }),
    },
    at,
  ] as LogRecord[];
  expect(ourRequest(records, limits)).toEqual(officialRequest(records, limits));
});

/** The request that lines of one logger become; `isDirect`: encoded without records being made. */
function lineRequest(
  lines: readonly [LogLine, readonly [string, unknown][]][],
  isDirect: boolean,
  isLogged = false,
): object {
  const encoding = new ProtobufLogs(resource.schemaUrl, limits.attributeCountLimit);
  const encoded: Uint8Array[] = [];
  const provider = new SignalboxLoggerProvider({
    limits,
    onRecord: (record) => void encoded.push(Buffer.from(encoding.encode(record))),
    ...(isDirect && {
      onLine(line, _scope, give) {
        const bytes = encoding.encodeLine(line, give);
        if (bytes !== undefined) encoded.push(Buffer.from(bytes));
        return bytes !== undefined;
      },
    }),
    flush: async () => {},
  });
  const logger = provider.getLogger('lines');
  for (const [line, attributes] of lines)
    emitLine(logger, line, (all) => {
      for (const [name, each] of [...attributes].reverse())
        if (isLogged) all.addLogged(name, each);
        else all.add(name, each as AnyValue);
    });
  return read(
    Buffer.concat(encoding.request(resource.attributes, [{ scope: { name: 'lines' }, bytes: Buffer.concat(encoded) }])),
  );
}

const spanContext = { traceId: 'a1'.repeat(16), spanId: 'b2'.repeat(8), traceFlags: 1 };
const line: fc.Arbitrary<LogLine> = fc.record({
  time: fc.tuple(fc.nat(4_000_000_000), fc.nat(999_999_999)),
  severityNumber: fc.integer({ min: 0, max: 24 }),
  severityText: fc.string(),
  body: fc.option(fc.string(), { nil: undefined }),
  context: fc.constantFrom(ROOT_CONTEXT, trace.setSpanContext(ROOT_CONTEXT, spanContext)),
});
const lineAttributes = fc.array(
  fc.oneof(
    fc.tuple(fc.constantFrom('a', 'b', 'c', ''), value),
    fc.constantFrom<[string, AnyValue]>(
      ['trace_id', spanContext.traceId],
      ['trace_id', 'another'],
      ['span_id', spanContext.spanId],
      ['trace_flags', '01'],
    ),
  ),
  { maxLength: 6 },
);

test('a line is the record that it would be, with names that come again, too many, and its own ids', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(line, lineAttributes), { maxLength: 5 }), (lines) => {
      expect(lineRequest(lines, true)).toEqual(lineRequest(lines, false));
    }),
    { numRuns: 300 },
  );
});

test('lines that come again are the records that they would be', () => {
  const said = fc.record({
    time: fc.constant<[number, number]>([1, 2]),
    severityNumber: fc.constantFrom(0, 9, 17),
    severityText: fc.constantFrom('', 'info'),
    body: fc.constantFrom(undefined, '', 'incoming request', 'größe', 'x'.repeat(200)),
    context: fc.constant(ROOT_CONTEXT),
  });
  fc.assert(
    fc.property(fc.array(said, { maxLength: 40 }), (lines) => {
      const all = lines.map((each): [LogLine, [string, unknown][]] => [each, [['a', 1]]]);
      expect(lineRequest(all, true)).toEqual(lineRequest(all, false));
    }),
  );
});

test('what is logged is written as it would be converted', () => {
  const strange = fc.constantFrom<unknown>(
    undefined,
    () => 1,
    Symbol('s'),
    10n,
    new Date(0),
    new TypeError('boom'),
    new Map([['a', 1]]),
    { toJSON: () => ({ made: true }) },
    Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`k${index}`, index])),
  );
  const logged = fc.oneof(value, strange, fc.dictionary(fc.string(), fc.oneof(value, strange), { maxKeys: 4 }));
  const attributes = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', ''), logged), { maxLength: 4 });
  fc.assert(
    fc.property(fc.array(fc.tuple(line, attributes), { maxLength: 5 }), (lines) => {
      expect(lineRequest(lines, true, true)).toEqual(lineRequest(lines, false, true));
    }),
    { numRuns: 300 },
  );
});

test('a line repeats no ids that its record has, and the later value of a name counts', () => {
  const lines: [LogLine, [string, AnyValue][]][] = [
    [
      {
        time: [1, 2],
        severityNumber: 9,
        severityText: 'info',
        body: 'text',
        context: trace.setSpanContext(ROOT_CONTEXT, spanContext),
      },
      [
        ['a', 1],
        ['trace_id', spanContext.traceId],
        ['span_id', spanContext.spanId],
        ['a', 2],
      ],
    ],
  ];
  const record = {
    body: { stringValue: 'text' },
    traceId: Buffer.from(spanContext.traceId, 'hex').toString('base64'),
    attributes: [{ key: 'a', value: { intValue: '2' } }],
  };
  expect(lineRequest(lines, true)).toMatchObject({ resourceLogs: [{ scopeLogs: [{ logRecords: [record] }] }] });
});

test('what is logged while a line is encoded costs neither of them', () => {
  const encoding = new ProtobufLogs();
  const at: LogLine = { time: [1, 2], severityNumber: 9, severityText: 'info', body: 'one', context: ROOT_CONTEXT };
  const plain = (body: string): Uint8Array =>
    Buffer.from(encoding.encodeLine({ ...at, body }, (all) => all.add('a', 'b')) ?? []);
  let inner: Uint8Array | undefined;
  const outer = encoding.encodeLine(at, (all) => {
    inner = plain('two');
    all.add('a', 'b');
  });
  expect(Buffer.from(outer ?? [])).toEqual(plain('one'));
  expect(inner).toEqual(plain('two'));
});

test('a record without times has those of now', () => {
  const times: HrTime[] = [];
  const onRecord = ({ hrTime, hrTimeObserved }: FinishedLogRecord): void => void times.push(hrTime, hrTimeObserved);
  const provider = new SignalboxLoggerProvider({ limits, onRecord, flush: async () => {} });
  const before = Date.now();
  provider.getLogger('a').emit({});
  const millis = times.map(([seconds, nanos]) => seconds * 1_000 + nanos / 1_000_000);
  expect(millis).toHaveLength(2);
  for (const each of millis) {
    expect(each).toBeGreaterThanOrEqual(before);
    expect(each).toBeLessThanOrEqual(Date.now());
  }
});

test('what is logged while a record is encoded costs neither of them', () => {
  const encoding = new ProtobufLogs();
  const record = (body: AnyValue): FinishedLogRecord => ({
    instrumentationScope: { name: 'a' },
    hrTime: [1, 2],
    hrTimeObserved: [1, 2],
    body,
    attributes: {},
    droppedAttributesCount: 0,
  });
  let inner: Uint8Array | undefined;
  const noisy = {
    get noise() {
      inner = Buffer.from(encoding.encode(record('inner')));
      return 'made';
    },
  };
  const outer = Buffer.from(encoding.encode(record(noisy)));
  expect(outer).toEqual(Buffer.from(encoding.encode(record({ noise: 'made' }))));
  expect(inner).toEqual(Buffer.from(encoding.encode(record('inner'))));
});

test('nothing is taken after shutdown, and flushing asks for it', async () => {
  let records = 0;
  let flushes = 0;
  const provider = new SignalboxLoggerProvider({
    limits,
    onRecord() {
      records += 1;
    },
    async flush() {
      flushes += 1;
    },
  });
  const logger = provider.getLogger('a');
  logger.emit({ body: 'before' });
  await provider.forceFlush();
  expect([records, flushes, logger.enabled()]).toEqual([1, 1, true]);
  await provider.shutdown();
  logger.emit({ body: 'after' });
  expect([records, flushes, logger.enabled()]).toEqual([1, 2, false]);
});

test('what callers without types give does not throw, and has a time', () => {
  const seen: FinishedLogRecord[] = [];
  const provider = new SignalboxLoggerProvider({
    limits,
    onRecord: (record) => void seen.push(record),
    flush: async () => {},
  });
  const logger = provider.getLogger('untyped');
  const from = Date.now() / 1_000 - 1;
  logger.emit({ body: 'attributes', attributes: null } as unknown as LogRecord);
  logger.emit({ body: 'timestamp', timestamp: 'yesterday', observedTimestamp: null } as unknown as LogRecord);
  expect(seen.map(({ body, attributes }) => [body, attributes])).toEqual([
    ['attributes', {}],
    ['timestamp', {}],
  ]);
  for (const { hrTime, hrTimeObserved } of seen) {
    expect(hrTime[0]).toBeGreaterThan(from);
    expect(hrTimeObserved[0]).toBeGreaterThan(from);
  }
});
