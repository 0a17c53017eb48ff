import {
  type AnyBatch,
  AttributeEditor,
  AttributeKey,
  type AttributeValue,
  attributesOf,
  compactBatch,
  concatBatches,
  copyBatch,
  keptRows,
  type LogBatch,
  type LogObject,
  logObjects,
  type MetricBatch,
  type MetricPointObject,
  metricPointObjects,
  POINT_TABLES,
  pointRows,
  rowsByTrace,
  type SpanBatch,
  type SpanObject,
  selectLogs,
  selectPoints,
  selectSpans,
  spanObjects,
  splitBatch,
} from '@signalbox/records';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeLogs, decodeMetrics, decodeTraces } from './index.ts';
import { type Neutral, OTLP, toProtobuf } from './testing/otlp-schema.ts';
import { randomRequests } from './testing/random-requests.ts';

// What editing batches must do is said by their rows as objects: these tests are here since requests make the best batches.

type RowObject = SpanObject | LogObject | MetricPointObject;

interface SignalUnderTest {
  readonly name: string;
  readonly batches: fc.Arbitrary<AnyBatch>;
  readonly objects: (batch: AnyBatch) => RowObject[];
  /** The rows whose `keep` is not 0, in the order of `objects`. */
  readonly select: (batch: AnyBatch, keep: Uint8Array) => AnyBatch;
}

const spanBatches = randomRequests.traces.map(
  (request) => decodeTraces(toProtobuf(OTLP.traces, request as Neutral), 'protobuf').batch,
);
const logBatches = randomRequests.logs.map(
  (request) => decodeLogs(toProtobuf(OTLP.logs, request as Neutral), 'protobuf').batch,
);
const metricBatches = randomRequests.metrics.map(
  (request) => decodeMetrics(toProtobuf(OTLP.metrics, request as Neutral), 'protobuf').batch,
);

const SIGNALS: readonly SignalUnderTest[] = [
  {
    name: 'spans',
    batches: spanBatches,
    objects: (batch) => spanObjects(batch as SpanBatch),
    select: (batch, keep) => selectSpans(batch as SpanBatch, keptRows(keep)),
  },
  {
    name: 'log records',
    batches: logBatches,
    objects: (batch) => logObjects(batch as LogBatch),
    select: (batch, keep) => selectLogs(batch as LogBatch, keptRows(keep)),
  },
  {
    name: 'points',
    batches: metricBatches,
    objects: (batch) => metricPointObjects(batch as MetricBatch),
    select: (batch, keep) => {
      const metrics = batch as MetricBatch;
      let first = 0;
      const rows = pointRows((table) => {
        const end = first + metrics[table].rowCount;
        const ofTable = keptRows(keep.subarray(first, end));
        first = end;
        return ofTable;
      });
      return selectPoints(metrics, rows);
    },
  },
];

/** In a joined batch the points of all of one kind come before those of the next. */
function inOrderOfRows(batches: readonly AnyBatch[], objects: (batch: AnyBatch) => RowObject[]): RowObject[] {
  const ofEach = batches.map(objects);
  if (!('metrics' in (batches[0] as AnyBatch))) {
    return ofEach.flat();
  }
  return POINT_TABLES.flatMap((table, kind) =>
    ofEach.flatMap((rows, i) => {
      const batch = batches[i] as MetricBatch;
      const first = POINT_TABLES.slice(0, kind).reduce((sum, earlier) => sum + batch[earlier].rowCount, 0);
      return rows.slice(first, first + batch[table].rowCount);
    }),
  );
}

