import { expect, it, test } from 'vitest';
import { FUZZ_TIMEOUT, fuzz } from '../../../../tooling/fuzz.ts';
import { ProtocolDecodeError } from '../protocol-decode-error.ts';
import { decodeSnappy } from '../snappy/decode-snappy.ts';
import { encodeSnappy } from '../snappy/encode-snappy.ts';
import { goClientBytes } from '../testing/go-clients.ts';
import { decodeRemoteRead } from './decode-remote-read.ts';

const MAX_BYTES = 1 << 20;
// What is asked, and how it is answered, stands beside the route: server/src/api/prometheus/remote-read.test.ts.

test('larger than is allowed after decompression is refused as that', () => {
  expect(() => decodeRemoteRead(encodeSnappy(new Uint8Array(MAX_BYTES + 1)), MAX_BYTES)).toThrow(
    expect.objectContaining({ tooLarge: true }),
  );
});

test.each([
  ['one by one', Uint8Array.from({ length: 2 * 17 }, (_, at) => (at % 2 === 0 ? 0x10 : 7))],
  ['packed', Uint8Array.from([0x12, 17, ...Array.from({ length: 17 }, () => 7)])],
])('more types of answers than anybody has are refused: %s', (_, message) => {
  expect(() => decodeRemoteRead(encodeSnappy(message), MAX_BYTES)).toThrow(
    new ProtocolDecodeError('remote read: more than 16 types of answers are accepted'),
  );
});

it('never does anything but decode or refuse hostile bytes', { timeout: FUZZ_TIMEOUT }, () => {
  fuzz(
    [decodeSnappy(goClientBytes('remoteRead'), MAX_BYTES)],
    (bytes) => decodeRemoteRead(encodeSnappy(bytes), MAX_BYTES),
    (error) => error instanceof ProtocolDecodeError,
  );
});
