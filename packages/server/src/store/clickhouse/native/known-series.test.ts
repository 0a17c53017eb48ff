import { MetricBuilder, MetricType } from '@signalbox/records';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BlockBuilder } from '../../block-builder.ts';
import { ColumnBuffer } from './column-buffer.ts';
import { KnownKeys } from './known-keys.ts';
import { KnownSeries } from './known-series.ts';
import { MetricEncoder } from './metric-encoder.ts';
import { TimeBounds } from './time-bounds.ts';

const NOW = 1_790_000_000_000;

type Attributes = readonly (readonly [string, string | number | boolean | bigint])[];

interface Point {
  readonly metric: string;
  readonly service: string;
  readonly attributes: Attributes;
}

function encoderWith(known: KnownSeries): BlockBuilder<MetricBuilder['batch']> {
  return new MetricEncoder(new KnownKeys(1_000), known, new TimeBounds(() => NOW, 60 * 86_400_000));
}

function batchOf(points: readonly Point[], timeMs = NOW): MetricBuilder['batch'] {
  const builder = new MetricBuilder();
  const { numberPoints } = builder.batch;
  for (const { metric, service, attributes } of points) {
    const scope = builder.scope([['service.name', service]], '');
    const row = builder.metric(scope, { name: metric, type: MetricType.Gauge });
    for (const shift of [0, 1]) {
      const at = builder.point(numberPoints, row, [...attributes, ['shift', shift]], 0, timeMs);
      numberPoints.value.setDouble(at, 1);
      numberPoints.end();
    }
  }
  return builder.batch;
}

/** The ids of the series of the points, in their order. */
function idsOf(encoder: BlockBuilder<MetricBuilder['batch']>): bigint[] {
  const points = encoder.blocks().find(({ table }) => table === 'number_points');
  const { columns, chunks } = points?.block ?? { columns: [], chunks: [] };
  const bytes = chunks[2 + 2 * columns.findIndex(({ name }) => name === 'series_id')] ?? new Uint8Array(0);
  return Array.from(new BigUint64Array(bytes.slice().buffer));
}

const text = fc.constantFrom('', 'a', 'b', 'ab', 'route', 'routes', '/orders/{id}', 'x'.repeat(5_000));
const value = fc.oneof(text, fc.boolean(), fc.constantFrom(0, 1, 1.5, -0), fc.constantFrom(0n, 1n, 1n << 40n));
const attributes = fc.array(fc.tuple(text, value), { maxLength: 4 });
const point = fc.record({ metric: text, service: fc.constantFrom('s', 't'), attributes });

describe('series that are known', () => {
  it('have the ids that they have where none is known', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(point, { maxLength: 8 }), { maxLength: 6 }),
        fc.integer({ min: 1, max: 40 }),
        (all, most) => {
          const known = new KnownSeries(1_000, most);
          for (const points of [...all, ...all.toReversed()]) {
            const [one, other] = [encoderWith(known), encoderWith(new KnownSeries(1_000, 1_000))];
            one.append(batchOf(points));
            other.append(batchOf(points));
            expect(idsOf(one)).toEqual(idsOf(other));
          }
        },
      ),
    );
  });

  it('have different ids where anything differs', () => {
    const known = new KnownSeries(1_000, 1_000);
    const points: Point[] = [];
    for (const metric of ['m', 'ms'])
      for (const service of ['s', 't'])
        for (const a of ['1', 1, 1n, true, 'x', '']) points.push({ metric, service, attributes: [['a', a]] });
    for (let turn = 0; turn < 3; turn++) {
      const encoder = encoderWith(known);
      encoder.append(batchOf(points));
      expect(new Set(idsOf(encoder)).size).toBe(points.length * 2);
    }
  });

  it('are written once for each partition, and again when rows may be gone', () => {
    const known = new KnownSeries(1_000, 1_000);
    const points = [{ metric: 'm', service: 's', attributes: [['a', 'b']] }] satisfies Point[];
    const sixHours = 6 * 3_600_000;
    const written = (timeMs: number): number => {
      const encoder = encoderWith(known);
      encoder.append(batchOf(points, timeMs));
      const series = encoder.blocks().find(({ table }) => table === 'series');
      encoder.committed();
      return series?.block.rows ?? 0;
    };
    expect([NOW, NOW, NOW, NOW - sixHours, NOW, NOW - sixHours].map(written)).toEqual([2, 0, 0, 2, 0, 0]);
    known.clear();
    expect([NOW, NOW, NOW - sixHours].map(written)).toEqual([2, 0, 2]);
  });

  it('that were not stored are written again', () => {
    const known = new KnownSeries(1_000, 1_000);
    const points = [{ metric: 'm', service: 's', attributes: [] }] satisfies Point[];
    for (let turn = 0; turn < 3; turn++) {
      const encoder = encoderWith(known);
      encoder.append(batchOf(points));
      expect(encoder.blocks().find(({ table }) => table === 'series')?.block.rows).toBe(2);
    }
  });

  it('are forgotten when what their metrics have in common takes too much memory', () => {
    const { bytes, numberPoints } = batchOf([{ metric: 'm', service: 's', attributes: [] }]);
    const source = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const known = new KnownSeries(1_000, 100);
    const start = (text: string): void => {
      const form = new ColumnBuffer();
      form.text(text);
      known.startMetric(form);
    };
    const find = (): number => known.find(source, numberPoints.attributes, 0);
    start('m');
    known.add(bytes, source, numberPoints.attributes, 0, 1n);
    for (const text of ['a', 'b', 'c']) start(text.repeat(3_000));
    start('m');
    expect(find()).toBe(0);
    start('d'.repeat(3_000));
    start('m');
    expect(find()).toBe(-1);
    // So long that it would be most of what is kept: its series are looked for each time.
    start('e'.repeat(5_000));
    known.add(bytes, source, numberPoints.attributes, 0, 1n);
    expect(find()).toBe(-1);
  });
});
