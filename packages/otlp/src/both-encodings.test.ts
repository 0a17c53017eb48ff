import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeAny, SIGNALS } from './testing/decode-any.ts';
import { type Neutral, OTLP, toJson, toProtobuf } from './testing/otlp-schema.ts';
import { randomRequests } from './testing/random-requests.ts';

describe.each(SIGNALS)('random %s', (signal) => {
  it('decode to equal records from protobuf (as protobufjs encodes it) and from JSON', () => {
    fc.assert(
      fc.property(randomRequests[signal], fc.nat(2), (request, space) => {
        const fromProtobuf = decodeAny(signal, toProtobuf(OTLP[signal], request as Neutral), 'protobuf');
        const fromJson = decodeAny(signal, toJson(request as Neutral, space), 'json');
        expect(fromJson).toEqual(fromProtobuf);
      }),
      { numRuns: 150 },
    );
  });
});
