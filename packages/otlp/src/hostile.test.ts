import { AttributeType, anyValueJson, MAX_TABLE_ROWS } from '@signalbox/records';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FUZZ_TIMEOUT, fuzz } from '../../../tooling/fuzz.ts';
import { decodeLogs, OtlpDecodeError } from './index.ts';
import { decodeAny, SIGNALS, type Signal } from './testing/decode-any.ts';
import { type Neutral, OTLP, toJson, toProtobuf } from './testing/otlp-schema.ts';
import { randomRequests } from './testing/random-requests.ts';

const ENCODINGS = ['protobuf', 'json'] as const;
type Encoding = (typeof ENCODINGS)[number];

/** Decodes; anything but success or OtlpDecodeError fails the test. Returns whether it succeeded. */
function survives(signal: Signal, bytes: Uint8Array, encoding: Encoding): boolean {
  try {
    decodeAny(signal, bytes, encoding);
    return true;
  } catch (error) {
    if (error instanceof OtlpDecodeError) {
      expect(error.position).toBeGreaterThanOrEqual(0);
      expect(error.position).toBeLessThanOrEqual(bytes.length);
      return false;
    }
    throw error;
  }
}

function encoded(signal: Signal, encoding: Encoding, request: object): Uint8Array {
  return encoding === 'json' ? toJson(request as Neutral) : toProtobuf(OTLP[signal], request as Neutral);
}

/** Requests rich enough that most of the decoder is at work: the largest of many random ones. */
function richRequests(signal: Signal, count: number): object[] {
  return fc
    .sample(randomRequests[signal] as fc.Arbitrary<object>, { numRuns: 200, seed: 7 })
    .sort((a, b) => toJson(b as Neutral).length - toJson(a as Neutral).length)
    .slice(0, count);
}

describe.each(SIGNALS)('hostile %s', (signal) => {
  describe.each(ENCODINGS)('in %s', (encoding) => {
    it('cut at any byte', () => {
      for (const request of richRequests(signal, 1)) {
        const bytes = encoded(signal, encoding, request).subarray(0, 1_500);
        for (let length = 0; length < bytes.length; length++) {
          const ok = survives(signal, bytes.subarray(0, length), encoding);
          if (encoding === 'json') {
            expect(ok).toBe(false);
          }
        }
      }
    });

    it('with bytes changed, put in, or taken out', { timeout: FUZZ_TIMEOUT }, () => {
      // Of moderate size, so that a change hits something that matters.
      const requests = richRequests(signal, 200)
        .map((request) => encoded(signal, encoding, request))
        .filter(({ length }) => length <= 800)
        .slice(0, 10);
      expect(requests).toHaveLength(10);
      fuzz(
        requests,
        (bytes) => survives(signal, bytes, encoding),
        () => false,
      );
    });

    it('of random bytes', () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
          survives(signal, bytes, encoding);
        }),
        { numRuns: 500 },
      );
    });
  });
});

describe('memory', () => {
  /** Bytes of typed arrays that decoding makes and keeps. */
  function grownBy(run: () => unknown): number {
    globalThis.gc?.();
    const before = process.memoryUsage().arrayBuffers;
    const kept = run();
    const after = process.memoryUsage().arrayBuffers;
    expect(kept).toBeDefined();
    return after - before;
  }

  it('stays in proportion to a request of the smallest messages', () => {
    // Each `0x12 0x00` is an empty span, rejected; each costs two bytes and must leave nothing behind.
    const spans = Buffer.alloc(2_000_000);
    for (let i = 0; i < spans.length; i += 2) {
      spans[i] = 0x12;
    }
    const length = (bytes: number) => [0, 1, 2, 3].map((i) => ((bytes >> (7 * i)) & 0x7f) | (i < 3 ? 0x80 : 0));
    const scope = Buffer.concat([Buffer.from([0x12, ...length(spans.length)]), spans]);
    const body = Buffer.concat([Buffer.from([0x0a, ...length(scope.length)]), scope]);
    const grown = grownBy(() => {
      const { rejected } = decodeAny('traces', body, 'protobuf');
      expect(rejected?.count).toBe(1_000_000);
      return rejected;
    });
    // decodeAny copies the body once.
    expect(grown).toBeLessThan(body.length * 3);
  });

  it('of a JSON text is its bytes and small columns', () => {
    const text = Buffer.from(`{"x":[${'{"a":"b"},'.repeat(300_000)}1]}`);
    expect(grownBy(() => decodeAny('logs', text, 'json'))).toBeLessThan(text.length * 3);
  });
});

describe('a list of the smallest values', () => {
  /** A log record whose body is a list of `count` entries without key and value: two bytes each. */
  function protobufList(count: number): Uint8Array {
    let content: Uint8Array = Buffer.alloc(count * 2);
    for (let i = 0; i < content.length; i += 2) {
      content[i] = 0x0a;
    }
    // body, LogRecord, ScopeLogs, ResourceLogs around `kvlist_value`.
    for (const field of [6, 5, 2, 2, 1]) {
      const length: number[] = [];
      for (let rest = content.length; ; rest >>>= 7) {
        length.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
        if (rest <= 0x7f) {
          break;
        }
      }
      content = Buffer.concat([Buffer.from([field * 8 + 2, ...length]), content]);
    }
    return Uint8Array.from(content);
  }

  function jsonList(count: number): Uint8Array {
    const values = `{},`.repeat(count - 1);
    const body = `{"kvlistValue":{"values":[${values}{}]}}`;
    return Buffer.from(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":${body}}]}]}]}`);
  }

  const lists = { protobuf: protobufList, json: jsonList };

  it.each(ENCODINGS)('counts against the limit of rows in %s', { timeout: 60_000 }, (encoding) => {
    const text = lists[encoding](MAX_TABLE_ROWS + 1);
    expect(() => decodeLogs(text, encoding)).toThrow(/^Invalid OTLP.* more than 4194304 values in lists/);
  });

  it.each(ENCODINGS)('becomes text without taking many times its size in %s', { timeout: 60_000 }, (encoding) => {
    const { batch } = decodeLogs(lists[encoding](2_000_000), encoding);
    expect(batch.body.type[0]).toBe(AttributeType.KeyValueList);
    const before = process.memoryUsage().heapUsed;
    const text = anyValueJson(batch.bytes, batch.body, 0);
    const grown = process.memoryUsage().heapUsed - before;
    expect(text).toBe(
      `{"kvlistValue":{"values":[${'{"key":"","value":{}},'.repeat(1_999_999)}{"key":"","value":{}}]}}`,
    );
    expect(grown).toBeLessThan(text.length * 4);
  });
});
