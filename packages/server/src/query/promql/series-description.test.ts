import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type DescribedValue, parseSeriesDescription } from './series-description.ts';

const root = fileURLToPath(new URL('../../../../../', import.meta.url));
const conformance = process.env.SIGNALBOX_CONFORMANCE ?? join(root, '../shared/conformance');
const path = join(conformance, 'promql/series_notation_tables.json');

/** Rows of Prometheus's own tests of the notation, as its Go has them. */
interface Row {
  readonly input?: string;
  readonly fail?: boolean;
  readonly expectError?: string;
  readonly expectedError?: string;
  readonly expectedMetric?: GoValue;
  readonly expectedLabels?: GoValue;
  readonly expectedValues?: GoValue;
  readonly expected?: readonly GoHistogram[];
}

type GoValue =
  | { readonly $labels: Readonly<Record<string, string>> }
  | { readonly $call: string; readonly args: readonly unknown[] }
  | readonly { readonly Value?: number }[];

interface GoHistogram {
  readonly Schema?: number;
  readonly Sum?: number;
  readonly Count?: number;
  readonly ZeroCount?: number;
  readonly ZeroThreshold?: number;
  readonly PositiveBuckets?: readonly number[];
  readonly PositiveSpans?: readonly GoSpan[];
  readonly NegativeBuckets?: readonly number[];
  readonly NegativeSpans?: readonly GoSpan[];
  readonly CounterResetHint?: { readonly $id: string };
}

interface GoSpan {
  readonly Offset: number;
  readonly Length: number;
}

const tables = existsSync(path)
  ? (JSON.parse(readFileSync(path, 'utf8')) as { tables: { rows: Row[] }[] }).tables
  : undefined;
const rows = (tables ?? []).flatMap((table) => table.rows);

/** Gaps as 'gap', numbers as they are. */
function plainValues(values: readonly DescribedValue[]): unknown[] {
  return values.map((value) => (value.kind === 'float' ? value.value : value.kind));
}

function goLabels(value: GoValue | undefined): unknown {
  if (value === undefined || !('$call' in value)) return (value as { $labels: unknown } | undefined)?.$labels;
  const texts = value.args.map((argument) => (typeof argument === 'string' ? argument : '__name__'));
  return Object.fromEntries(texts.flatMap((name, at) => (at % 2 === 0 ? [[name, texts[at + 1]]] : [])));
}

function goValues(value: GoValue | undefined): unknown[] {
  if (Array.isArray(value)) return value.map(({ Value = 0 }) => Value);
  const { args } = value as { args: readonly unknown[] };
  return args.map((argument) => (typeof argument === 'number' ? argument : 'gap'));
}

function indexesOf(spans: readonly GoSpan[] = []): number[] {
  const indexes: number[] = [];
  let next = 0;
  for (const { Offset, Length } of spans) {
    next += Offset;
    for (let i = 0; i < Length; i++) indexes.push(next++);
  }
  return indexes;
}

const hints: Readonly<Record<string, string>> = {
  'histogram.GaugeType': 'gauge',
  'histogram.CounterReset': 'reset',
  'histogram.NotCounterReset': 'not_reset',
  'histogram.UnknownCounterReset': 'unknown',
};

describe.skipIf(tables === undefined)("Prometheus's own cases of the notation of series", () => {
  test('are there', () => {
    expect(rows.length).toBeGreaterThan(50);
  });

  test.each(rows)('$input', (row) => {
    const { input = '', fail = false, expectError, expectedError, expected } = row;
    if (fail || expectError !== undefined || expectedError !== undefined) {
      expect(() => parseSeriesDescription(input)).toThrow();
      return;
    }
    const { labels, values } = parseSeriesDescription(input);
    if (expected === undefined) {
      expect(Object.fromEntries(labels.entries())).toEqual(goLabels(row.expectedMetric ?? row.expectedLabels));
      expect(plainValues(values)).toEqual(goValues(row.expectedValues));
      return;
    }
    expect(values).toHaveLength(expected.length);
    for (const [at, wanted] of expected.entries()) {
      const value = values[at];
      if (value?.kind !== 'histogram') throw new Error(`not a histogram: ${value?.kind}`);
      const { schema, sum, count, zeroCount, zeroThreshold, positive, negative, resetHint } = value.value;
      expect({ schema, sum, count, zeroCount, zeroThreshold, positive, negative }).toEqual({
        schema: wanted.Schema ?? 0,
        sum: wanted.Sum ?? 0,
        count: wanted.Count ?? 0,
        zeroCount: wanted.ZeroCount ?? 0,
        zeroThreshold: wanted.ZeroThreshold ?? 0,
        positive: { indexes: indexesOf(wanted.PositiveSpans), counts: wanted.PositiveBuckets ?? [] },
        negative: { indexes: indexesOf(wanted.NegativeSpans), counts: wanted.NegativeBuckets ?? [] },
      });
      if (wanted.CounterResetHint !== undefined) expect(resetHint).toBe(hints[wanted.CounterResetHint.$id]);
    }
  });
});
