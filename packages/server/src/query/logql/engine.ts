import {
  type Grouping,
  type LogExpr,
  type LogqlExpr,
  parseLogql,
  type RangeAggregation,
  type SampleExpr,
} from '@signalbox/query-language';
import type { Labels } from '../promql/labels.ts';
import { Kind, type StepVector } from '../promql/step-vector.ts';
import { evaluateSamples } from './evaluate-samples.ts';
import type { Direction, LogSource } from './log-source.ts';
import { LogqlError } from './logql-error.ts';
import { compilePipeline } from './pipeline/compile-pipeline.ts';
import { LineLabels } from './pipeline/line-labels.ts';
import type { PipelineLine } from './pipeline/stage.ts';
import { RangeAggregator, tooManySeries } from './range-aggregation.ts';
import { type LogSteps, logStepsBetween, RangeWindows } from './range-windows.ts';
import { neededLabels } from './sample-extractor.ts';

/** What a query may cost. */
export interface LogqlLimits {
  /** Values of one query that are in memory at once. */
  readonly maxSamples: number;
  /** Series of an answer. */
  readonly maxSeries: number;
  /** Evaluations of a range query. */
  readonly maxSteps: number;
}

export interface LogqlRange {
  /** Nanoseconds since 1970; of logs the end is out, of samples it is in. */
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly stepNs: bigint;
  /** Lines of logs. */
  readonly limit: number;
  /** Nanoseconds that lie at least between two lines of an answer; those between are left out. */
  readonly intervalNs?: bigint;
  readonly direction: Direction;
}

type Pairs = readonly (readonly [name: string, value: string])[];

/** A line that went through its pipeline. */
export interface LogLine {
  readonly time: bigint;
  readonly line: string;
  readonly stream: Pairs;
  readonly metadata: Pairs;
  readonly parsed: Pairs;
  /** What can be asked for by name and is not shown. */
  readonly implied: ReadonlyMap<string, string> | undefined;
}

export interface SampledSeries {
  readonly labels: Labels;
  /** Time in nanoseconds since 1970, and value. */
  readonly points: readonly (readonly [time: bigint, value: number])[];
}

export type LogqlResult =
  | { readonly type: 'streams'; readonly lines: readonly LogLine[] }
  | { readonly type: 'matrix' | 'vector'; readonly series: readonly SampledSeries[] }
  | { readonly type: 'scalar'; readonly time: bigint; readonly value: number };

/** What was read for an answer. */
export interface LogqlCost {
  entries: number;
  bytes: number;
}

export interface LogqlAnswer {
  readonly result: LogqlResult;
  readonly cost: LogqlCost;
}

/** Sums over these need no labels but those that they group by. */
const SUMMABLE: ReadonlySet<string> = new Set([
  'bytes_over_time',
  'bytes_rate',
  'sum_over_time',
  'rate',
  'count_over_time',
]);

/** Series before they are aggregated, for each that an answer may have. */
const INNER_SERIES = 200;

/** Answers LogQL over a source of logs. Rejects with LogqlParseError, LogqlError, or what the source rejects with. */
export class LogqlEngine {
  readonly #source: LogSource;
  readonly #limits: LogqlLimits;

  constructor(source: LogSource, limits: LogqlLimits) {
    this.#source = source;
    this.#limits = limits;
  }

  async queryRange(query: string, range: LogqlRange, signal?: AbortSignal): Promise<LogqlAnswer> {
    const expr = parseLogql(query);
    if (expr.kind === 'log') return await this.#lines(expr, range, signal);
    const steps = logStepsBetween(range.startNs, range.endNs, range.stepNs);
    if (steps.count > this.#limits.maxSteps) {
      const most = this.#limits.maxSteps.toLocaleString('en');
      const reason = `exceeded maximum resolution of ${most} points per time series`;
      throw new LogqlError('bad_request', `${reason}. Try increasing the value of the step parameter`);
    }
    return await this.#samples(expr, steps, false, signal);
  }

  async queryInstant(query: string, timeNs: bigint, signal?: AbortSignal): Promise<LogqlAnswer> {
    const expr = parseLogql(query);
    if (expr.kind === 'log') {
      throw new LogqlError(
        'bad_request',
        'log queries are not supported as an instant query type, please change your query to a range query type',
      );
    }
    return await this.#samples(expr, { startNs: timeNs, stepNs: 1n, count: 1 }, true, signal);
  }

