import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BlockColumns } from './clickhouse/native/block-columns.ts';
import type { NativeBlock } from './native-block.ts';
import { RecentPoints } from './recent-points.ts';

interface Row {
  readonly id: bigint;
  readonly timeNs: bigint;
  readonly value: number;
  readonly flags: number;
}

function blockOf(rows: readonly Row[]): NativeBlock {
  const columns = new BlockColumns();
  const name = columns.add('metric_name', 'String');
  const id = columns.add('series_id', 'UInt64');
  const time = columns.add('time', "DateTime64(9, 'UTC')");
  const flags = columns.add('flags', 'UInt32');
  const value = columns.add('value', 'Float64');
  for (const row of rows) {
    name.text('any');
    id.bigUint64(row.id);
    time.bigUint64(row.timeNs);
    flags.uint32(row.flags);
    value.float64(row.value);
  }
  return columns.block(rows.length);
}

/** What is there of a series since a row, the last first. */
function since(recent: RecentPoints, id: bigint, first: number): unknown[] {
  const found: unknown[] = [];
  let row = recent.lastRow(Number(id & 0xffff_ffffn), Number(id >> 32n));
  for (; row >= first; row = recent.rowBefore(row)) {
    found.push([recent.timeOf(row), recent.valueOf(row), recent.isMissing(row)]);
  }
  return found;
}

test('gives the rows of each series that came since, as far as it reaches', () => {
  const id = fc.oneof(fc.bigInt({ min: 0n, max: 5n }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }));
  const row = fc.record({
    id,
    timeNs: fc.bigInt({ min: 31_536_000_000_000_000n, max: 2n ** 63n - 1n }),
    value: fc.double({ noNaN: true }),
    flags: fc.constantFrom(0, 0, 0, 1, 2, 3),
  });
  const step = fc.oneof(
    { weight: 9, arbitrary: fc.array(row, { minLength: 1, maxLength: 20 }) },
    { weight: 1, arbitrary: fc.constant('forget' as const) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), fc.constantFrom(32, 64, 1_000), (steps, maxRows) => {
      const recent = new RecentPoints(maxRows);
      /** From each end on that was seen: what came. */
      const seen: { end: number; rows: Row[]; isLost: boolean }[] = [];
      for (const rows of steps) {
        seen.push({ end: recent.end, rows: [], isLost: false });
        if (rows === 'forget') recent.forget();
        else recent.append(blockOf(rows));
        for (const one of seen) {
          if (rows === 'forget') one.isLost = true;
          else one.rows.push(...rows);
        }
        for (const { end, rows: came, isLost } of seen) {
          expect(recent.reaches(end)).toBe(!isLost && came.length <= maxRows);
          if (!recent.reaches(end)) continue;
          for (const id of new Set(came.map((row) => row.id))) {
            const own = came.filter((row) => row.id === id).reverse();
            expect(since(recent, id, end)).toEqual(
              own.map(({ timeNs, value, flags }) => [Number(timeNs / 1_000_000n), value, (flags & 1) === 1]),
            );
          }
        }
      }
    }),
  );
});

test('holds the last rows of as many series as it may, and tells when it does not', () => {
  const recent = new RecentPoints(1_000_000, 4_096);
  const rows = (from: number, count: number) =>
    blockOf(
      Array.from({ length: count }, (_, i) => ({ id: BigInt(from + i), timeNs: 10n ** 18n, value: i, flags: 0 })),
    );
  for (let from = 0; from < 4_096; from += 512) recent.append(rows(from, 512));
  expect(recent.reaches(0)).toBe(true);
  expect(since(recent, 4_000n, 0)).toHaveLength(1);
  recent.append(rows(5_000, 1));
  expect(recent.reaches(0)).toBe(false);
  const { end } = recent;
  recent.append(rows(5_000, 1));
  expect(since(recent, 5_000n, end)).toHaveLength(1);
  expect(since(recent, 4_000n, 0)).toEqual([]);
});

test('keeps what it has when it grows, also where its ring has gone round', () => {
  const recent = new RecentPoints();
  const rows = (from: number, count: number) =>
    blockOf(
      Array.from({ length: count }, (_, i) => ({
        id: BigInt((from + i) % 7),
        timeNs: BigInt(from + i) * 1_000_000n + 10n ** 18n,
        value: from + i,
        flags: 0,
      })),
    );
  recent.append(rows(0, 12_000));
  recent.forget();
  const { end } = recent;
  recent.append(rows(12_000, 8_000));
  recent.append(rows(20_000, 40_000));
  for (let id = 0; id < 7; id++) {
    const values = Array.from({ length: 48_000 }, (_, i) => 12_000 + i).filter((value) => value % 7 === id);
    expect(since(recent, BigInt(id), end)).toEqual(values.reverse().map((value) => [10 ** 12 + value, value, false]));
  }
});

test('series that have no rows any more make room for others', () => {
  const recent = new RecentPoints(256, 4_096);
  for (let from = 0; from < 100_000; from += 128) {
    const { end } = recent;
    const own = Array.from({ length: 128 }, (_, i) => ({
      id: BigInt(from + i),
      timeNs: 10n ** 18n,
      value: i,
      flags: 0,
    }));
    recent.append(blockOf(own));
    expect(recent.reaches(end)).toBe(true);
    expect(since(recent, BigInt(from), end)).toEqual([[10 ** 12, 0, false]]);
  }
});

test('knows nothing of a block that is laid out otherwise', () => {
  const recent = new RecentPoints();
  const { end } = recent;
  const block = blockOf([{ id: 1n, timeNs: 10n ** 18n, value: 1, flags: 0 }]);
  recent.append({ ...block, chunks: block.chunks.slice(0, -1) });
  expect(recent.reaches(end)).toBe(false);
});
