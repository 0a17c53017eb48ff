import { metricPointObjects } from '@signalbox/records';
import { expect, it, test } from 'vitest';
import { FUZZ_TIMEOUT, fuzz } from '../../../../tooling/fuzz.ts';
import { ProtocolDecodeError } from '../protocol-decode-error.ts';
import { decodeSnappy } from '../snappy/decode-snappy.ts';
import { goClientBytes } from '../testing/go-clients.ts';
import { decodeRemoteWrite } from './decode-remote-write.ts';
import { denseBuckets } from './native-histogram.ts';

const message = (name: string) => decodeSnappy(goClientBytes(name), 1 << 20);
const RESOURCE = [
  ['service.name', 'shop'],
  ['service.instance.id', 'a:80'],
];
const TRACE_ID = '5b8efff798038103d269b633813fc60c';
// Schema 0: bucket i of Prometheus ends at 2^i, that of OTLP begins there. Spans {0, 2}, {1, 1}, deltas 1, 1, 0.
const NATIVE = {
  metric: { type: 4, temporality: 2 },
  count: 6n,
  sum: 10.5,
  scale: 0,
  zeroCount: 1n,
  zeroThreshold: 0.001,
  positiveOffset: -1,
  positiveCounts: [1n, 2n, 0n, 2n],
};

test('what Prometheus writes as 1.0 becomes points', () => {
  const { batch, written } = decodeRemoteWrite(message('remoteWrite1'), '1.0');
  expect(written).toEqual({ samples: 3, histograms: 1, exemplars: 1 });
  const points = metricPointObjects(batch);
  expect(points).toMatchObject([
    {
      metric: { name: 'http_requests_total', description: 'Requests', type: 2, temporality: 2, monotonic: true },
      resource: { service: 'shop', attributes: RESOURCE },
      attributes: [['code', '200']],
      time: 1700000000123000000n,
      value: 3,
      exemplars: [],
    },
    {
      time: 1700000015123000000n,
      value: 4,
      exemplars: [{ traceId: TRACE_ID, value: 0.5, time: 1700000000100000000n, attributes: [] }],
    },
    { metric: { name: 'up', type: 1 }, value: null, flags: 1 },
    { ...NATIVE, resource: { service: 'shop' }, time: 1700000000123000000n },
  ]);
});

test('what Prometheus writes as 2.0 becomes points', () => {
  const { batch, written } = decodeRemoteWrite(message('remoteWrite2'), '2.0');
  expect(written).toEqual({ samples: 1, histograms: 1, exemplars: 1 });
  expect(metricPointObjects(batch)).toMatchObject([
    {
      metric: { name: 'http_requests_total', description: 'Requests', type: 2, unit: '' },
      startTime: 1699999990000000000n,
      value: 3,
      resource: { attributes: RESOURCE },
      exemplars: [{ traceId: TRACE_ID }],
    },
    { ...NATIVE, metric: { ...NATIVE.metric, name: 'latency_seconds', unit: 'seconds' } },
  ]);
});

it.each([
  [
    'a gap that is too large',
    [
      { offset: 0, length: 1 },
      { offset: 2 ** 31 - 1, length: 1 },
    ],
  ],
  ['a span that is too long', [{ offset: 0, length: 2 ** 32 - 1 }]],
  [
    'a span that goes back',
    [
      { offset: 0, length: 1 },
      { offset: -1, length: 1 },
    ],
  ],
])('%s is refused before it costs memory', (_, spans) => {
  expect(() => denseBuckets({ spans, deltas: [1, 0], counts: [] })).toThrow(ProtocolDecodeError);
});

it.each([
  ['a series without a name', '0a1a0a080a016112036e6f70120e09000000000000f03f10c0843d', '1.0'],
  ['a symbol that is not there', '22002a040a020102', '2.0'],
  ['a label without a value', '22002a030a0100', '2.0'],
  ['a first symbol that is not empty', '220161', '2.0'],
] as const)('%s is refused', (_, hex, version) => {
  expect(() => decodeRemoteWrite(Uint8Array.from(Buffer.from(hex, 'hex')), version)).toThrow(ProtocolDecodeError);
});

it.each([
  ['remoteWrite1', '1.0'],
  ['remoteWrite2', '2.0'],
] as const)(
  'never does anything but decode or refuse hostile bytes (%s)',
  { timeout: FUZZ_TIMEOUT },
  (name, version) => {
    const decode = (bytes: Uint8Array<ArrayBuffer>) => metricPointObjects(decodeRemoteWrite(bytes, version).batch);
    fuzz([message(name)], decode, (error) => error instanceof ProtocolDecodeError);
  },
);
