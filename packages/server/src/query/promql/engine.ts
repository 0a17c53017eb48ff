import {
  type Call,
  type Expr,
  ParseError,
  type ParserOptions,
  parsePromql,
  rangeOf,
  typeOf,
  type VectorSelector,
} from '@signalbox/query-language';
import { Annotations } from './annotations.ts';
import { Budget, type Evaluation, type EvaluationOptions } from './evaluation.ts';
import { Evaluator } from './evaluator.ts';
import { extendedRange } from './functions/extended-rate.ts';
import { combineWithInfo } from './functions/info.ts';
import type { FloatHistogram } from './histogram/float-histogram.ts';
import { Labels } from './labels.ts';
import { executionError, PromqlError } from './promql-error.ts';
import type { Queryable, RawSeries } from './queryable.ts';
import { type QueryRange, resolve } from './resolve.ts';
import { selectionsOf, selectSeries } from './select-series.ts';
import { joinSameLabels, Kind, type StepSeries, type StepVector } from './step-vector.ts';
import { type Steps, stepsBetween, timeOf } from './steps.ts';
import { Window, withoutStale } from './window.ts';

export interface EngineOptions {
  /** How old the last sample of a series may be to be its value, in ms. Default: 5 minutes. */
  readonly lookbackMs?: number;
  /** Step of subqueries that do not say theirs, in ms. Default: 1 minute. */
  readonly defaultSubqueryStepMs?: number;
  /** Samples that one query may hold at once. Default: 50 million. */
  readonly maxSamples?: number;
  /** Longest time that a query may take, in ms. Default: 2 minutes. */
  readonly timeoutMs?: number;
  readonly parser?: ParserOptions;
  /** Names of metrics are removed at the end rather than by each function: Prometheus's `promql-delayed-name-removal`. */
  readonly delaysNameRemoval?: boolean;
  /** rate() and its like look at start times: Prometheus's `use-start-timestamps`. */
  readonly usesStartTimes?: boolean;
  /** Metrics have labels `__type__` and `__unit__`: Prometheus's `type-and-unit-labels`. */
  readonly hasTypeAndUnitLabels?: boolean;
}

export interface QueryOptions {
  readonly lookbackMs?: number;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** A value of a series at a time (ms since 1970). */
export interface Point {
  readonly timeMs: number;
  readonly value: number | FloatHistogram;
}

export type QueryValue =
  | { readonly type: 'scalar'; readonly timeMs: number; readonly value: number }
  | { readonly type: 'string'; readonly timeMs: number; readonly value: string }
  | { readonly type: 'vector'; readonly samples: readonly ({ readonly labels: Labels } & Point)[] }
  | {
      readonly type: 'matrix';
      readonly series: readonly { readonly labels: Labels; readonly points: readonly Point[] }[];
    };

export interface QueryResult {
  readonly value: QueryValue;
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
}

/** Steps from a range's start to its end at most, each with a value and one before them: nobody can look at more. */
export const MAX_STEPS = 11_000;

/** How old a sample may be that still counts. */
export const DEFAULT_LOOKBACK_MS = 5 * 60_000;

const DEFAULTS: Required<EngineOptions> = {
  lookbackMs: DEFAULT_LOOKBACK_MS,
  defaultSubqueryStepMs: 60_000,
  maxSamples: 50_000_000,
  timeoutMs: 120_000,
  parser: {},
  delaysNameRemoval: false,
  usesStartTimes: false,
  hasTypeAndUnitLabels: false,
};

/** How many remarks of a kind a result carries. */
const MAX_ANNOTATIONS = 10;

/** Evaluates PromQL over a source of samples. All methods reject with PromqlError. */
export class PromqlEngine {
  readonly #queryable: Queryable;
  readonly #options: Required<EngineOptions>;

  constructor(queryable: Queryable, options: EngineOptions = {}) {
    this.#queryable = queryable;
    this.#options = { ...DEFAULTS, ...options };
  }

