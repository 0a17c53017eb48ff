import fc from 'fast-check';

// Keys that are left out happen as often as keys that are there: absent is a value of its own in both encodings.
const optional = <Model extends object>(model: { [Key in keyof Model]: fc.Arbitrary<Model[Key]> }) =>
  fc.record(model, { requiredKeys: [] });

const text = fc.string({ unit: 'binary', maxLength: 12 });
const uint32 = fc.nat(0xffff_ffff);
const uint64 = fc.bigInt(0n, 2n ** 64n - 1n);
const int64 = fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n);
const int32 = fc.integer();
// JSON has no negative zero.
const double = fc.double().map((value) => (value === 0 ? 0 : value));
const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value));
const id = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).filter((value) => value.some((byte) => byte !== 0));
const traceId = id(16);
const spanId = id(8);
const few = <Value>(value: fc.Arbitrary<Value>) => fc.array(value, { maxLength: 3 });

const { value: anyValue } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.constant({}),
    fc.record({ stringValue: fc.oneof(text, fc.string({ minLength: 100, maxLength: 300 })) }),
    fc.record({ boolValue: fc.boolean() }),
    fc.record({ intValue: int64 }),
    fc.record({ doubleValue: double }),
    fc.record({ bytesValue: fc.uint8Array({ maxLength: 9 }) }),
    fc.record({ arrayValue: fc.record({ values: few(tie('value')) }) }),
    fc.record({ kvlistValue: fc.record({ values: few(fc.record({ key: text, value: tie('value') })) }) }),
  ),
}));
const attributes = few(optional({ key: fc.oneof(text, fc.constant('service.name')), value: anyValue }));

const resource = optional({ attributes, droppedAttributesCount: uint32 });
const scope = optional({ name: text, version: text, attributes, droppedAttributesCount: uint32 });

const span = fc.record(
  {
    traceId,
    spanId,
    traceState: text,
    parentSpanId: spanId,
    name: text,
    kind: fc.nat(7),
    startTimeUnixNano: uint64,
    endTimeUnixNano: uint64,
    attributes,
    droppedAttributesCount: uint32,
    events: few(optional({ timeUnixNano: uint64, name: text, attributes, droppedAttributesCount: uint32 })),
    droppedEventsCount: uint32,
    links: few(
      optional({ traceId, spanId, traceState: text, attributes, droppedAttributesCount: uint32, flags: uint32 }),
    ),
    droppedLinksCount: uint32,
    status: optional({ code: fc.nat(4), message: text }),
    flags: uint32,
  },
  { requiredKeys: ['traceId', 'spanId'] },
);

const logRecord = optional({
  timeUnixNano: uint64,
  observedTimeUnixNano: uint64,
  severityNumber: fc.nat(30),
  severityText: text,
  body: anyValue,
  attributes,
  droppedAttributesCount: uint32,
  flags: uint32,
  traceId,
  spanId,
  eventName: text,
});

const exemplarBase = { filteredAttributes: attributes, timeUnixNano: uint64, traceId, spanId };
const exemplars = few(
  fc.oneof(optional({ ...exemplarBase, asDouble: double }), optional({ ...exemplarBase, asInt: int64 })),
);
const point = { attributes, startTimeUnixNano: uint64, timeUnixNano: uint64, flags: uint32 };
const histogram = { ...point, count: uint64, sum: double, min: double, max: double, exemplars };
const numberPoint = fc.oneof(
  optional({ ...point, asDouble: double, exemplars }),
  optional({ ...point, asInt: int64, exemplars }),
);
const histogramPoint = fc
  .tuple(optional(histogram), fc.uniqueArray(finite, { maxLength: 4 }), few(uint64), fc.boolean())
  .map(([base, bounds, counts, hasBuckets]) => {
    const explicitBounds = bounds.sort((a, b) => a - b);
    const bucketCounts = [...explicitBounds, 0].map((_, i) => counts[i] ?? BigInt(i));
    return hasBuckets ? { ...base, explicitBounds, bucketCounts } : base;
  });
const buckets = optional({ offset: int32, bucketCounts: few(uint64) });
const exponentialPoint = optional({
  ...histogram,
  scale: int32,
  zeroCount: uint64,
  zeroThreshold: double,
  positive: buckets,
  negative: buckets,
});
const quantileValues = few(optional({ quantile: double, value: double }));
const summaryPoint = optional({ ...point, count: uint64, sum: double, quantileValues });

const aggregationTemporality = fc.nat(4);
const metricData = fc.oneof(
  fc.record({ gauge: optional({ dataPoints: few(numberPoint) }) }),
  fc.record({ sum: optional({ dataPoints: few(numberPoint), aggregationTemporality, isMonotonic: fc.boolean() }) }),
  fc.record({ histogram: optional({ dataPoints: few(histogramPoint), aggregationTemporality }) }),
  fc.record({ exponentialHistogram: optional({ dataPoints: few(exponentialPoint), aggregationTemporality }) }),
  fc.record({ summary: optional({ dataPoints: few(summaryPoint) }) }),
  fc.constant({}),
);
const metric = fc
  .tuple(optional({ name: text, description: text, unit: text }), metricData)
  .map(([base, data]) => ({ ...base, ...data }));

/** Requests of each signal in neutral form (otlp-schema.ts). Not all rows in them are acceptable, all are well-formed. */
export const randomRequests = {
  traces: optional({
    resourceSpans: few(
      optional({ scopeSpans: few(optional({ spans: few(span), scope, schemaUrl: text })), resource, schemaUrl: text }),
    ),
  }),
  logs: optional({
    resourceLogs: few(
      optional({
        schemaUrl: text,
        scopeLogs: few(optional({ schemaUrl: text, logRecords: few(logRecord), scope })),
        resource,
      }),
    ),
  }),
  metrics: optional({
    resourceMetrics: few(
      optional({ resource, scopeMetrics: few(optional({ scope, metrics: few(metric) })), schemaUrl: text }),
    ),
  }),
};
