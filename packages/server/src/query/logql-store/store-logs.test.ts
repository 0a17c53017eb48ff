import { parseLogql } from '@signalbox/query-language';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LokiServer } from '../../api/loki/testing/loki-server.ts';
import { LogqlEngine } from '../logql/engine.ts';
import type { LogSource } from '../logql/log-source.ts';
import type { QueryContext } from '../query-context.ts';
import { planLines, StoreLogs } from './store-logs.ts';
import { StreamCatalog } from './stream-catalog.ts';

const base = 1_700_000_000_000_000_000n;
const second = 1_000_000_000n;
const day = 86_400n * second;
let server: LokiServer;

beforeAll(async () => {
  server = await LokiServer.open();
  const levels = ['info', 'warn', 'error'];
  const values = Array.from({ length: 300 }, (_, i) => [
    String(base + (BigInt(i) * second) / 2n),
    `level=${levels[i % 3]} line ${i} äö ${i % 7 === 0 ? 'seven' : ''}`,
    ...(i % 50 === 0 ? [{ tenant: `t${i}` }] : []),
  ]);
  await server.push([
    { stream: { app: 'a', zone: 'eu' }, values },
    { stream: { app: 'b' }, values: values.slice(0, 40) },
    { stream: { app: 'words' }, values: [[String(base - day), 'line of seven words']] },
    // More of one time than a first page takes.
    { stream: { app: 'same' }, values: Array.from({ length: 250 }, (_, i) => [String(base), `row ${i}`]) },
  ]);
  const attributes = [{ key: 'service.name', value: { stringValue: 'otlp' } }];
  const logRecords = [
    { timeUnixNano: String(base + 5n * second), severityNumber: 17, body: { stringValue: 'failed' } },
    { timeUnixNano: String(base + 6n * second), body: { intValue: '42' } },
    { timeUnixNano: String(base + 7n * second) },
  ];
  await server.pushOtlp({ resourceLogs: [{ resource: { attributes }, scopeLogs: [{ logRecords }] }] });
}, 120_000);

afterAll(async () => await server.close());

const limits = { maxSamples: 100_000, maxSeries: 500, maxSteps: 11_000 };
function logs(): StoreLogs {
  const context: QueryContext = {
    connection: server.store.connection,
    signal: new AbortController().signal,
    deadlineMs: Date.now() + 600_000,
    nowMs: Date.now(),
  };
  return new StoreLogs(context, new StreamCatalog(1000));
}

describe('counting where the lines are gives what counting them one by one does', () => {
  test.each([
    'sum(count_over_time({app="a"}[10s]))',
    'sum by (app) (count_over_time({app=~"a|b"}[10s]))',
    'sum by (detected_level) (rate({app=~"a|b"}[25s]))',
    'sum by (level) (count_over_time({app="a"}[7s]))',
    'sum by (app, detected_level) (bytes_over_time({app=~"a|b"} |= "seven" [10s]))',
    'sum by (app) (count_over_time({app=~"a|b"} |~ "line [0-9]5 " != "warn" [10s]))',
    'sum by (tenant) (count_over_time({app="a"}[10s]))',
    'sum by (zone) (bytes_rate({app=~"a|b"}[10s]))',
    'sum by (service_name) (count_over_time({service_name=~"a|otlp"}[10s] offset 3s))',
    'sum by (detected_level) (count_over_time({service_name="otlp"}[1m]))',
    'sum(count_over_time({service_name="otlp"} |= "42" [1m]))',
    'sum(bytes_over_time({service_name="otlp"}[1m]))',
    'sum(count_over_time({service_name="otlp"} != "failed" [1m]))',
  ])('%s', { timeout: 120_000 }, async (query) => {
    const source: LogSource = { select: (selection) => logs().select(selection) };
    for (const stepNs of [10n * second, 4n * second]) {
      const range = { startNs: base, endNs: base + 160n * second, stepNs, limit: 10, direction: 'backward' as const };
      const counted = await new LogqlEngine(logs(), limits).queryRange(query, range);
      const read = await new LogqlEngine(source, limits).queryRange(query, range);
      expect(counted.result).toEqual(read.result);
      if (read.result.type !== 'matrix') throw new Error(read.result.type);
      expect(read.result.series.length).toBeGreaterThan(0);
    }
  });
});