  async #lines(expr: LogExpr, range: LogqlRange, signal: AbortSignal | undefined): Promise<LogqlAnswer> {
    const { matchers, stages } = expr;
    const { startNs, endNs, limit, direction, intervalNs = 0n } = range;
    let last: bigint | undefined;
    const lines: LogLine[] = [];
    const cost: LogqlCost = { entries: 0, bytes: 0 };
    const run = compilePipeline(stages);
    const labels = new LineLabels();
    const line: PipelineLine = { time: 0n, line: '', labels };
    const selection = { matchers, fromNs: startNs, toNs: endNs, direction, stages, limit };
    reading: for await (const entries of this.#source.select(selection, signal)) {
      for (const entry of entries) {
        cost.entries++;
        cost.bytes += entry.line.length;
        labels.reset(entry);
        line.time = entry.time;
        line.line = entry.line;
        if (!run(line)) continue;
        if (last !== undefined) {
          const distance = direction === 'forward' ? entry.time - last : last - entry.time;
          if (distance < intervalNs) continue;
        }
        last = entry.time;
        lines.push({
          time: entry.time,
          line: line.line,
          stream: labels.streamEntries(),
          metadata: [...labels.metadata],
          parsed: labels.parsedEntries(),
          implied: entry.implied,
        });
        if (lines.length >= limit) break reading;
      }
    }
    return { result: { type: 'streams', lines }, cost };
  }

  async #samples(
    expr: SampleExpr,
    steps: LogSteps,
    isInstant: boolean,
    signal: AbortSignal | undefined,
  ): Promise<LogqlAnswer> {
    const cost: LogqlCost = { entries: 0, bytes: 0 };
    const ranges = new Map<RangeAggregation, StepVector>();
    for (const { range, outer } of rangesOf(expr)) {
      ranges.set(range, await this.#range(range, outer, steps, cost, signal));
    }
    const value = evaluateSamples(expr, steps.count, ranges);
    if (value.type === 'scalar') {
      if (isInstant) return { result: { type: 'scalar', time: steps.startNs, value: value.value }, cost };
      // As Loki has it, a number over time is a series without labels.
      const vector = evaluateSamples({ kind: 'vector', value: value.value, range: expr.range }, steps.count, ranges);
      return { result: this.#toResult(expr, vector.type === 'vector' ? vector.vector : [], steps, isInstant), cost };
    }
    return { result: this.#toResult(expr, value.vector, steps, isInstant), cost };
  }

  async #range(
    range: RangeAggregation,
    outer: Grouping | undefined,
    steps: LogSteps,
    cost: LogqlCost,
    signal: AbortSignal | undefined,
  ): Promise<StepVector> {
    const { log, intervalMs, offsetMs } = range.logRange;
    const windows = new RangeWindows(steps, intervalMs, offsetMs);
    const maxSeries = this.#limits.maxSeries * INNER_SERIES;
    const aggregator = new RangeAggregator(range, outer, windows, { ...this.#limits, maxSeries });
    const { matchers, stages } = log;
    const { fromNs, toNs } = windows;
    const labels = neededLabels(range, outer);
    const groups = RangeAggregator.countedBy(range, outer);
    const countsBytes = range.operator.startsWith('bytes');
    const isCounted = groups !== undefined && labels !== undefined;
    const counted = isCounted
      ? await this.#source.count?.({ matchers, stages, windows, labels, groups, countsBytes })
      : undefined;
    for (const { lines, bytes } of counted?.counts ?? []) {
      cost.entries += lines;
      cost.bytes += bytes;
    }
    if (counted) aggregator.addCounts(counted.counts);
    const direction = 'forward' as const;
    const selection = { matchers, fromNs, toNs, direction, stages, limit: undefined, labels };
    for await (const entries of counted?.rest ?? this.#source.select(selection, signal)) {
      cost.entries += entries.length;
      for (const { line } of entries) cost.bytes += line.length;
      aggregator.add(entries);
    }
    return aggregator.result();
  }

  #toResult(expr: SampleExpr, vector: StepVector, steps: LogSteps, isInstant: boolean): LogqlResult {
    if (vector.length > this.#limits.maxSeries) throw tooManySeries(this.#limits.maxSeries);
    const series = vector.map(({ labels, kinds, values }) => ({
      labels,
      points: Array.from(kinds.keys())
        .filter((step) => kinds[step] === Kind.Float)
        .map((step) => [steps.startNs + steps.stepNs * BigInt(step), values[step] as number] as const),
    }));
    const isOrdered = isInstant && hasSort(expr);
    if (!isOrdered) series.sort((a, b) => a.labels.compare(b.labels));
    return { type: isInstant ? 'vector' : 'matrix', series };
  }
}

/** The range aggregations of an expression, with the grouping of the sum around them that spares them their other labels. */
function rangesOf(expr: LogqlExpr, outer?: Grouping): { range: RangeAggregation; outer: Grouping | undefined }[] {
  switch (expr.kind) {
    case 'rangeAggregation':
      return [{ range: expr, outer: expr.grouping ? undefined : outer }];
    case 'vectorAggregation': {
      const inner = expr.expr;
      const isSummed = expr.operator === 'sum' && inner.kind === 'rangeAggregation' && SUMMABLE.has(inner.operator);
      return rangesOf(inner, isSummed ? (expr.grouping ?? { labels: [], isWithout: false }) : undefined);
    }
    case 'labelReplace':
      return rangesOf(expr.expr);
    case 'binary':
      return [...rangesOf(expr.left), ...rangesOf(expr.right)];
    default:
      return [];
  }
}

/** Whether the order of an answer means something. */
function hasSort(expr: LogqlExpr): boolean {
  switch (expr.kind) {
    case 'vectorAggregation':
      return expr.operator === 'sort' || expr.operator === 'sort_desc' || hasSort(expr.expr);
    case 'labelReplace':
      return hasSort(expr.expr);
    case 'binary':
      return hasSort(expr.left) || hasSort(expr.right);
    default:
      return false;
  }
}
