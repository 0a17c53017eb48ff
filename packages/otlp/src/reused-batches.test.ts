import {
  type AnyBatch,
  AttributeEditor,
  AttributeKey,
  type AttributeTable,
  type LogBatch,
  logObjects,
  type MetricBatch,
  metricPointObjects,
  POINT_TABLES,
  type SpanBatch,
  spanObjects,
} from '@signalbox/records';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DecodeOptions, decodeLogs, decodeMetrics, decodeTraces } from './index.ts';
import { type Neutral, OTLP, toProtobuf } from './testing/otlp-schema.ts';
import { randomRequests } from './testing/random-requests.ts';

const key = new AttributeKey('edited');

interface Decoded<Batch> {
  readonly batch: Batch;
  readonly rejected: unknown;
}

function isAsNew<Batch extends AnyBatch>(
  requests: fc.Arbitrary<unknown>,
  encode: (request: Neutral) => Uint8Array,
  decode: (bytes: Uint8Array, encoding: 'protobuf', options?: DecodeOptions<Batch>) => Decoded<Batch>,
  objects: (batch: Batch) => unknown,
  edit: (batch: Batch) => void,
): void {
  fc.assert(
    fc.property(fc.array(requests, { minLength: 2, maxLength: 4 }), fc.boolean(), (several, edits) => {
      const used = decode(new Uint8Array(0), 'protobuf').batch;
      for (const request of several) {
        const fresh = decode(encode(request as Neutral), 'protobuf');
        const { batch, rejected } = decode(encode(request as Neutral), 'protobuf', { into: used });
        expect(batch).toBe(used);
        expect(rejected).toEqual(fresh.rejected);
        expect(objects(batch)).toEqual(objects(fresh.batch));
        if (edits) edit(used);
      }
    }),
  );
}

describe('a batch that was used before is as a new one', () => {
  it('for spans', () => {
    const encode = (request: Neutral) => toProtobuf(OTLP.traces, request);
    const edit = (batch: SpanBatch) => addEverywhere(batch.attributes, batch);
    isAsNew(randomRequests.traces, encode, decodeTraces, spanObjects, edit);
  });

  it('for log records', () => {
    const encode = (request: Neutral) => toProtobuf(OTLP.logs, request);
    const edit = (batch: LogBatch) => addEverywhere(batch.attributes, batch);
    isAsNew(randomRequests.logs, encode, decodeLogs, logObjects, edit);
  });

  it('for data points', () => {
    const encode = (request: Neutral) => toProtobuf(OTLP.metrics, request);
    const edit = (batch: MetricBatch) => {
      for (const table of POINT_TABLES) addEverywhere(batch[table].attributes, batch, batch[table].rowCount);
    };
    isAsNew(randomRequests.metrics, encode, decodeMetrics, metricPointObjects, edit);
  });
});

/** What a processor may have done to it: columns are other ones then. */
function addEverywhere(table: AttributeTable, batch: AnyBatch, rows = batch.rowCount): void {
  const editor = new AttributeEditor(batch, table, rows);
  for (let row = 0; row < rows; row++) editor.set(row, key, 'by a processor');
  editor.finish();
}
