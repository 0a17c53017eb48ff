import {
  type Grouping,
  type LabelFilter,
  parseByteSize,
  parseGoDuration,
  type RangeAggregation,
  type Stage,
} from '@signalbox/query-language';
import { Labels } from '../promql/labels.ts';
import { LogqlError } from './logql-error.ts';
import { compilePipeline } from './pipeline/compile-pipeline.ts';
import { describeBadDuration, describeBadSize, labelTest } from './pipeline/filter-stages.ts';
import { LineLabels } from './pipeline/line-labels.ts';
import { parseGoFloat } from './pipeline/parse-go-float.ts';
import type { PipelineLine } from './pipeline/stage.ts';
import type { LogEntry, StreamLabels } from './stream-labels.ts';

const SAMPLE_ERROR = 'SampleExtractionErr';
const STAGES_THAT_READ_LABELS: ReadonlySet<string> = new Set(['labelFilter', 'lineFormat', 'labelFormat']);

/** What a line is for a range aggregation: the series that it belongs to, and a value. */
export interface LogSample {
  readonly labels: Labels;
  readonly value: number;
}

/** Makes samples of entries. Throws LogqlParseError for a pipeline that can't be compiled. */
export class SampleExtractor {
  readonly #line: PipelineLine = { time: 0n, line: '', labels: new LineLabels() };
  readonly #run: ReturnType<typeof compilePipeline>;
  /** The same without line filters. */
  readonly #runCounted: ReturnType<typeof compilePipeline>;
  readonly #valueOf: (line: PipelineLine) => number | undefined;
  readonly #group: (labels: LineLabels) => Labels;
  readonly #ofStreams = new Map<StreamLabels, Labels>();
  readonly #looksAtImplied: boolean;