describe.each(SIGNALS)('batches of $name', ({ batches, objects, select }) => {
  const numRuns = 100;

  it('select: the kept rows stay as they were, and the batch they came from too', () => {
    fc.assert(
      fc.property(batches, fc.infiniteStream(fc.boolean()), (batch, coin) => {
        const before = objects(batch);
        const keep = Uint8Array.from(before, () => (coin.next().value ? 1 : 0));
        const selected = select(batch, keep);
        expect(objects(selected)).toEqual(before.filter((_, row) => keep[row] === 1));
        expect(objects(batch)).toEqual(before);
        expect(selected.resources.rowCount).toBeLessThanOrEqual(selected.rowCount);
        expect(selected.scopes.rowCount).toBeLessThanOrEqual(selected.rowCount);
      }),
      { numRuns },
    );
  });

  it('concatenate: the rows of all, in order', () => {
    fc.assert(
      fc.property(fc.array(batches, { minLength: 1, maxLength: 4 }), (some) => {
        const expected = inOrderOfRows(some, objects);
        const joined = concatBatches(some as [AnyBatch, ...AnyBatch[]]);
        // Nothing of the sources is needed any more.
        for (const { bytes } of some) bytes.fill(0);
        expect(objects(joined)).toEqual(expected);
      }),
      { numRuns },
    );
  });

  it('split: parts of at most so many rows hold all rows', () => {
    fc.assert(
      fc.property(batches, fc.integer({ min: 1, max: 5 }), (batch, most) => {
        const parts = splitBatch(batch, most);
        expect(Math.max(...parts.map(({ rowCount }) => rowCount))).toBeLessThanOrEqual(most);
        expect(parts.slice(0, -1).every(({ rowCount }) => rowCount === most)).toBe(true);
        expect(parts.flatMap(objects)).toEqual(objects(batch));
      }),
      { numRuns },
    );
  });

  it('compact: the same rows without the bytes of others', () => {
    fc.assert(
      fc.property(batches, (batch) => {
        const before = objects(batch);
        const keep = Uint8Array.from(before, (_, row) => row % 2);
        const compact = compactBatch(select(batch, keep));
        expect(compact.byteCount).toBeLessThanOrEqual(Math.max(batch.byteCount, 0));
        batch.bytes.fill(0);
        expect(objects(compact)).toEqual(before.filter((_, row) => row % 2 === 1));
      }),
      { numRuns },
    );
  });

  it('copy: what is done to one of two copies does not show in the other', () => {
    fc.assert(
      fc.property(batches, (batch) => {
        const before = objects(batch);
        const copies = [copyBatch(batch), copyBatch(batch)] as const;
        for (const [i, copy] of copies.entries()) {
          const editor = new AttributeEditor(copy, copy.resources.attributes, copy.resources.rowCount);
          for (let row = 0; row < copy.resources.rowCount; row++) {
            editor.set(row, new AttributeKey('edited by'), `copy ${i}`);
          }
          editor.finish();
        }
        expect(objects(batch)).toEqual(before);
        for (const [i, copy] of copies.entries()) {
          for (const object of objects(copy)) {
            expect(new Map(object.resource.attributes).get('edited by')).toBe(`copy ${i}`);
          }
        }
      }),
      { numRuns },
    );
  });
});

it('a batch is divided by trace without losing or mixing rows', () => {
  fc.assert(
    fc.property(spanBatches, (batch) => {
      const objects = spanObjects(batch);
      const traces = rowsByTrace(batch);
      expect([...traces.values()].flat().sort((a, b) => a - b)).toEqual(objects.map((_, row) => row));
      for (const [id, rows] of traces) {
        const hex = Buffer.from(id, 'latin1').toString('hex');
        expect(rows.every((row) => objects[row]?.traceId === hex)).toBe(true);
      }
    }),
    { numRuns: 50 },
  );
});

it('events are removed one by one', () => {
  fc.assert(
    fc.property(spanBatches, (batch) => {
      const before = spanObjects(batch);
      const keep = Uint8Array.from({ length: batch.events.count }, (_, entry) => (entry % 3 === 0 ? 1 : 0));
      const expected = before.map((span, row) => ({
        ...span,
        events: span.events.filter((_, i) => keep[(batch.events.offsets[row] ?? 0) + i] === 1),
      }));
      batch.events.retain(keep, batch.rowCount);
      expect(spanObjects(batch)).toEqual(expected);
    }),
    { numRuns: 100 },
  );
});

