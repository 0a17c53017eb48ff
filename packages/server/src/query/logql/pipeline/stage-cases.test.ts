import { parseLogql } from '@signalbox/query-language';
import { describe, expect, test } from 'vitest';
import { StreamLabels } from '../stream-labels.ts';
import { readConformanceJson } from '../testing/conformance-file.ts';
import { compilePipeline } from './compile-pipeline.ts';
import { LineLabels } from './line-labels.ts';
import type { PipelineLine } from './stage.ts';

interface StageCase {
  name: string;
  pipeline: string;
  line: string;
  stream_labels: Record<string, string>;
  structured_metadata: Record<string, string>;
  want_labels: Record<string, string>;
  want_line: string;
  ts?: number;
}

interface LineCase {
  query: string;
  lines: { line: string; kept: boolean }[];
}

const stages = readConformanceJson('logql/stage_cases.json') as { cases: StageCase[] } | undefined;
const filters = readConformanceJson('logql/line_filter_cases.json') as { cases: LineCase[] } | undefined;

function run(query: string, one: { line: string; stream?: object; metadata?: object; time?: bigint }) {
  const expr = parseLogql(query);
  if (expr.kind !== 'log') throw new Error(expr.kind);
  const labels = new LineLabels();
  labels.reset({
    stream: new StreamLabels(new Map(Object.entries(one.stream ?? {}))),
    metadata: Object.entries(one.metadata ?? {}) as [string, string][],
  });
  const line: PipelineLine = { time: one.time ?? 0n, line: one.line, labels };
  const isKept = compilePipeline(expr.stages)(line);
  return { isKept, line: line.line, labels: Object.fromEntries(labels.entries()) };
}

describe.skipIf(stages === undefined)("Loki's own cases of stages", () => {
  test('are there', () => {
    expect(stages?.cases.length).toBeGreaterThan(60);
  });

  test.each(stages?.cases ?? [])('$name: $pipeline', (one) => {
    const result = run(`{a="b"} ${one.pipeline}`, {
      line: one.line,
      stream: one.stream_labels,
      metadata: one.structured_metadata,
      time: BigInt(one.ts ?? 0),
    });
    expect(result).toEqual({ isKept: true, line: one.want_line, labels: one.want_labels });
  });

  test.each(filters?.cases ?? [])('$query', ({ query, lines }) => {
    for (const { line, kept } of lines) expect({ line, kept: run(query, { line }).isKept }).toEqual({ line, kept });
  });
});
