import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FUZZ_TIMEOUT, fuzz } from '../../../../tooling/fuzz.ts';
import { ProtocolDecodeError } from '../protocol-decode-error.ts';
import { goClientBytes } from '../testing/go-clients.ts';
import { decodeSnappy } from './decode-snappy.ts';
import { encodeSnappy } from './encode-snappy.ts';

const LIMIT = 1 << 20;

describe('Snappy blocks', () => {
  it('of golang/snappy are read', () => {
    const text = Buffer.from(decodeSnappy(goClientBytes('lokiPush'), LIMIT)).toString('latin1');
    expect(text).toContain('{job="sidechain", container="backend"');
    expect(text).toContain('traceID=0af7651916cd43dd8448eb211c80319c');
  });

  it('come back as they were', () => {
    const part = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.constantFrom(new Uint8Array(70_000), Buffer.from('abcabcabcabcd')),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
        const bytes = Uint8Array.from(Buffer.concat(parts));
        expect(Buffer.compare(decodeSnappy(encodeSnappy(bytes), LIMIT), bytes)).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  it('get smaller where something repeats', () => {
    const bytes = Buffer.from('http_requests_total{code="200"} '.repeat(1_000));
    expect(encodeSnappy(bytes).length).toBeLessThan(bytes.length / 10);
  });

  it.each([
    ['a literal and an overlapping copy', [6, 0x00, 0x61, 0x12, 0x01, 0x00], 'aaaaaa'],
    ['a copy with a one-byte offset', [8, 0x0c, 0x61, 0x62, 0x63, 0x64, 0x01, 0x04], 'abcdabcd'],
    ['nothing', [0], ''],
  ])('follow format_description.txt: %s', (_, bytes, expected) => {
    expect(Buffer.from(decodeSnappy(Uint8Array.from(bytes), LIMIT)).toString()).toBe(expected);
  });

  it.each([
    ['empty input', []],
    ['a length that never ends', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
    ['a copy from before the start', [4, 0x0e, 0x01, 0x00]],
    ['less than was announced', [9, 0x00, 0x61]],
    ['more than was announced', [1, 0x04, 0x61, 0x62]],
    ['a literal beyond the end', [9, 0x20, 0x61]],
  ])('are refused: %s', (_, bytes) => {
    expect(() => decodeSnappy(Uint8Array.from(bytes), LIMIT)).toThrow(ProtocolDecodeError);
  });

  it('that announce more than the limit are refused before anything is allocated', () => {
    const announced = Uint8Array.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0x00, 0x61]);
    expect(() => decodeSnappy(announced, LIMIT)).toThrow(expect.objectContaining({ tooLarge: true }));
    expect(() => decodeSnappy(announced, 2 ** 33)).toThrow('corrupt');
  });

  it('never make anything but bytes or a refusal of hostile input', { timeout: FUZZ_TIMEOUT }, () => {
    const decode = (bytes: Uint8Array) => decodeSnappy(bytes, LIMIT);
    fuzz([goClientBytes('remoteWrite1')], decode, (error) => error instanceof ProtocolDecodeError);
  });
});
