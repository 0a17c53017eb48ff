import { expect, it } from 'vitest';
import { joinParts, joinTimes, PointRuns } from './point-runs.ts';
import { PointSlots } from './point-slots.ts';
import type { StoredSeries } from './stored-series.ts';

const [a, b, c] = [1n, 2n ** 40n + 1n, 2n ** 63n];
const series = (...ids: bigint[]) => ids.map((id) => ({ id, metric: 'm' }) as StoredSeries);
const slots = new PointSlots([series(a, c), series(b)]);

function runsOf(rows: readonly (readonly [id: bigint, time: number])[]): { times: Float64Array; runs: PointRuns } {
  const times = Float64Array.from(rows, ([, time]) => time);
  return {
    times,
    runs: new PointRuns(
      BigUint64Array.from(rows, ([id]) => id),
      times,
      slots,
    ),
  };
}

it('gathers rows by slot and puts runs in the order of their times', () => {
  const { times, runs } = runsOf([
    [b, 30],
    [b, 40],
    [a, 10],
    [7n, 5],
    [b, 10],
    [b, 20],
    [c, 11],
  ]);
  expect([...runs.rowsOf(1)]).toEqual([4, 5, 0, 1]);
  expect(runs.pick(times, 1)).toEqual(Float64Array.of(10, 20, 30, 40));
  expect(runs.pick(times, 0)).toEqual(Float64Array.of(10, 11));
});

it('keeps one row of those with the same time: the one that was read first', () => {
  const { runs } = runsOf([
    [a, 10],
    [a, 20],
    [a, 20],
    [b, 1],
    [c, 15],
    [c, 20],
  ]);
  expect([...runs.rowsOf(0)]).toEqual([0, 4, 1]);
  expect(runs.lengthOf(0)).toBe(3);
});

it('copies long runs as it copies short ones', () => {
  const rows = Array.from({ length: 200 }, (_, time) => [time < 150 ? a : b, time] as const);
  const { times, runs } = runsOf(rows);
  expect([...runs.pick(times, 0)]).toEqual(Array.from({ length: 150 }, (_, time) => time));
});

it('joins the parts of an answer, of which one may have nothing', () => {
  const parts = [
    runsOf([
      [b, 1],
      [a, 2],
    ]),
    runsOf([]),
    runsOf([
      [b, 3],
      [b, 4],
    ]),
  ].map(({ runs, times }) => ({ runs, column: times }));
  const [first, ...others] = parts;
  expect(joinParts([first, ...others], 2)).toEqual([Float64Array.of(2), Float64Array.of(1, 3, 4)]);
});

it('gives slots with the same times one array of them', () => {
  const three = new PointSlots([series(a), series(b), series(c)]);
  const part = (base: number, rows: readonly (readonly [id: bigint, after: number])[]) => {
    const column = Uint32Array.from(rows, ([, after]) => after);
    const ids = BigUint64Array.from(rows, ([id]) => id);
    return { runs: new PointRuns(ids, column, three), times: { baseMs: base, column } };
  };
  const times = joinTimes(
    [
      part(1_000, [
        [a, 1],
        [b, 1],
        [c, 1],
      ]),
      part(2_000, [
        [a, 5],
        [b, 5],
        [c, 5],
        [c, 6],
      ]),
    ],
    3,
  );
  expect(times.map((own) => [...own])).toEqual([
    [1_001, 2_005],
    [1_001, 2_005],
    [1_001, 2_005, 2_006],
  ]);
  expect(times[1]).toBe(times[0]);
});