  /** Parses an expression under the engine's options. Throws PromqlError `bad_data`. */
  parse(query: string): Expr {
    try {
      return parsePromql(query, this.#options.parser);
    } catch (error) {
      if (error instanceof ParseError) throw new PromqlError('bad_data', error.message, { cause: error });
      throw error;
    }
  }

  /** Evaluates at one time (ms since 1970). */
  async instant(query: string, timeMs: number, options: QueryOptions = {}): Promise<QueryResult> {
    const parsed = this.parse(query);
    const range: QueryRange = { startMs: timeMs, endMs: timeMs, stepMs: 0 };
    return await this.#run(query, parsed, range, { startMs: timeMs, stepMs: 1, count: 1 }, options, true);
  }

  /** Evaluates at all times from `startMs` to `endMs`, `stepMs` apart. The result is a matrix. */
  async range(query: string, { startMs, endMs, stepMs }: QueryRange, options: QueryOptions = {}): Promise<QueryResult> {
    const parsed = this.parse(query);
    const type = typeOf(parsed);
    if (type !== 'vector' && type !== 'scalar') {
      const name = type === 'matrix' ? 'range vector' : type;
      throw new PromqlError(
        'bad_data',
        `invalid expression type "${name}" for range query, must be Scalar or instant Vector`,
      );
    }
    const steps = stepsBetween(startMs, endMs, stepMs);
    if (steps.count > MAX_STEPS + 1) {
      throw new PromqlError(
        'bad_data',
        'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)',
      );
    }
    return await this.#run(query, parsed, { startMs, endMs, stepMs }, steps, options, false);
  }

  async #run(
    query: string,
    parsed: Expr,
    range: QueryRange,
    steps: Steps,
    options: QueryOptions,
    isInstant: boolean,
  ): Promise<QueryResult> {
    const annotations = new Annotations();
    const expr = resolve(parsed, range);
    const lookbackMs = options.lookbackMs ?? this.#options.lookbackMs;
    const { defaultSubqueryStepMs, maxSamples, delaysNameRemoval, usesStartTimes, hasTypeAndUnitLabels } =
      this.#options;
    const timeoutMs = options.timeoutMs ?? this.#options.timeoutMs;
    const timeout = AbortSignal.timeout(timeoutMs);
    const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
    let evaluation: Evaluation;
    try {
      const last = timeOf(steps, Math.max(steps.count - 1, 0));
      const place = { startMs: steps.startMs, endMs: last, stepMs: range.stepMs };
      const selected = await selectSeries(this.#queryable, selectionsOf(expr, place, lookbackMs), signal);
      const common: EvaluationOptions = {
        query,
        lookbackMs,
        defaultSubqueryStepMs,
        maxSamples,
        delaysNameRemoval,
        usesStartTimes,
        hasTypeAndUnitLabels,
        deadlineMs: Date.now() + timeoutMs,
        signal: options.signal,
        annotations,
        selected,
      };
      evaluation = { ...common, steps };
      const evaluator = new Evaluator(evaluation, new Budget(common), (call, vector, inner) =>
        combineWithInfo(call as Call, vector, inner, this.#queryable, signal),
      );
      const value = await this.#value(evaluator, expr, evaluation, isInstant);
      return {
        value,
        warnings: annotations.list('warning', query, MAX_ANNOTATIONS),
        infos: annotations.list('info', query, MAX_ANNOTATIONS),
      };
    } catch (error) {
      if (timeout.aborted && !(error instanceof PromqlError && error.kind !== 'canceled')) {
        throw new PromqlError('timeout', 'query timed out in expression evaluation', { cause: error });
      }
      if (options.signal?.aborted) {
        throw new PromqlError('canceled', 'query was canceled in expression evaluation', { cause: error });
      }
      throw error;
    }
  }

  async #value(evaluator: Evaluator, expr: Expr, evaluation: Evaluation, isInstant: boolean): Promise<QueryValue> {
    const { steps } = evaluation;
    const inside = unwrap(expr);
    if (inside.kind === 'matrixSelector' || inside.kind === 'subquery') {
      return this.#matrix(evaluator, inside, evaluation.lookbackMs, isInstant);
    }
    if (isInstant && inside.kind === 'aggregation') {
      const { vector } = await evaluator.aggregation(inside);
      return vectorOf(this.#finish(vector), steps.startMs);
    }
    const value = await evaluator.evaluate(expr);
    if (value.type === 'string') return { type: 'string', timeMs: steps.startMs, value: value.value };
    if (value.type === 'scalar') {
      if (isInstant) return { type: 'scalar', timeMs: steps.startMs, value: value.values[0] };
      const points = Array.from(value.values, (number, step) => ({ timeMs: timeOf(steps, step), value: number }));
      return { type: 'matrix', series: points.length === 0 ? [] : [{ labels: Labels.EMPTY, points }] };
    }
    const vector = this.#finish(value.vector);
    return isInstant ? vectorOf(vector, steps.startMs) : matrixOf(vector, steps);
  }

  /** Removes the names that functions have marked for it. */
  #finish(vector: StepVector): StepVector {
    if (!this.#options.delaysNameRemoval) return vector;
    for (const series of vector) if (series.dropsName) series.labels = series.labels.withoutMetadata();
    return joinSameLabels(vector);
  }

  async #matrix(
    evaluator: Evaluator,
    matrix: Extract<Expr, { kind: 'matrixSelector' | 'subquery' }>,
    lookbackMs: number,
    isInstant: boolean,
  ): Promise<QueryValue> {
    if (!isInstant)
      throw new PromqlError('bad_data', `a range vector at ${rangeOf(matrix).start} has no value at one time`);
    const { series, endAt } = await evaluator.rangeInputs(matrix);
    const endMs = endAt(0);
    const extended = matrix.kind === 'matrixSelector' ? matrix.selector.extended : undefined;
    const result = series.flatMap(({ series: given, dropsName }) => {
      const raw = withoutStale(given);
      const points =
        extended === undefined
          ? pointsWithin(raw, endMs - matrix.rangeMs, endMs)
          : extendedPoints(raw, extended, endMs - matrix.rangeMs, endMs, lookbackMs);
      const labels = dropsName && this.#options.delaysNameRemoval ? raw.labels.withoutMetadata() : raw.labels;
      return points.length > 0 ? [{ labels, points }] : [];
    });
    return { type: 'matrix', series: result.sort((a, b) => a.labels.compare(b.labels)) };
  }
}

function pointsWithin(series: RawSeries, afterMs: number, endMs: number): Point[] {
  const points: Point[] = [];
  for (let i = 0; i < series.times.length; i++) {
    if (series.times[i] <= afterMs || series.times[i] > endMs) continue;
    points.push({ timeMs: series.times[i], value: series.histograms?.[i] ?? series.values[i] });
  }
  return points;
}

function extendedPoints(
  series: RawSeries,
  extended: NonNullable<VectorSelector['extended']>,
  startMs: number,
  endMs: number,
  lookbackMs: number,
): Point[] {
  const window = new Window(series);
  window.startMs = startMs;
  window.endMs = endMs;
  window.move(startMs - lookbackMs, extended === 'smoothed' ? endMs + lookbackMs : endMs);
  if (window.histogramCount > 0) throw executionError(`${extended} modifier is not supported with histograms`);
  return extendedRange(window, extended === 'smoothed').map(({ time, value }) => ({ timeMs: time, value }));
}

function unwrap(expr: Expr): Expr {
  return expr.kind === 'paren' ? unwrap(expr.expr) : expr;
}

function vectorOf(vector: StepVector, timeMs: number): QueryValue {
  const samples = vector.flatMap((series) => {
    const value = series.at(0);
    return value === undefined ? [] : [{ labels: series.labels, timeMs, value }];
  });
  return { type: 'vector', samples };
}

function matrixOf(vector: StepVector, steps: Steps): QueryValue {
  const series = vector.map((one) => ({ labels: one.labels, points: pointsOf(one, steps) }));
  return { type: 'matrix', series: series.sort((a, b) => a.labels.compare(b.labels)) };
}

function pointsOf(series: StepSeries, steps: Steps): Point[] {
  const points: Point[] = [];
  for (let step = 0; step < steps.count; step++) {
    if (series.kinds[step] === Kind.None) continue;
    points.push({ timeMs: timeOf(steps, step), value: series.at(step) as number });
  }
  return points;
}
