import { afterAll, beforeAll, expect, test } from 'vitest';
import { LokiServer } from '../../api/loki/testing/loki-server.ts';
import { LogqlEngine } from '../logql/engine.ts';
import type { LogSelection, LogSource } from '../logql/log-source.ts';
import { StoreLogs } from './store-logs.ts';
import { StreamCatalog } from './stream-catalog.ts';

/*
 * What the store decides about JSON must be what the pipeline decides. Lines are made of everything that could tell them apart: names
 * that become the same label, escapes, white space, numbers in all their forms, labels and metadata of the same name.
 */

const base = 1_700_000_000_000_000_000n;
const second = 1_000_000_000n;
const seed = Number(process.env.SIGNALBOX_TEST_SEED ?? 20_261_128);
let server: LokiServer;

/** Numbers from 0 to below `n`, the same ones for a seed (mulberry32). */
function randomFrom(start: number): (n: number) => number {
  let state = start;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % n;
  };
}

const NAMES = [
  ...[
    'status',
    'status',
    'status',
    'took',
    'user',
    'user_id',
    'msg',
    'level',
    'tenant',
    'httpstatus',
    'status_code',
    '',
  ],
  ...[
    ' status',
    'status\\t',
    'st\\u0061tus',
    'user.id',
    'user-id',
    'x\\"status',
    '\\u2003status',
    'Status',
    'id',
    'user id',
  ],
];
const SCALARS = [
  ...['0', '7', '200', '404', '500', '500', '500.0', '5e2', '-0', '-3', '0.5', '123456789012345678', '400.5', '1E400'],
  ...[
    '"500"',
    '"404"',
    '"text"',
    '"status"',
    '"say \\"status\\": 500"',
    '"caf\\u00e9"',
    '"äö"',
    '""',
    '"\\\\"',
    'true',
    'false',
    'null',
  ],
];

type Random = (n: number) => number;
const pick = (random: Random, from: readonly string[]): string => from[random(from.length)] as string;

function jsonValue(random: Random, depth: number): string {
  const kind = random(10);
  if (kind === 0 && depth < 3) return jsonObject(random, depth + 1);
  if (kind === 1) return `[${Array.from({ length: random(3) }, () => pick(random, SCALARS)).join(',')}]`;
  return pick(random, SCALARS);
}

function jsonObject(random: Random, depth = 0): string {
  const space = () => (random(6) === 0 ? ' ' : '');
  const members = Array.from(
    { length: random(5) },
    () => `${space()}"${pick(random, NAMES)}"${space()}:${space()}${jsonValue(random, depth)}${space()}`,
  );
  return `{${members.join(',')}}`;
}

beforeAll(async () => {
  const random = randomFrom(seed);
  const lines = (count: number, make: () => string, metadata?: () => object) =>
    Array.from({ length: count }, (_, index) => [
      String(base + (BigInt(index) * second) / 4n),
      make(),
      ...(metadata && random(8) === 0 ? [metadata()] : []),
    ]);
  server = await LokiServer.open();
  await server.push([
    { stream: { app: 'json' }, values: lines(1200, () => jsonObject(random)) },
    { stream: { app: 'taken', status: '500' }, values: lines(150, () => jsonObject(random)) },
    {
      stream: { app: 'meta' },
      values: lines(
        200,
        () => jsonObject(random),
        () => ({ 'user.id': '7', took: `${random(3)}` }),
      ),
    },
    { stream: { app: 'broken' }, values: lines(200, () => jsonObject(random).slice(0, 8 + random(30))) },
    { stream: { app: 'deep' }, values: [[String(base), `{"status":500,"a":${'['.repeat(120)}1${']'.repeat(120)}}`]] },
  ]);
  await server.pushOtlp({
    resourceLogs: [
      {
        resource: {
          attributes: [
            { key: 'service.name', value: { stringValue: 'otlp' } },
            { key: 'took', value: { intValue: '1' } },
          ],
        },
        scopeLogs: [
          {
            logRecords: Array.from({ length: 200 }, (_, index) => ({
              timeUnixNano: String(base + (BigInt(index) * second) / 4n),
              severityNumber: 1 + random(20),
              traceId: random(9) === 0 ? '0102030405060708090a0b0c0d0e0f10' : '',
              body:
                random(9) === 0
                  ? { kvlistValue: { values: [{ key: 'status', value: { intValue: '500' } }] } }
                  : { stringValue: jsonObject(random) },
              attributes: random(9) === 0 ? [{ key: 'user/id', value: { intValue: '3' } }] : [],
            })),
          },
        ],
      },
    ],
  });
}, 120_000);