  /** @param outer the grouping of a sum around the aggregation, whose result does not need the other labels */
  constructor(expr: RangeAggregation, outer?: Grouping) {
    const { unwrap } = expr.logRange;
    const grouping = groupingOf(expr, outer);
    const hasNoLabels = grouping !== undefined && grouping.labels.length === 0 && !grouping.isWithout;
    const stages = withoutUnreadFormats(expr);
    const reads = stages.some(({ kind }) => STAGES_THAT_READ_LABELS.has(kind));
    const needsLabels = !hasNoLabels || reads || unwrap !== undefined;
    this.#run = compilePipeline(stages, needsLabels);
    this.#runCounted = compilePipeline(
      stages.filter(({ kind }) => kind !== 'lineFilter'),
      needsLabels,
    );
    this.#line.labels.preservesErrors = grouping !== undefined && !grouping.isWithout && asksForErrors(expr);
    this.#valueOf = valueFunction(expr);
    this.#group = groupFunction(grouping);
    this.#looksAtImplied = grouping !== undefined && !grouping.isWithout;
  }

  /** The series of entries that were counted elsewhere; undefined: the pipeline drops them. Throws as `extract` does. */
  labelsOf(entry: LogEntry): Labels | undefined {
    return this.#through(entry, this.#runCounted) ? this.#seriesOf(entry) : undefined;
  }

  /**
   * The sample of an entry; undefined: the pipeline drops it. Throws LogqlError when the line could not be read as the query wants,
   * and the query does not say what to do then.
   */
  extract(entry: LogEntry): LogSample | undefined {
    if (!this.#through(entry, this.#run)) return undefined;
    const value = this.#valueOf(this.#line);
    return value === undefined ? undefined : { labels: this.#seriesOf(entry), value };
  }

  #through(entry: LogEntry, run: ReturnType<typeof compilePipeline>): boolean {
    const line = this.#line;
    line.labels.reset(entry);
    line.time = entry.time;
    line.line = entry.line;
    return run(line);
  }

  #seriesOf({ stream, implied }: LogEntry): Labels {
    const { labels } = this.#line;
    if (labels.error !== '') {
      if (!labels.preservesErrors) throw pipelineError(labels);
      return labels.labels();
    }
    if (!labels.isStreamOnly || (this.#looksAtImplied && implied)) return this.#group(labels);
    let group = this.#ofStreams.get(stream);
    if (group === undefined) {
      group = this.#group(labels);
      this.#ofStreams.set(stream, group);
    }
    return group;
  }
}

const STAGES_THAT_READ_LINES: ReadonlySet<string> = new Set([
  'lineFilter',
  'json',
  'logfmt',
  'regexp',
  'pattern',
  'unpack',
  'decolorize',
]);

/** Loki leaves out formats of lines that nobody looks at, and so their mistakes. */
function withoutUnreadFormats({ operator, logRange: { log } }: RangeAggregation): readonly Stage[] {
  if (operator === 'bytes_over_time' || operator === 'bytes_rate') return log.stages;
  const readsLine = (stage: Stage): boolean =>
    STAGES_THAT_READ_LINES.has(stage.kind) ||
    (stage.kind === 'labelFormat' && stage.formats.some(({ value }) => value.includes('__line__')));
  return log.stages.filter(
    (stage, index) => stage.kind !== 'lineFormat' || log.stages.slice(index + 1).some(readsLine),
  );
}

const STAGES_THAT_NAME_LABELS: ReadonlySet<string> = new Set([
  'lineFilter',
  'labelFilter',
  'json',
  'logfmt',
  'regexp',
  'pattern',
]);

/** The labels that the samples of an aggregation depend on; undefined: all of them. */
export function neededLabels(expr: RangeAggregation, outer: Grouping | undefined): readonly string[] | undefined {
  const { log, unwrap } = expr.logRange;
  const grouping = groupingOf(expr, outer);
  const areNamed = log.stages.every(({ kind }) => STAGES_THAT_NAME_LABELS.has(kind));
  if (!grouping || grouping.isWithout || !areNamed || asksForErrors(expr)) return undefined;
  const filters = log.stages.flatMap((stage) => (stage.kind === 'labelFilter' ? [stage.filter] : []));
  const names = [...filters, ...(unwrap?.filters ?? [])].flatMap(labelsOfFilter);
  const all = [...grouping.labels, ...names, ...(unwrap ? [unwrap.label] : [])];
  // Whether something is called so depends on what has the name already.
  return [...new Set(all.flatMap((name) => [name, name.replace(/_extracted$/, '')]))];
}

function labelsOfFilter(filter: LabelFilter): string[] {
  if ('left' in filter) {
    return [...labelsOfFilter(filter.left), ...labelsOfFilter(filter.right)];
  }
  return [filter.kind === 'matcher' ? filter.matcher.name : filter.label];
}

/** `by ()` of a range aggregation; where a sum is around it, that of the sum. */
export function groupingOf(
  { grouping, logRange, operator }: RangeAggregation,
  outer: Grouping | undefined,
): Grouping | undefined {
  if (operator === 'absent_over_time') return { labels: [], isWithout: false };
  const own = grouping ?? outer;
  if (own && own.labels.length === 0 && !(own === outer && own.isWithout)) return { labels: [], isWithout: false };
  const { unwrap } = logRange;
  // The label that is the value does not tell series apart.
  if (unwrap && own === undefined) return { labels: [unwrap.label], isWithout: true };
  if (unwrap && own?.isWithout) return { labels: [...own.labels, unwrap.label], isWithout: true };
  return own;
}

function groupFunction(grouping: Grouping | undefined): (labels: LineLabels) => Labels {
  if (grouping === undefined) return (labels) => labels.labels();
  if (grouping.isWithout) {
    const names = new Set(grouping.labels);
    return (labels) => labels.labels().without(names);
  }
  const names = [...new Set(grouping.labels)].sort();
  if (names.length === 0) return () => Labels.EMPTY;
  const known = new Map<string, Labels>();
  return (labels) => {
    const found: string[] = [];
    const values: string[] = [];
    for (const name of names) {
      const value = labels.get(name);
      if (value === undefined) continue;
      found.push(name);
      values.push(value);
    }
    const group = new Labels(found, values);
    const same = known.get(group.key);
    if (same) return same;
    if (known.size < MAX_KNOWN_GROUPS) known.set(group.key, group);
    return group;
  };
}

const MAX_KNOWN_GROUPS = 10_000;

/** Whether a filter names `__error__`, so that lines with errors are wanted. */
function asksForErrors({ logRange: { log, unwrap } }: RangeAggregation): boolean {
  const filters = log.stages.flatMap((stage) => (stage.kind === 'labelFilter' ? [stage.filter] : []));
  return JSON.stringify([filters, unwrap?.filters], (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  ).includes('"__error__"');
}

function valueFunction({
  operator,
  logRange: { unwrap },
}: RangeAggregation): (line: PipelineLine) => number | undefined {
  if (!unwrap) {
    const countsBytes = operator === 'bytes_over_time' || operator === 'bytes_rate';
    return countsBytes ? ({ line }) => Buffer.byteLength(line) : () => 1;
  }
  const { label, conversion, filters } = unwrap;
  const convert = conversions[conversion ?? 'none'];
  const tests = filters.map(labelTest);
  return ({ labels }) => {
    const text = labels.get(label);
    // A line without the label is no mistake, nor is one whose label is empty.
    if (text === undefined || text === '') return undefined;
    const { value, fault } = convert(text);
    if (fault !== undefined) labels.fail(SAMPLE_ERROR, fault);
    return tests.every((test) => test(labels)) ? value : undefined;
  };
}

interface Converted {
  readonly value: number;
  readonly fault?: string;
}

const duration = (text: string): Converted => {
  const nanoseconds = parseGoDuration(text);
  return nanoseconds === undefined ? { value: 0, fault: describeBadDuration(text) } : { value: nanoseconds / 1e9 };
};

const conversions: Readonly<Record<string, (text: string) => Converted>> = {
  none: (text) => {
    const value = parseGoFloat(text);
    const fault = `strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`;
    return value === undefined ? { value: 0, fault } : { value };
  },
  bytes: (text) => {
    const value = parseByteSize(text);
    return value === undefined ? { value: 0, fault: describeBadSize(text) } : { value };
  },
  duration,
  duration_seconds: duration,
};

function pipelineError(labels: LineLabels): LogqlError {
  const { error } = labels;
  return new LogqlError(
    'bad_request',
    `pipeline error: '${error}' for series: '${String(labels.labels())}'.\nUse a label filter to intentionally skip this error. (e.g | __error__!="${error}").\nTo skip all potential errors you can match empty errors.(e.g __error__="")\nThe label filter can also be specified after unwrap. (e.g | unwrap latency | __error__="" )\n`,
  );
}