describe('metadata that does not matter is not read, and all else is as if it were', () => {
  test.each([
    'sum by (tenant) (count_over_time({app="a"} | tenant="t50" [30s]))',
    'sum by (level, level_extracted) (count_over_time({app="a"} | logfmt [30s]))',
    'sum by (app) (count_over_time({app="a"} | logfmt | tenant_extracted="" | level="warn" [30s]))',
    'max_over_time({app="a"} | pattern "<_> line <n> <_>" | unwrap n [30s]) by (tenant)',
    'sum(count_over_time({app="a"} | logfmt | level="info" [30s]))',
  ])('%s', { timeout: 120_000 }, async (query) => {
    const whole: LogSource = { select: (selection) => logs().select({ ...selection, labels: undefined }) };
    const range = {
      startNs: base,
      endNs: base + 160n * second,
      stepNs: 30n * second,
      limit: 10,
      direction: 'backward' as const,
    };
    const lean = await new LogqlEngine(logs(), limits).queryRange(query, range);
    const read = await new LogqlEngine(whole, limits).queryRange(query, range);
    expect(lean.result).toEqual(read.result);
    if (read.result.type !== 'matrix') throw new Error(read.result.type);
    expect(read.result.series.length).toBeGreaterThan(0);
  });
});

test.each(['forward', 'backward'] as const)(
  'all lines come, each once, in order: %s',
  { timeout: 120_000 },
  async (direction) => {
    const range = { startNs: base, endNs: base + 200n * second, stepNs: second, limit: 5000, direction };
    const { result } = await new LogqlEngine(logs(), limits).queryRange('{app=~"a|same"}', range);
    if (result.type !== 'streams') throw new Error(result.type);
    expect(result.lines).toHaveLength(550);
    expect(new Set(result.lines.map(({ line }) => line)).size).toBe(550);
    const times = result.lines.map(({ time }) => time);
    expect(times).toEqual(times.toSorted((a, b) => Number(a - b) * (direction === 'forward' ? 1 : -1)));
  },
);

test.each([
  [' seven ', false],
  [' absentword ', true],
])('the index of words leaves out what has no %j', { timeout: 120_000 }, async (text, isLeftOut) => {
  const expr = parseLogql(`{app="words"} |= "${text}"`);
  if (expr.kind !== 'log') throw new Error(expr.kind);
  // Where no body is anything but a text.
  const slice = { from: base - day, to: base - day + second };
  const selection = { ...expr, fromNs: slice.from, toNs: slice.to, direction: 'forward' as const, limit: 10 };
  const plan = { selection, selected: { streams: [], isAll: true }, keys: [], filters: [] };
  const { sql, parameters } = planLines(plan, slice, 100);
  // As it is, indexes are looked at while the table is read, and not shown.
  const explain = `EXPLAIN indexes = 1 ${sql}, use_skip_indexes_on_data_read = 0`;
  const { rows } = await server.store.connection.query<[string]>(explain, { parameters });
  const granules = rows.flatMap(([line]) => /Granules: (\d+)\/\d+/.exec(line)?.[1] ?? []);
  expect(granules.length).toBeGreaterThan(0);
  expect(Number(granules.at(-1)) === 0).toBe(isLeftOut);
});

test('no more values than may be are kept, and the message says what to do', { timeout: 120_000 }, async () => {
  const engine = new LogqlEngine(logs(), { ...limits, maxSamples: 10 });
  const query = 'quantile_over_time(0.5, {app="a"} | pattern "<_> line <n> <_>" | unwrap n [1m])';
  await expect(engine.queryInstant(query, base + 60n * second)).rejects.toThrow('consider a shorter time range');
});
