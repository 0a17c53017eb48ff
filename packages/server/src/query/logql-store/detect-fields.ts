import { type LogExpr, parseByteSize, parseGoDuration, type Stage } from '@signalbox/query-language';
import type { LogSource } from '../logql/log-source.ts';
import { compilePipeline } from '../logql/pipeline/compile-pipeline.ts';
import { LineLabels } from '../logql/pipeline/line-labels.ts';
import { parseGoFloat } from '../logql/pipeline/parse-go-float.ts';
import type { PipelineLine } from '../logql/pipeline/stage.ts';

export type FieldType = 'string' | 'int' | 'float' | 'boolean' | 'duration' | 'bytes';

/** A field of lines, or of their structured metadata. */
export interface DetectedField {
  readonly label: string;
  readonly type: FieldType;
  readonly values: ReadonlySet<string>;
  /** Parsers that find it in the line; none for structured metadata. */
  readonly parsers: ReadonlySet<'json' | 'logfmt'>;
}

const MAX_FIELDS = 1000;
const RANGE = { start: 0, end: 0 };
const JSON_STAGE: Stage = { kind: 'json', extractions: [], range: RANGE };
const LOGFMT_STAGE: Stage = { kind: 'logfmt', isStrict: false, keepsEmpty: false, extractions: [], range: RANGE };

/** What the newest lines of a query have, in the order in which it is met. @param lines that are looked at */
export async function detectFields(
  source: LogSource,
  { matchers, stages }: LogExpr,
  range: { readonly fromNs: bigint; readonly toNs: bigint },
  lines: number,
  signal: AbortSignal,
): Promise<readonly DetectedField[]> {
  const run = compilePipeline(stages);
  const parsers = { json: compilePipeline([JSON_STAGE]), logfmt: compilePipeline([LOGFMT_STAGE]) };
  const line: PipelineLine = { time: 0n, line: '', labels: new LineLabels() };
  const fields = new Map<string, { values: Set<string>; parsers: Set<'json' | 'logfmt'> }>();
  const note = (label: string, value: string, parser?: 'json' | 'logfmt') => {
    let field = fields.get(label);
    if (field === undefined) {
      if (fields.size >= MAX_FIELDS) return;
      field = { values: new Set(), parsers: new Set() };
      fields.set(label, field);
    }
    field.values.add(value);
    if (parser) field.parsers.add(parser);
  };
  let seen = 0;
  const selection = { matchers, stages, limit: lines, direction: 'backward' as const, ...range };
  reading: for await (const entries of source.select(selection, signal)) {
    for (const entry of entries) {
      line.labels.reset(entry);
      line.line = entry.line;
      line.time = entry.time;
      if (!run(line)) continue;
      for (const [name, value] of [...line.labels.metadata, ...(entry.implied ?? [])]) note(name, value);
      const parser = /^\s*\{/.test(line.line) ? 'json' : 'logfmt';
      for (const [name, value] of line.labels.parsed) note(name, value, parser);
      const before = new Set(line.labels.parsed.keys());
      parsers[parser](line);
      if (line.labels.error === '') {
        for (const [name, value] of line.labels.parsed) if (!before.has(name)) note(name, value, parser);
      }
      if (++seen >= lines) break reading;
    }
  }
  return [...fields].map(([label, { values, parsers: found }]) => ({
    label,
    type: typeOf([...values][0] ?? ''),
    values,
    parsers: found,
  }));
}

function typeOf(value: string): FieldType {
  if (/^[+-]?\d+$/.test(value)) return 'int';
  if (parseGoFloat(value) !== undefined) return 'float';
  if (value === 'true' || value === 'false') return 'boolean';
  if (parseGoDuration(value) !== undefined) return 'duration';
  return parseByteSize(value) === undefined ? 'string' : 'bytes';
}