afterAll(async () => await server.close());

const limits = { maxSamples: 100_000, maxSeries: 2_000, maxSteps: 11_000 };
const catalog = new StreamCatalog(1000);

function logs(): StoreLogs {
  const context = {
    connection: server.store.connection,
    signal: new AbortController().signal,
    deadlineMs: Date.now() + 600_000,
    nowMs: Date.now(),
  };
  return new StoreLogs(context, catalog);
}

/** Everything comes out of the store as it is, and is looked at here. */
const plain: LogSource = {
  select: (selection: LogSelection) => logs().select({ ...selection, stages: [], labels: undefined, limit: undefined }),
};

async function answer(source: LogSource, query: string): Promise<unknown> {
  const range = {
    startNs: base,
    endNs: base + 320n * second,
    stepNs: 60n * second,
    limit: 5_000,
    direction: 'backward' as const,
  };
  try {
    return (await new LogqlEngine(source, limits).queryRange(query, range)).result;
  } catch (error) {
    // Which of the lines is complained of is not said.
    return error instanceof Error ? error.message.replace(/ for series.*/s, '') : error;
  }
}

test.each([
  'sum(count_over_time({app="json"} | json | status > 400 [1m]))',
  'sum(count_over_time({app="json"} | json | status <= 404.5 | took != 7 [1m]))',
  'sum(count_over_time({app="json"} | json | status == 500 [7s]))',
  'sum by (status) (count_over_time({app="json"} | json | status >= 200 and user_id > 1 [1m]))',
  'sum by (status) (count_over_time({app="json"} | json | status =~ "4.." or took > 5 [1m]))',
  'sum by (user_id) (count_over_time({app="json"} | json [1m]))',
  'sum by (status, user_id, took) (count_over_time({app=~"json|taken|meta"} | json | __error__="" [1m]))',
  'sum by (status) (rate({app=~"json|taken"} |= "5" | json | status != "" [1m]))',
  'sum by (level) (count_over_time({app="json"} | json | msg != "text" [1m]))',
  'sum by (status_code) (bytes_over_time({app="json"} | json | status_code < 1000 [1m]))',
  'sum by (took) (count_over_time({app="meta"} | json | user_id > 5 [1m]))',
  'sum(count_over_time({app="meta"} | json | took_extracted > 5 [1m]))',
  'sum by (status) (count_over_time({app="taken"} | json | status > 5 [1m]))',
  'sum(count_over_time({app="broken"} | json | status > 400 [1m]))',
  'sum by (status) (count_over_time({app=~"broken|deep"} | json [1m]))',
  'sum by (status) (count_over_time({app="deep"} | json [1m]))',
  'sum(count_over_time({app=~".+"} | json [1m]))',
  'sum by (detected_level, status) (count_over_time({service_name="otlp"} | json | status > 100 [1m]))',
  'sum by (took, user_id) (count_over_time({service_name="otlp"} | json [1m]))',
  'sum by (trace_id) (bytes_rate({service_name="otlp"} | json | status > 100 [1m]))',
  'quantile_over_time(0.5, {app="json"} | json | status > 200 | unwrap status [1m]) by (took)',
  '{app="json"} | json | status > 400',
  '{app=~"json|meta|taken|broken|deep"} | json | status <= 404 and user_id < 600',
  '{service_name="otlp"} | json | user_id >= 3',
])('%s', { timeout: 120_000 }, async (query) => {
  expect(await answer(logs(), query)).toEqual(await answer(plain, query));
});

test('most lines are counted where they are', { timeout: 120_000 }, async () => {
  let read = 0;
  const counting: LogSource = {
    select: () => {
      throw new Error('all lines are read');
    },
    count: async (selection) => {
      const counted = await logs().count(selection);
      if (!counted) throw new Error('nothing was counted');
      for await (const entries of counted.rest) read += entries.length;
      return { ...counted, rest: (async function* () {})() };
    },
  };
  await answer(counting, 'sum(count_over_time({app="json"} | json | status > 400 [1m]))');
  expect(read).toBeLessThan(800);
});