describe('the attribute editor', () => {
  const keys = ['', 'a', 'b', 'service.name', 'ключ'].map((text) => new AttributeKey(text));
  const { value } = fc.letrec<{ value: AttributeValue }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.constant(null),
      fc.string({ unit: 'binary', maxLength: 8 }),
      fc.boolean(),
      fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
      fc.double(),
      fc.uint8Array({ maxLength: 5 }),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.array(fc.tuple(fc.string({ maxLength: 3 }), tie('value')), { maxLength: 3 }).map((entries) => ({ entries })),
    ),
  }));
  const edit = fc.oneof(
    fc.record({ act: fc.constant('set' as const), row: fc.nat(20), key: fc.constantFrom(...keys), value }),
    fc.record({ act: fc.constant('remove' as const), row: fc.nat(20), key: fc.constantFrom(...keys) }),
    fc.record({ act: fc.constant('clear' as const), row: fc.nat(20) }),
    fc.record({ act: fc.constant('finish' as const) }),
  );

  it('does to columns what the same edits do to lists of entries', () => {
    fc.assert(
      fc.property(logBatches, fc.array(edit, { maxLength: 30 }), (batch, edits) => {
        const model = logObjects(batch).map(({ attributes }) => [...attributes]);
        let editor = new AttributeEditor(batch, batch.attributes, batch.rowCount);
        for (const step of edits) {
          if (step.act === 'finish') {
            editor.finish();
            editor = new AttributeEditor(batch, batch.attributes, batch.rowCount);
            continue;
          }
          const row = step.row % Math.max(batch.rowCount, 1);
          const entries = model[row];
          if (entries === undefined) continue;
          if (step.act === 'clear') {
            editor.clear(row);
            entries.length = 0;
          } else if (step.act === 'remove') {
            expect(editor.removeKey(row, step.key)).toBe(entries.some(([key]) => key === step.key.text));
            model[row] = entries.filter(([key]) => key !== step.key.text);
          } else {
            editor.set(row, step.key, step.value);
            const at = entries.findIndex(([key]) => key === step.key.text);
            entries[at < 0 ? entries.length : at] = [step.key.text, step.value];
          }
          expect(editor.count(row)).toBe(model[row]?.length);
        }
        editor.finish();
        expect(logObjects(batch).map(({ attributes }) => attributes)).toEqual(model);
      }),
      { numRuns: 300 },
    );
  });

  it('loses no byte order mark', () => {
    const batch = decodeLogs(Buffer.from('{"resourceLogs":[{"scopeLogs":[{"logRecords":[{}]}]}]}'), 'json').batch;
    const editor = new AttributeEditor(batch, batch.attributes, 1);
    editor.set(0, new AttributeKey('a'), '\uFEFFtext');
    editor.finish();
    expect(attributesOf(batch.bytes, batch.attributes, 0)).toEqual([['a', '\uFEFFtext']]);
  });

  it('renames keys, and finds the new one', () => {
    const batch = decodeLogs(
      Buffer.from(
        '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"attributes":[{"key":"a","value":{"intValue":"1"}}]}]}]}]}',
      ),
      'json',
    ).batch;
    const editor = new AttributeEditor(batch, batch.attributes, 1);
    const renamed = new AttributeKey('renamed');
    editor.rename(editor.find(0, new AttributeKey('a')), renamed);
    expect(editor.value(editor.find(0, renamed))).toBe(1n);
    expect(editor.find(0, new AttributeKey('a'))).toBe(-1);
    editor.finish();
    expect(attributesOf(batch.bytes, batch.attributes, 0)).toEqual([['renamed', 1n]]);
  });
});
