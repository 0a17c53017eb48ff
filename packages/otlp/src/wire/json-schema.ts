/** How a field of OTLP stands in JSON (OTLP specification, "JSON Protobuf Encoding"). */
export type JsonFieldKind =
  | 'text'
  /** Trace and span ids: hexadecimal. */
  | 'hex'
  | 'base64'
  | 'bool'
  /** uint32, int32, fixed32 and enums. */
  | 'number'
  | 'sint32'
  | 'double'
  /** 64-bit integers are texts. */
  | 'uint64'
  | 'int64'
  | 'fixed64'
  | 'sfixed64';

export interface JsonField {
  readonly name: string;
  readonly kind: JsonFieldKind | JsonMessage;
  readonly list: boolean;
}

/** Fields by number. */
export type JsonMessage = ReadonlyMap<number, JsonField>;

/** `traceId 1 hex`, `events[] 11`: name, number, kind; a kind that is a message is given in `messages`. */
function message(fields: readonly string[], messages: Readonly<Record<string, JsonMessage>> = {}): JsonMessage {
  return new Map(
    fields.map((field) => {
      const [written = '', number = '', kind = ''] = field.split(' ');
      const name = written.replace('[]', '');
      return [Number(number), { name, kind: messages[kind] ?? (kind as JsonFieldKind), list: written !== name }];
    }),
  );
}

const anyValue = new Map<number, JsonField>();
const KeyValue = message(['key 1 text', 'value 2 AnyValue'], { AnyValue: anyValue });
for (const [number, field] of message(
  [
    'stringValue 1 text',
    'boolValue 2 bool',
    'intValue 3 int64',
    'doubleValue 4 double',
    'arrayValue 5 ArrayValue',
    'kvlistValue 6 KeyValueList',
    'bytesValue 7 base64',
  ],
  {
    ArrayValue: message(['values[] 1 AnyValue'], { AnyValue: anyValue }),
    KeyValueList: message(['values[] 1 KeyValue'], { KeyValue }),
  },
)) {
  anyValue.set(number, field);
}

const common = { AnyValue: anyValue, KeyValue };

/** The messages around the records of a signal. */
function request(resourceGroups: string, scopeGroups: string, records: string, Record: JsonMessage): JsonMessage {
  const Scope = message(
    ['name 1 text', 'version 2 text', 'attributes[] 3 KeyValue', 'droppedAttributesCount 4 number'],
    common,
  );
  const Resource = message(['attributes[] 1 KeyValue', 'droppedAttributesCount 2 number'], common);
  const ScopeGroup = message(['scope 1 Scope', `${records}[] 2 Record`, 'schemaUrl 3 text'], { Scope, Record });
  const ResourceGroup = message(['resource 1 Resource', `${scopeGroups}[] 2 ScopeGroup`, 'schemaUrl 3 text'], {
    Resource,
    ScopeGroup,
  });
  return message([`${resourceGroups}[] 1 ResourceGroup`], { ResourceGroup });
}

const Span = message(
  [
    'traceId 1 hex',
    'spanId 2 hex',
    'traceState 3 text',
    'parentSpanId 4 hex',
    'name 5 text',
    'kind 6 number',
    'startTimeUnixNano 7 fixed64',
    'endTimeUnixNano 8 fixed64',
    'attributes[] 9 KeyValue',
    'droppedAttributesCount 10 number',
    'events[] 11 Event',
    'droppedEventsCount 12 number',
    'links[] 13 Link',
    'droppedLinksCount 14 number',
    'status 15 Status',
    'flags 16 number',
  ],
  {
    ...common,
    Event: message(
      ['timeUnixNano 1 fixed64', 'name 2 text', 'attributes[] 3 KeyValue', 'droppedAttributesCount 4 number'],
      common,
    ),
    Link: message(
      [
        'traceId 1 hex',
        'spanId 2 hex',
        'traceState 3 text',
        'attributes[] 4 KeyValue',
        'droppedAttributesCount 5 number',
        'flags 6 number',
      ],
      common,
    ),
    Status: message(['message 2 text', 'code 3 number']),
  },
);

