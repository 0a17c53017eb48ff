import { afterAll, beforeAll, expect, it } from 'vitest';
import { pointsInTime } from './points-in-time.ts';
import { SqlParameters } from './sql-parameters.ts';
import { TestStore } from './testing/test-store.ts';

let store: TestStore;
const second = 1_000_000_000n;
const begin = BigInt(Date.UTC(2026, 0, 1) / 1000) * second;

beforeAll(async () => {
  store = await TestStore.open();
  // A point of each of 100 series every 15 s for six hours, and some at the ends of what can be stored.
  const points = `SELECT 'm' AS metric_name, number % 100 AS series_id, intDiv(number, 100) * 15 AS seconds FROM numbers(144000)`;
  await store.connection.command(
    `INSERT INTO number_points (metric_name, series_id, time) SELECT metric_name, series_id, fromUnixTimestamp64Nano(toInt64(${begin} + seconds * ${second}), 'UTC') FROM (${points})`,
  );
  for (const seconds of [0n, 899n, 900n, 2n ** 32n - 901n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 32n + 900n]) {
    await store.connection.command(
      `INSERT INTO number_points (metric_name, series_id, time) VALUES ('m', 1, fromUnixTimestamp64Nano(toInt64(${seconds * second}), 'UTC'))`,
    );
  }
}, 60_000);

afterAll(() => store?.close());

it('finds the same points as the times alone', async () => {
  const ends = [-1n, 0n, 1n, 900n, 2n ** 32n - 900n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 32n + 901n].map(
    (at) => at * second,
  );
  for (const offset of [0n, 1n, 899n * second, 900n * second, 901n * second, 7_000n * second])
    ends.push(begin + offset);
  for (const from of ends) {
    for (const to of ends.filter((end) => end > from)) {
      const parameters = new SqlParameters();
      const plain = `time >= ${parameters.nanoTime(from)} AND time < ${parameters.nanoTime(to)}`;
      const { sql, parameters: values } = parameters.statement(
        `SELECT (SELECT count() FROM number_points WHERE ${pointsInTime(parameters, { from, to })}), (SELECT countIf(${plain}) FROM number_points)`,
      );
      const [[found, expected] = []] = (await store.connection.query(sql, { parameters: values })).rows;
      expect(found, `${from} to ${to}`).toBe(expected);
    }
  }
});

it('goes through the quarters of an hour that the time touches, not through all of the metric', async () => {
  const parameters = new SqlParameters();
  const from = begin + 3_000n * second;
  const { sql, parameters: values } = parameters.statement(
    `EXPLAIN ESTIMATE SELECT value FROM number_points WHERE metric_name IN ${parameters.strings(['m'])} AND ${pointsInTime(parameters, { from, to: from + 300n * second })}`,
  );
  const [[, , , rows] = []] = (
    await store.connection.query<[string, string, string, string]>(sql, { parameters: values })
  ).rows;
  expect(Number(rows)).toBeGreaterThan(0);
  expect(Number(rows)).toBeLessThan(3 * 8_192);
});
