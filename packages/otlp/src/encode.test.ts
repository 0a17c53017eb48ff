import { concatBatches, keptRows, selectSpans, spanObjects } from '@signalbox/records';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { decodeTraces, encodeTraces, protobufToJson } from './index.ts';
import { decodeAny, SIGNALS } from './testing/decode-any.ts';
import { reencode } from './testing/encode-any.ts';
import { type Neutral, OTLP, toProtobuf } from './testing/otlp-schema.ts';
import { randomRequests } from './testing/random-requests.ts';

describe.each(SIGNALS)('encoded %s', (signal) => {
  it('decode to the same records, whatever they hold', () => {
    fc.assert(
      fc.property(randomRequests[signal], (request) => {
        const sent = toProtobuf(OTLP[signal], request as Neutral);
        const { rows } = decodeAny(signal, sent, 'protobuf');
        const encoded = reencode(signal, sent);
        expect(decodeAny(signal, encoded, 'protobuf').rows).toEqual(rows);
        expect(decodeAny(signal, protobufToJson(signal, encoded), 'json').rows).toEqual(rows);
      }),
      { numRuns: 200 },
    );
  });
});

const span = (name: string, service: string) => ({
  resource: { attributes: [{ key: 'service.name', value: { stringValue: service } }] },
  scopeSpans: [{ spans: [{ traceId: '5b8efff798038103d269b633813fc60c', spanId: 'eee19b7ec3c1b174', name }] }],
});
const batchOf = (...resourceSpans: object[]) =>
  decodeTraces(new TextEncoder().encode(JSON.stringify({ resourceSpans })), 'json').batch;

test('rows that were joined, dropped and reordered stay with their resource; resources without rows are left out', () => {
  const joined = concatBatches([batchOf(span('a', 'one'), span('b', 'two')), batchOf(span('c', 'three'))]);
  const kept = selectSpans(joined, keptRows(Uint8Array.of(1, 0, 1)));
  const encoded = encodeTraces(kept);
  const decoded = decodeTraces(encoded, 'protobuf').batch;
  expect(spanObjects(decoded).map(({ name, resource }) => [name, resource.service])).toEqual([
    ['a', 'one'],
    ['c', 'three'],
  ]);
  expect(decoded.resources.rowCount).toBe(2);
});

test('two encoded requests, one after the other, are one request of both', () => {
  const [a, b] = [encodeTraces(batchOf(span('a', 'one'))), encodeTraces(batchOf(span('b', 'two')))];
  const both = new Uint8Array([...a, ...b]);
  expect(spanObjects(decodeTraces(both, 'protobuf').batch).map(({ name }) => name)).toEqual(['a', 'b']);
});

test('nothing is an empty request', () => {
  expect(encodeTraces(batchOf())).toEqual(new Uint8Array(0));
});
