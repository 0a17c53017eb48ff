import { parseTraceql } from '@signalbox/query-language';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type QueryContext, select } from '../../query/query-context.ts';
import { SqlParameters } from '../../query/sql-parameters.ts';
import { planLaterSpans } from '../../query/traceql/later-spans.ts';
import { planCandidates } from '../../query/traceql/search-traceql.ts';
import type { Connection } from '../../store/connection.ts';
import { QueryRegistry } from '../query-registry.ts';
import { TraceStore } from '../testing/trace-store.ts';
import type { SearchResponse } from './search-response.ts';
import { createTempoApi } from './tempo-api.ts';

const minute = 60_000;
const endMs = 1_790_000_000_000;
const rangeMs = 30 * minute;
const laterTraces = 300;

/** Minutes from the range's end to the spans of a trace, and how long they take. */
type Shape = readonly (readonly [at: number, minutes: number])[];
const shapes: Readonly<Record<string, Shape>> = {
  inside: [[-10, 0.01]],
  underWay: [
    [-2, 4],
    [1, 0.5],
  ],
  justBegun: [
    [-0.1, 0.001],
    [0.1, 0.001],
  ],
  // Nothing of it is under way when the range ends.
  pausing: [
    [-40, 0.01],
    [20, 0.01],
  ],
  // Its root never came; it lies behind the range, but that is known only when it is looked at.
  rootless: [[0.5, 0.001]],
  before: [[-45, 1]],
  after: [[5, 1]],
};

const bugs: unknown[] = [];
let store: TraceStore;

beforeAll(async () => {
  store = await TraceStore.open(({ connection }) =>
    createTempoApi({
      connection,
      registry: new QueryRegistry(),
      maxExecutionMs: 30_000,
      allowedHosts: [],
      version: 'test',
      onError: (error) => bugs.push(error),
    }),
  );
  const span = (trace: string, id: number, at: number, minutes: number): object => {
    const start = BigInt(Math.round((endMs + at * minute) * 1_000)) * 1_000n;
    return {
      traceId: traceId(trace),
      spanId: id.toString(16).padStart(16, '0'),
      parentSpanId: id === 1 && trace !== 'rootless' ? '' : 'f'.padStart(16, '0'),
      // The last of a trace is the one that is looked for.
      name: id === (shapes[trace]?.length ?? 1) ? 'wanted' : 'other',
      startTimeUnixNano: `${start}`,
      endTimeUnixNano: `${start + BigInt(Math.round(minutes * 60)) * 1_000_000_000n}`,
    };
  };
  const shaped = Object.entries(shapes).flatMap(([trace, spans]) =>
    spans.map(([at, minutes], index) => span(trace, index + 1, at, minutes)),
  );
  const later = Array.from({ length: laterTraces }, (_, index) => span(`l${index}`, 1, 0.05 + index / 10, 0.01));
  await store.insert({ resourceSpans: [{ scopeSpans: [{ spans: [...shaped, ...later] }] }] });
});
afterAll(async () => {
  await store.close();
  expect(bugs).toEqual([]);
});

test('a search of a range that is past finds the traces that overlap it, and looks at no later ones', async () => {
  const end = endMs / 1000;
  const search = new URLSearchParams({
    q: '{ name = "wanted" }',
    limit: '5',
    start: `${end - rangeMs / 1000}`,
    end: `${end}`,
  });
  const { traces, metrics } = (await store.json(`/api/search?${search}`)) as SearchResponse;
  expect(traces.map(({ traceID }) => nameOf(traceID))).toEqual(['justBegun', 'underWay', 'inside', 'pausing']);
  expect(metrics.inspectedTraces).toBeLessThanOrEqual(Object.keys(shapes).length);
});

test('among very many spans, later ones count of traces whose root is not later', async () => {
  const range = { from: BigInt(endMs - rangeMs) * 1_000_000n, to: BigInt(endMs) * 1_000_000n };
  const context = newContext();
  const later = await planLaterSpans(context, range, 100);
  const { expr } = parseTraceql('{ name = "wanted" }');
  if (expr.kind !== 'pipeline') throw new Error('no pipeline');
  const window = { from: range.from, to: later.until };
  const { statement } = planCandidates(expr, window, new Map(), 1_000, later);
  const rows = await select<[string, string]>(context, statement);
  expect(rows.map(([id]) => nameOf(id))).toEqual(['underWay', 'rootless', 'justBegun', 'inside']);
});

test('very many later spans that all come from after a pause lead to no traces', async () => {
  const pause = { from: BigInt(endMs - rangeMs) * 1_000_000n, to: BigInt(endMs - 9 * minute) * 1_000_000n };
  const { until, condition } = await planLaterSpans(newContext(), pause, 100);
  expect(until).toBe(pause.to);
  expect(condition(new SqlParameters())).toBeUndefined();
});

test('that there are very many later spans is found out once, what is near is looked at each time', async () => {
  const range = { from: BigInt(endMs - rangeMs) * 1_000_000n, to: BigInt(endMs - 8 * minute) * 1_000_000n };
  const asked: string[] = [];
  const connection: Pick<Connection, 'query'> = {
    query: (sql, options) => {
      asked.push(sql);
      return store.store.connection.query(sql, options);
    },
  };
  const context = { ...newContext(), connection: connection as Connection };
  const counts: number[] = [];
  for (const mostSpans of [100, 100, 150, 100_000, 100_000]) {
    asked.length = 0;
    await planLaterSpans(context, range, mostSpans);
    counts.push(asked.length);
  }
  expect(counts).toEqual([2, 1, 2, 2, 2]);
});

function newContext(): QueryContext {
  return {
    connection: store.store.connection,
    signal: new AbortController().signal,
    deadlineMs: Date.now() + 10_000,
    nowMs: Date.now(),
  };
}

function traceId(name: string): string {
  return Buffer.from(name).toString('hex').padStart(32, '0');
}

function nameOf(id: string): string {
  return Buffer.from(id.replace(/^(00)+/, '').padStart(2, '0'), 'hex').toString();
}
