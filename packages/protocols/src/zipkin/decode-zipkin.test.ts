import { spanObjects } from '@signalbox/records';
import { expect, it, test } from 'vitest';
import { FUZZ_TIMEOUT, fuzz } from '../../../../tooling/fuzz.ts';
import { ProtocolDecodeError } from '../protocol-decode-error.ts';
import { decodeZipkin } from './decode-zipkin.ts';

// The example of Zipkin's own documentation ("Data Model"), with a remote side, a tag of an error and a shared span added.
const SPANS = [
  {
    traceId: '5982fe77008310cc80f1da5e10147517',
    name: 'get',
    id: 'bd7a977555f6b982',
    timestamp: 1458702548467000,
    duration: 386000,
    kind: 'CLIENT',
    localEndpoint: { serviceName: 'zipkin-query', ipv4: '192.168.1.2', port: 9411 },
    remoteEndpoint: { serviceName: 'mysql', ipv6: '::1', port: 3306 },
    annotations: [{ timestamp: 1458702548467100, value: 'wire.send' }],
    tags: { 'http.path': '/api', error: 'no such table' },
  },
  {
    traceId: 'f1da5e10147517',
    name: 'get',
    parentId: 'bd7a977555f6b982',
    id: 'ebf33e1a81dc6f71',
    timestamp: 1458702548478000,
    duration: 354374,
    kind: 'SERVER',
    shared: true,
    localEndpoint: { serviceName: 'zipkin-query', ipv4: '192.168.1.2', port: 9411 },
    tags: { error: 'false' },
  },
];
const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

test('spans of Zipkin become spans', () => {
  expect(spanObjects(decodeZipkin(bytes(SPANS)))).toMatchObject([
    {
      traceId: '5982fe77008310cc80f1da5e10147517',
      spanId: 'bd7a977555f6b982',
      parentSpanId: '0000000000000000',
      name: 'get',
      kind: 3,
      startTime: 1458702548467000000n,
      endTime: 1458702548853000000n,
      statusCode: 2,
      statusMessage: 'no such table',
      events: [{ time: 1458702548467100000n, name: 'wire.send' }],
      attributes: [
        ['http.path', '/api'],
        ['peer.service', 'mysql'],
        ['network.peer.address', '::1'],
        ['network.peer.port', 3306n],
      ],
      resource: { service: 'zipkin-query' },
    },
    {
      traceId: '000000000000000000f1da5e10147517',
      parentSpanId: 'bd7a977555f6b982',
      kind: 2,
      statusCode: 0,
      attributes: [['zipkin.shared', true]],
    },
  ]);
});

it('makes the least of a span', () => {
  expect(spanObjects(decodeZipkin(bytes([{ traceId: 'a', id: '1' }])))).toMatchObject([
    { name: '', kind: 1, startTime: 0n, endTime: 0n, resource: { service: 'unknown_service' } },
  ]);
});

it.each([
  ['no list', {}],
  ['a span that is no object', [1]],
  ['no trace id', [{ id: '1' }]],
  ['a trace id of zeros', [{ traceId: '0000', id: '1' }]],
  ['a span id that is too long', [{ traceId: '1', id: '12345678901234567' }]],
])('%s is refused', (_, value) => {
  expect(() => decodeZipkin(bytes(value))).toThrow(ProtocolDecodeError);
});

it('never does anything but decode or refuse hostile bytes', { timeout: FUZZ_TIMEOUT }, () => {
  const decode = (hostile: Uint8Array<ArrayBuffer>) => spanObjects(decodeZipkin(hostile));
  fuzz([bytes(SPANS)], decode, (error) => error instanceof ProtocolDecodeError);
});
