import {
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
import { expect, it } from 'vitest';
import { decodeLogs, decodeMetrics, decodeTraces } from './index.ts';
import { type Neutral, OTLP, toProtobuf } from './testing/otlp-schema.ts';
import { randomRequests } from './testing/random-requests.ts';

const key = new AttributeKey('edited');

it('decodes spans into a batch that was used before as into a new one', () => {
  const requests = fc.array(randomRequests.traces, { minLength: 2, maxLength: 4 });
  fc.assert(
    fc.property(requests, fc.boolean(), (several, edit) => {
      const used = decodeTraces(new Uint8Array(0), 'protobuf').batch;
      for (const request of several) {
        const bytes = () => toProtobuf(OTLP.traces, request as Neutral);
        const fresh = decodeTraces(bytes(), 'protobuf');
        const { batch, rejected } = decodeTraces(bytes(), 'protobuf', { into: used });
        expect(batch).toBe(used);
        expect(rejected).toEqual(fresh.rejected);
        expect(spanObjects(batch)).toEqual(spanObjects(fresh.batch));
        if (edit) addEverywhere(used.attributes, used);
      }
    }),
  );
});

it('decodes log records into a batch that was used before as into a new one', () => {
  const requests = fc.array(randomRequests.logs, { minLength: 2, maxLength: 4 });
  fc.assert(
    fc.property(requests, fc.boolean(), (several, edit) => {
      const used = decodeLogs(new Uint8Array(0), 'protobuf').batch;
      for (const request of several) {
        const bytes = () => toProtobuf(OTLP.logs, request as Neutral);
        const fresh = decodeLogs(bytes(), 'protobuf').batch;
        const { batch } = decodeLogs(bytes(), 'protobuf', { into: used });
        expect(batch).toBe(used);
        expect(logObjects(batch)).toEqual(logObjects(fresh));
        if (edit) addEverywhere(used.attributes, used);
      }
    }),
  );
});

it('decodes data points into a batch that was used before as into a new one', () => {
  const requests = fc.array(randomRequests.metrics, { minLength: 2, maxLength: 4 });
  fc.assert(
    fc.property(requests, fc.boolean(), (several, edit) => {
      const used = decodeMetrics(new Uint8Array(0), 'protobuf').batch;
      for (const request of several) {
        const bytes = () => toProtobuf(OTLP.metrics, request as Neutral);
        const fresh = decodeMetrics(bytes(), 'protobuf');
        const { batch, rejected } = decodeMetrics(bytes(), 'protobuf', { into: used });
        expect(batch).toBe(used);
        expect(rejected).toEqual(fresh.rejected);
        expect(metricPointObjects(batch)).toEqual(metricPointObjects(fresh.batch));
        if (edit) for (const table of POINT_TABLES) addEverywhere(used[table].attributes, used, used[table].rowCount);
      }
    }),
  );
});

/** What a processor may have done to it: columns are other ones then. */
function addEverywhere(table: AttributeTable, batch: SpanBatch | LogBatch | MetricBatch, rows = batch.rowCount): void {
  const editor = new AttributeEditor(batch, table, rows);
  for (let row = 0; row < rows; row++) editor.set(row, key, 'by a processor');
  editor.finish();
}
