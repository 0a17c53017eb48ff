import { afterAll, beforeAll, expect, it } from 'vitest';
import { SqlParameters } from './sql-parameters.ts';
import { TestStore } from './testing/test-store.ts';
import { isInTime } from './time-condition.ts';
import type { TimeRange } from './time-range.ts';

const second = 1_000_000_000n;
const begin = BigInt(Date.UTC(2026, 0, 1) / 1000) * second;
/** Where buckets begin, and where 32 bits of seconds end and they begin anew. */
const ends = [0n, 299n, 300n, 899n, 900n, 2n ** 32n - 901n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 32n + 900n];
let store: TestStore;

beforeAll(async () => {
  store = await TestStore.open();
  const at = `fromUnixTimestamp64Nano(toInt64(${begin} + intDiv(number, 100) * 15 * ${second}), 'UTC')`;
  const { connection } = store;
  // A row of each of 100 services or series every 15 s for six hours.
  await connection.command(
    `INSERT INTO spans (service, time) SELECT toString(number % 100), ${at} FROM numbers(144000)`,
  );
  await connection.command(
    `INSERT INTO number_points (metric_name, series_id, time) SELECT 'm', number % 100, ${at} FROM numbers(144000)`,
  );
  for (const seconds of ends) {
    const time = `fromUnixTimestamp64Nano(toInt64(${seconds * second}), 'UTC')`;
    await connection.command(`INSERT INTO spans (service, time) VALUES ('1', ${time})`);
    await connection.command(`INSERT INTO number_points (metric_name, series_id, time) VALUES ('m', 1, ${time})`);
  }
}, 60_000);

afterAll(() => store?.close());

const tables = [
  { table: 'spans', bucket: 'fiveMinutes', of: '1' },
  { table: 'number_points', bucket: 'quarter', of: "metric_name = 'm'" },
] as const;

it.each(tables)('finds the same rows of $table as the times alone', { timeout: 60_000 }, async ({ table, bucket }) => {
  const bounds = [-1n, 1n, 2n ** 32n + 901n, ...ends].map((at) => at * second);
  for (const offset of [0n, 1n, 299n * second, 300n * second, 901n * second, 7_000n * second])
    bounds.push(begin + offset);
  const ranges: TimeRange[] = [
    { from: begin, to: begin - second },
    ...bounds.flatMap((from) => bounds.filter((to) => to > from).map((to) => ({ from, to }))),
  ];
  for (let at = 0; at < ranges.length; at += 20) {
    const parameters = new SqlParameters();
    const some = ranges.slice(at, at + 20);
    const counts = some.flatMap(({ from, to }) => [
      `(SELECT count() FROM ${table} WHERE ${isInTime({ from, to }, parameters, bucket)})`,
      `(SELECT countIf(time >= ${parameters.nanoTime(from)} AND time < ${parameters.nanoTime(to)}) FROM ${table})`,
    ]);
    const { sql, parameters: values } = parameters.statement(`SELECT [${counts.join(', ')}]`);
    const [[found = []] = []] = (await store.connection.query<[string[]]>(sql, { parameters: values })).rows;
    some.forEach(({ from, to }, index) => {
      expect(found[index * 2], `${from} to ${to}`).toBe(found[index * 2 + 1]);
    });
  }
});

it.each(tables)('goes through the buckets of $table that the time touches, not through all', async (tested) => {
  const parameters = new SqlParameters();
  const from = begin + 3_000n * second;
  const condition = isInTime({ from, to: from + 300n * second }, parameters, tested.bucket);
  const { sql, parameters: values } = parameters.statement(
    `EXPLAIN ESTIMATE SELECT time FROM ${tested.table} WHERE ${tested.of} AND ${condition}`,
  );
  const { rows } = await store.connection.query<[string, string, string, string]>(sql, { parameters: values });
  expect(Number(rows[0]?.[3])).toBeGreaterThan(0);
  expect(Number(rows[0]?.[3])).toBeLessThan(3 * 8_192);
});
