import { type LogExpr, parseByteSize, parseGoDuration } from '@signalbox/query-language';
import type { LogSource } from '../logql/log-source.ts';
import { compilePipeline } from '../logql/pipeline/compile-pipeline.ts';
import { LineLabels } from '../logql/pipeline/line-labels.ts';
import { parseGoFloat } from '../logql/pipeline/parse-go-float.ts';
import { jsonMembers, logfmtStage } from '../logql/pipeline/parser-stages.ts';
import type { PipelineLine } from '../logql/pipeline/stage.ts';
import type { StreamLabels } from '../logql/stream-labels.ts';

export type FieldType = 'string' | 'int' | 'float' | 'boolean' | 'duration' | 'bytes';
type Parser = 'json' | 'logfmt';

/** A field of lines, or of their structured metadata. */
export interface DetectedField {
  readonly label: string;
  readonly type: FieldType;
  readonly values: ReadonlySet<string>;
  /** Parsers that find it in the line; none for structured metadata. */
  readonly parsers: ReadonlySet<Parser>;
  /** Where it stands in lines of JSON; undefined where it does not. */
  readonly jsonPath: readonly string[] | undefined;
}

interface Field {
  readonly values: Set<string>;
  readonly parsers: Set<Parser>;
  jsonPath?: readonly string[] | undefined;
}

const MAX_FIELDS = 1000;

/** What the newest lines of a query have, in the order in which it is met. @param lines that are looked at */
export async function detectFields(
  source: LogSource,
  { matchers, stages }: LogExpr,
  range: { readonly fromNs: bigint; readonly toNs: bigint },
  lines: number,
  signal: AbortSignal,
): Promise<readonly DetectedField[]> {
  const run = compilePipeline(stages);
  const reader = new LineReader();
  const line: PipelineLine = { time: 0n, line: '', labels: new LineLabels() };
  const fields = new Map<string, Field>();
  const note = (label: string, value: string, parser?: Parser, jsonPath?: readonly string[]) => {
    let field = fields.get(label);
    if (field === undefined) {
      if (fields.size >= MAX_FIELDS) return;
      field = { values: new Set(), parsers: new Set() };
      fields.set(label, field);
    }
    field.values.add(value);
    if (parser) field.parsers.add(parser);
    if (jsonPath) field.jsonPath = jsonPath;
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
      const { parser, labels, paths } = reader.read(line.line, entry.stream);
      for (const [name, value] of line.labels.parsed) note(name, value, parser, paths.get(name));
      for (const [name, value] of labels) note(name, value, parser, paths.get(name));
      if (++seen >= lines) break reading;
    }
  }
  return [...fields].map(([label, { values, parsers, jsonPath }]) => ({
    label,
    type: typeOf([...values][0] ?? ''),
    values,
    parsers,
    jsonPath,
  }));
}

/** Reads lines by themselves: as JSON, or else as logfmt. */
class LineReader {
  readonly #line: PipelineLine = { time: 0n, line: '', labels: new LineLabels() };
  readonly #paths = new Map<string, readonly string[]>();
  readonly #json = jsonMembers((label, path) => this.#paths.set(label, path));
  readonly #logfmt = logfmtStage({
    kind: 'logfmt',
    isStrict: false,
    keepsEmpty: false,
    extractions: [],
    range: { start: 0, end: 0 },
  });

  /** What is returned is used again for the next line. */
  read(text: string, stream: StreamLabels) {
    const line = this.#line;
    line.line = text;
    for (const parser of ['json', 'logfmt'] as const) {
      this.#paths.clear();
      line.labels.reset({ stream, metadata: [] });
      (parser === 'json' ? this.#json : this.#logfmt)(line);
      if (line.labels.error === '') return { parser, labels: line.labels.parsed, paths: this.#paths };
    }
    return { parser: undefined, labels: new Map<string, string>(), paths: this.#paths };
  }
}

/** As Go's functions tell what a text may be. */
function typeOf(value: string): FieldType {
  if (/^[+-]?\d{1,18}$/.test(value)) return 'int';
  if (parseGoFloat(value) !== undefined) return 'float';
  if (/^(?:t|T|true|TRUE|True|f|F|false|FALSE|False)$/.test(value)) return 'boolean';
  if (parseGoDuration(value) !== undefined) return 'duration';
  return parseByteSize(value) === undefined ? 'string' : 'bytes';
}
