import { describe, expect, it } from 'vitest';
import { protobufToJson } from './index.ts';
import { decodeAny } from './testing/decode-any.ts';
import { reencode } from './testing/encode-any.ts';
import { type Neutral, OTLP, toJson, toProtobuf } from './testing/otlp-schema.ts';

const TRACE = Buffer.from('5b8efff798038103d269b633813fc60c', 'hex');
const SPAN = Buffer.from('eee19b7ec3c1b174', 'hex');
const PARENT = Buffer.from('eee19b7ec3c1b173', 'hex');
const text = (key: string, value: string) => ({ key, value: { stringValue: value } });
const TIME = 1_760_000_000_123_456_789n;

const attributes = [
  text('string', 'é\u0000"\\\n😀'),
  { key: 'bool', value: { boolValue: true } },
  { key: 'int', value: { intValue: -(2n ** 63n) } },
  { key: 'double', value: { doubleValue: Number.NaN } },
  { key: 'bytes', value: { bytesValue: Buffer.from([0, 255]) } },
  {
    key: 'array',
    value: { arrayValue: { values: [{ stringValue: 'x'.repeat(300) }, { intValue: 2n ** 63n - 1n }, {}] } },
  },
  {
    key: 'list',
    value: {
      kvlistValue: {
        values: [
          { key: 'a', value: { doubleValue: Number.NEGATIVE_INFINITY } },
          { key: 'b', value: { boolValue: false } },
          { key: 'c', value: { bytesValue: Buffer.from('hi') } },
        ],
      },
    },
  },
  { key: 'empty', value: {} },
];
const attributeObjects = [
  ['string', 'é\u0000"\\\n😀'],
  ['bool', true],
  ['int', -(2n ** 63n)],
  ['double', Number.NaN],
  ['bytes', new Uint8Array([0, 255])],
  ['array', ['x'.repeat(300), 2n ** 63n - 1n, null]],
  [
    'list',
    {
      entries: [
        ['a', Number.NEGATIVE_INFINITY],
        ['b', false],
        ['c', new Uint8Array(Buffer.from('hi'))],
      ],
    },
  ],
  ['empty', null],
];

const resource = { attributes: [text('service.name', 'shop')], droppedAttributesCount: 1 };
const scope = { name: 'lib', version: '1.2', attributes: [text('s', 't')], droppedAttributesCount: 2 };
const origin = {
  resource: {
    service: 'shop',
    attributes: [['service.name', 'shop']],
    droppedAttributesCount: 1,
    schemaUrl: 'https://resource',
  },
  scope: {
    name: 'lib',
    version: '1.2',
    attributes: [['s', 't']],
    droppedAttributesCount: 2,
    schemaUrl: 'https://scope',
  },
};

function check(signal: 'traces' | 'logs' | 'metrics', request: Neutral, expected: object[]) {
  const all = { rows: expected, rejected: null };
  const sent = toProtobuf(OTLP[signal], request);
  expect(decodeAny(signal, sent, 'protobuf')).toEqual(all);
  // What is encoded of the records is, for protobufjs, what was sent.
  const read = (bytes: Uint8Array) => OTLP[signal].toObject(OTLP[signal].decode(bytes), { longs: String });
  expect(read(reencode(signal, sent))).toEqual(read(sent));
  expect(decodeAny(signal, protobufToJson(signal, reencode(signal, sent)), 'json')).toEqual(all);
  expect(decodeAny(signal, toJson(request), 'json')).toEqual(all);
}