const LogRecord = message(
  [
    'timeUnixNano 1 fixed64',
    'severityNumber 2 number',
    'severityText 3 text',
    'body 5 AnyValue',
    'attributes[] 6 KeyValue',
    'droppedAttributesCount 7 number',
    'flags 8 number',
    'traceId 9 hex',
    'spanId 10 hex',
    'observedTimeUnixNano 11 fixed64',
    'eventName 12 text',
  ],
  common,
);

const Exemplar = message(
  [
    'timeUnixNano 2 fixed64',
    'asDouble 3 double',
    'spanId 4 hex',
    'traceId 5 hex',
    'asInt 6 sfixed64',
    'filteredAttributes[] 7 KeyValue',
  ],
  common,
);
const POINT = ['startTimeUnixNano 2 fixed64', 'timeUnixNano 3 fixed64'];
const points = { ...common, Exemplar };
const NumberPoint = message(
  [
    ...POINT,
    'asDouble 4 double',
    'exemplars[] 5 Exemplar',
    'asInt 6 sfixed64',
    'attributes[] 7 KeyValue',
    'flags 8 number',
  ],
  points,
);
const HistogramPoint = message(
  [
    ...POINT,
    'count 4 fixed64',
    'sum 5 double',
    'bucketCounts[] 6 fixed64',
    'explicitBounds[] 7 double',
    'exemplars[] 8 Exemplar',
    'attributes[] 9 KeyValue',
    'flags 10 number',
    'min 11 double',
    'max 12 double',
  ],
  points,
);
const ExponentialPoint = message(
  [
    'attributes[] 1 KeyValue',
    ...POINT,
    'count 4 fixed64',
    'sum 5 double',
    'scale 6 sint32',
    'zeroCount 7 fixed64',
    'positive 8 Buckets',
    'negative 9 Buckets',
    'flags 10 number',
    'exemplars[] 11 Exemplar',
    'min 12 double',
    'max 13 double',
    'zeroThreshold 14 double',
  ],
  { ...points, Buckets: message(['offset 1 sint32', 'bucketCounts[] 2 uint64']) },
);
const SummaryPoint = message(
  [
    ...POINT,
    'count 4 fixed64',
    'sum 5 double',
    'quantileValues[] 6 Quantile',
    'attributes[] 7 KeyValue',
    'flags 8 number',
  ],
  { ...points, Quantile: message(['quantile 1 double', 'value 2 double']) },
);
const Metric = message(
  [
    'name 1 text',
    'description 2 text',
    'unit 3 text',
    'gauge 5 Gauge',
    'sum 7 Sum',
    'histogram 9 Histogram',
    'exponentialHistogram 10 Exponential',
    'summary 11 Summary',
  ],
  {
    Gauge: message(['dataPoints[] 1 Point'], { Point: NumberPoint }),
    Sum: message(['dataPoints[] 1 Point', 'aggregationTemporality 2 number', 'isMonotonic 3 bool'], {
      Point: NumberPoint,
    }),
    Histogram: message(['dataPoints[] 1 Point', 'aggregationTemporality 2 number'], { Point: HistogramPoint }),
    Exponential: message(['dataPoints[] 1 Point', 'aggregationTemporality 2 number'], { Point: ExponentialPoint }),
    Summary: message(['dataPoints[] 1 Point'], { Point: SummaryPoint }),
  },
);

/** `Export…ServiceRequest` of each signal. */
export const JSON_REQUESTS = {
  traces: request('resourceSpans', 'scopeSpans', 'spans', Span),
  logs: request('resourceLogs', 'scopeLogs', 'logRecords', LogRecord),
  metrics: request('resourceMetrics', 'scopeMetrics', 'metrics', Metric),
} as const;