describe('every field', () => {
  it('of a span', () => {
    const span = {
      traceId: TRACE,
      spanId: SPAN,
      traceState: 'ot=th:8',
      parentSpanId: PARENT,
      name: 'GET /',
      kind: 2,
      startTimeUnixNano: TIME,
      endTimeUnixNano: 2n ** 64n - 1n,
      attributes,
      droppedAttributesCount: 3,
      events: [{ timeUnixNano: TIME, name: 'exception', attributes, droppedAttributesCount: 4 }, {}],
      droppedEventsCount: 5,
      links: [
        { traceId: TRACE, spanId: PARENT, traceState: 'a=b', attributes, droppedAttributesCount: 6, flags: 0x301 },
      ],
      droppedLinksCount: 7,
      status: { code: 2, message: 'no' },
      flags: 0xffff_ffff,
    };
    const request = {
      resourceSpans: [
        {
          resource,
          scopeSpans: [{ scope, spans: [span], schemaUrl: 'https://scope' }],
          schemaUrl: 'https://resource',
        },
      ],
    };
    const { startTimeUnixNano, endTimeUnixNano, status, ...same } = span;
    check('traces', request, [
      {
        ...same,
        ...origin,
        traceId: TRACE.toString('hex'),
        spanId: SPAN.toString('hex'),
        parentSpanId: PARENT.toString('hex'),
        startTime: startTimeUnixNano,
        endTime: endTimeUnixNano,
        attributes: attributeObjects,
        events: [
          { time: TIME, name: 'exception', attributes: attributeObjects, droppedAttributesCount: 4 },
          { time: 0n, name: '', attributes: [], droppedAttributesCount: 0 },
        ],
        links: [
          {
            traceId: TRACE.toString('hex'),
            spanId: PARENT.toString('hex'),
            traceState: 'a=b',
            flags: 0x301,
            attributes: attributeObjects,
            droppedAttributesCount: 6,
          },
        ],
        statusCode: status.code,
        statusMessage: status.message,
      },
    ]);
  });

  it('of a log record', () => {
    const logRecord = {
      timeUnixNano: TIME,
      observedTimeUnixNano: TIME + 1n,
      severityNumber: 24,
      severityText: 'FATAL',
      body: { arrayValue: { values: [{ stringValue: 'a' }] } },
      attributes,
      droppedAttributesCount: 3,
      flags: 1,
      traceId: TRACE,
      spanId: SPAN,
      eventName: 'event',
    };
    const request = {
      resourceLogs: [
        {
          resource,
          scopeLogs: [{ scope, logRecords: [logRecord], schemaUrl: 'https://scope' }],
          schemaUrl: 'https://resource',
        },
      ],
    };
    const { timeUnixNano, observedTimeUnixNano, ...same } = logRecord;
    check('logs', request, [
      {
        ...same,
        ...origin,
        time: timeUnixNano,
        observedTime: observedTimeUnixNano,
        body: ['a'],
        attributes: attributeObjects,
        traceId: TRACE.toString('hex'),
        spanId: SPAN.toString('hex'),
      },
    ]);
  });

  it('of data points of all kinds', () => {
    const exemplar = { filteredAttributes: attributes, timeUnixNano: TIME, traceId: TRACE, spanId: SPAN };
    const exemplarObject = {
      time: TIME,
      traceId: TRACE.toString('hex'),
      spanId: SPAN.toString('hex'),
      attributes: attributeObjects,
    };
    const base = { attributes, startTimeUnixNano: TIME, timeUnixNano: TIME + 1n, flags: 1 };
    const baseObject = { ...origin, attributes: attributeObjects, startTime: TIME, time: TIME + 1n, flags: 1 };
    const totals = { count: 2n ** 64n - 1n, sum: -1.5, min: -2, max: 0 };
    const metrics = [
      {
        name: 'gauge',
        description: 'd',
        unit: 'u',
        gauge: { dataPoints: [{ ...base, asInt: -5n, exemplars: [{ ...exemplar, asInt: -6n }] }] },
      },
      {
        name: 'sum',
        sum: {
          dataPoints: [{ ...base, asDouble: 0.1, exemplars: [{ ...exemplar, asDouble: 0.2 }] }],
          aggregationTemporality: 2,
          isMonotonic: true,
        },
      },
      {
        name: 'histogram',
        histogram: {
          dataPoints: [
            { ...base, ...totals, bucketCounts: [1n, 2n ** 64n - 1n], explicitBounds: [0.5], exemplars: [exemplar] },
            { ...base, count: 1n },
          ],
          aggregationTemporality: 1,
        },
      },
      {
        name: 'exponential',
        exponentialHistogram: {
          dataPoints: [
            {
              ...base,
              ...totals,
              scale: -10,
              zeroCount: 3n,
              zeroThreshold: 1e-9,
              positive: { offset: -(2 ** 31), bucketCounts: [1n, 300n, 2n ** 64n - 1n] },
              negative: { offset: 2 ** 31 - 1, bucketCounts: [0n] },
              exemplars: [exemplar],
            },
          ],
          aggregationTemporality: 2,
        },
      },
      {
        name: 'summary',
        summary: {
          dataPoints: [
            {
              ...base,
              count: 9n,
              sum: 4.5,
              quantileValues: [
                { quantile: 0.5, value: 1 },
                { quantile: 1, value: 2 },
              ],
            },
          ],
        },
      },
    ];
    const request = {
      resourceMetrics: [
        { resource, scopeMetrics: [{ scope, metrics, schemaUrl: 'https://scope' }], schemaUrl: 'https://resource' },
      ],
    };
    const metric = (name: string, type: number, temporality = 0, monotonic = false) => ({
      name,
      description: name === 'gauge' ? 'd' : '',
      unit: name === 'gauge' ? 'u' : '',
      type,
      temporality,
      monotonic,
    });
    const noValue = { ...exemplarObject, value: null };
    check('metrics', request, [
      { ...baseObject, metric: metric('gauge', 1), value: -5n, exemplars: [{ ...exemplarObject, value: -6n }] },
      { ...baseObject, metric: metric('sum', 2, 2, true), value: 0.1, exemplars: [{ ...exemplarObject, value: 0.2 }] },
      {
        ...baseObject,
        ...totals,
        metric: metric('histogram', 3, 1),
        bucketCounts: [1n, 2n ** 64n - 1n],
        explicitBounds: [0.5],
        exemplars: [noValue],
      },
      {
        ...baseObject,
        metric: metric('histogram', 3, 1),
        count: 1n,
        sum: null,
        min: null,
        max: null,
        bucketCounts: [],
        explicitBounds: [],
        exemplars: [],
      },
      {
        ...baseObject,
        ...totals,
        metric: metric('exponential', 4, 2),
        scale: -10,
        zeroCount: 3n,
        zeroThreshold: 1e-9,
        positiveOffset: -(2 ** 31),
        positiveCounts: [1n, 300n, 2n ** 64n - 1n],
        negativeOffset: 2 ** 31 - 1,
        negativeCounts: [0n],
        exemplars: [noValue],
      },
      {
        ...baseObject,
        metric: metric('summary', 5),
        count: 9n,
        sum: 4.5,
        quantiles: [0.5, 1],
        quantileValues: [1, 2],
      },
    ]);
  });
});
