import {
  type Aggregation,
  type BinaryExpr,
  type Call,
  type Expr,
  type MatrixSelector,
  quoteGo,
  rangeOf,
  SET_OPERATORS,
  type Subquery,
} from '@signalbox/query-language';
import { aggregate } from './aggregate.ts';
import { aggregateK, type Ranked } from './aggregate-k.ts';
import { scalarBinary } from './binary-values.ts';
import { scalarVectorBinary, setBinary, vectorBinary } from './binary-vectors.ts';
import { countValues } from './count-values.ts';
import type { Budget, Evaluation, StepValue } from './evaluation.ts';
import { formatGo } from './format-go.ts';
import { elementwiseFunctions, timeFunctions } from './functions/elementwise.ts';
import { histogramFractions, histogramQuantiles } from './functions/histogram-vector.ts';
import { absentLabels, labelJoin, labelReplace } from './functions/labels-functions.ts';
import type { RangeContext } from './functions/range-function.ts';
import { EXTENDED_SAFE, rangeFunctions } from './functions/range-functions.ts';
import { sortByLabels, sortByValue } from './functions/sort.ts';
import type { FloatHistogram } from './histogram/float-histogram.ts';
import { histogramVariance } from './histogram/histogram-functions.ts';
import { instantVectors } from './instant-vectors.ts';
import { isStepInvariant } from './is-step-invariant.ts';
import { isLabelName, Labels } from './labels.ts';
import { executionError } from './promql-error.ts';
import type { RawSeries } from './queryable.ts';
import { joinSameLabels, Kind, StepSeries, type StepVector } from './step-vector.ts';
import { type endOf, stepsBetween, timeOf } from './steps.ts';
import { Window, withoutStale } from './window.ts';

const COUNTER_SUFFIXES = ['_total', '_sum', '_count', '_bucket'];
const SORT_FUNCTIONS = new Set(['sort', 'sort_desc', 'sort_by_label', 'sort_by_label_desc']);
const RANKED_AGGREGATORS = new Set(['topk', 'bottomk', 'limitk', 'limit_ratio']);

/** Looks for series that an expression itself asks for, while it is evaluated: info(). */
export type SelectInfo = (
  call: Call,
  vector: StepVector,
  evaluation: Evaluation,
  budget: Budget,
) => Promise<StepVector>;

/** Evaluates resolved expressions over the steps of an evaluation. */
export class Evaluator {
  readonly #evaluation: Evaluation;
  readonly #budget: Budget;
  readonly #selectInfo: SelectInfo;

  constructor(evaluation: Evaluation, budget: Budget, selectInfo: SelectInfo) {
    this.#evaluation = evaluation;
    this.#budget = budget;
    this.#selectInfo = selectInfo;
  }

  get #steps(): number {
    return this.#evaluation.steps.count;
  }

  /** The value of an expression that is no range vector. */
  async evaluate(expr: Expr): Promise<StepValue> {
    if (this.#steps > 1 && expr.kind !== 'number' && expr.kind !== 'string' && isStepInvariant(expr)) {
      return await this.#evaluateOnce(expr);
    }
    switch (expr.kind) {
      case 'number':
        return { type: 'scalar', values: new Float64Array(this.#steps).fill(expr.value) };
      case 'string':
        return { type: 'string', value: expr.value };
      case 'paren':
        return await this.evaluate(expr.expr);
      case 'unary':
        return this.#negate(await this.evaluate(expr.expr), expr.operator);
      case 'vectorSelector':
        return vectorValue(await instantVectors(expr, 'value', this.#evaluation, this.#budget));
      case 'call':
        return await this.#call(expr);
      case 'aggregation':
        return vectorValue((await this.aggregation(expr)).vector);
      case 'binary':
        return await this.#binary(expr);
      default:
        throw executionError('a range vector has no value at one time');
    }
  }

  /** The value at the first step, at all of them: remarks are on that one, too. */
  async #evaluateOnce(expr: Expr): Promise<StepValue> {
    const first = { ...this.#evaluation, steps: { ...this.#evaluation.steps, count: 1 } };
    const value = await new Evaluator(first, this.#budget, this.#selectInfo).evaluate(expr);
    if (value.type === 'string') return value;
    if (value.type === 'scalar') {
      return { type: 'scalar', values: new Float64Array(this.#steps).fill(value.values[0]) };
    }
    this.#budget.take(value.vector.length * (this.#steps - 1));
    const everywhere: StepSeries[] = [];
    for (const series of value.vector) {
      if (this.#budget.isTired) await this.#budget.rest();
      const repeated = new StepSeries(series.labels, this.#steps, series.dropsName);
      const one = series.at(0);
      if (one !== undefined) for (let step = 0; step < this.#steps; step++) repeated.set(step, one);
      everywhere.push(repeated);
    }
    return vectorValue(everywhere);
  }

  async vector(expr: Expr): Promise<StepVector> {
    const value = await this.evaluate(expr);
    if (value.type !== 'vector') throw new TypeError(`expected a vector, got a ${value.type}`);
    return value.vector;
  }

  async #scalar(expr: Expr): Promise<Float64Array> {
    const value = await this.evaluate(expr);
    if (value.type !== 'scalar') throw new TypeError(`expected a scalar, got a ${value.type}`);
    return value.values;
  }

  #negate(value: StepValue, operator: '+' | '-'): StepValue {
    if (operator === '+' || value.type === 'string') return value;
    if (value.type === 'scalar') return { type: 'scalar', values: value.values.map((number) => -number) };
    const { delaysNameRemoval } = this.#evaluation;
    const vector = this.#mapValues(value.vector, (element) =>
      typeof element === 'number' ? -element : element.copy().multiply(-1),
    );
    return vectorValue(delaysNameRemoval ? vector : joinSameLabels(vector));
  }

  /** Another metric made of each element; undefined leaves it out. */
  #mapValues(
    vector: StepVector,
    change: (value: number | FloatHistogram, step: number) => number | FloatHistogram | undefined,
  ): StepVector {
    const { delaysNameRemoval } = this.#evaluation;
    return vector.flatMap((series) => {
      const result = new StepSeries(
        delaysNameRemoval ? series.labels : series.labels.withoutMetadata(),
        this.#steps,
        true,
      );
      for (let step = 0; step < this.#steps; step++) {
        const value = series.at(step);
        const changed = value === undefined ? undefined : change(value, step);
        if (changed !== undefined) result.set(step, changed);
      }
      return result.isEmpty ? [] : [result];
    });
  }

  #joined(vector: StepVector): StepVector {
    return this.#evaluation.delaysNameRemoval ? vector : joinSameLabels(vector);
  }

  // --- aggregations and operators --------------------------------------------------------------------------------------

  async aggregation(expr: Aggregation): Promise<Ranked> {
    const { annotations } = this.#evaluation;
    if (expr.operator === 'count_values') {
      const label = expr.parameter?.kind === 'string' ? expr.parameter.value : '';
      if (!isLabelName(label)) throw executionError(`invalid label name ${quoteGo(label)}`);
      return { vector: countValues(expr, label, await this.vector(expr.expr), this.#steps), isOrdered: false };
    }
    const parameter = expr.parameter && (await this.#scalar(expr.parameter));
    if (expr.operator === 'quantile' && parameter && expr.parameter) {
      for (const q of parameter) if (!(q >= 0 && q <= 1)) annotations.invalidQuantile(q, rangeOf(expr.parameter));
    }
    const vector = await this.vector(expr.expr);
    if (RANKED_AGGREGATORS.has(expr.operator) && parameter) {
      return aggregateK(expr, vector, parameter, this.#steps, annotations);
    }
    return { vector: aggregate(expr, vector, parameter, this.#steps, annotations), isOrdered: false };
  }

  async #binary(expr: BinaryExpr): Promise<StepValue> {
    const left = await this.evaluate(expr.left);
    const right = await this.evaluate(expr.right);
    const context = {
      annotations: this.#evaluation.annotations,
      steps: this.#steps,
      delaysNameRemoval: this.#evaluation.delaysNameRemoval,
    };
    if (left.type === 'scalar' && right.type === 'scalar') {
      const values = left.values.map((value, step) => scalarBinary(expr.operator, value, right.values[step]));
      return { type: 'scalar', values };
    }
    if (left.type === 'vector' && right.type === 'scalar') {
      return vectorValue(scalarVectorBinary(expr, left.vector, right.values, false, context));
    }
    if (left.type === 'scalar' && right.type === 'vector') {
      return vectorValue(scalarVectorBinary(expr, right.vector, left.values, true, context));
    }
    if (left.type !== 'vector' || right.type !== 'vector') throw new TypeError('operators take vectors and scalars');
    const evaluate = SET_OPERATORS.has(expr.operator) ? setBinary : vectorBinary;
    return vectorValue(evaluate(expr, left.vector, right.vector, context));
  }

  // --- functions ---------------------------------------------------------------------------------------------------------

  async #call(call: Call): Promise<StepValue> {
    const { annotations, steps } = this.#evaluation;
    const { name, args } = call;
    if (SORT_FUNCTIONS.has(name) && steps.count > 1) annotations.sortInRangeQuery(call.range);
    if (rangeFunctions.has(name)) return vectorValue(await this.#rangeCall(call));
    const elementwise = elementwiseFunctions.get(name);
    if (elementwise) return vectorValue(await this.#elementwise(call, elementwise));
    switch (name) {
      case 'time':
        return { type: 'scalar', values: this.#times() };
      case 'pi':
        return { type: 'scalar', values: new Float64Array(steps.count).fill(Math.PI) };
      case 'min_of':
      case 'max_of': {
        const choose = name === 'min_of' ? Math.min : Math.max;
        const [a, b] = [await this.#scalar(args[0]), await this.#scalar(args[1])];
        return { type: 'scalar', values: a.map((value, step) => choose(value, b[step])) };
      }
      case 'scalar':
        return { type: 'scalar', values: this.#toScalar(await this.vector(args[0])) };
      case 'vector':
        return vectorValue([this.#constant(Labels.EMPTY, await this.#scalar(args[0]))]);
      case 'timestamp':
      case 'start_timestamp':
        return vectorValue(await this.#timestamp(call));
      case 'absent':
        return vectorValue(this.#absent(args[0], await this.vector(args[0])));
      case 'label_replace':
        return vectorValue(labelReplace(await this.vector(args[0]), stringsOf(args.slice(1))));
      case 'label_join':
        return vectorValue(labelJoin(await this.vector(args[0]), stringsOf(args.slice(1))));
      case 'sort':
      case 'sort_desc':
        return vectorValue(
          this.#sorted(await this.vector(args[0]), (vector) => sortByValue(vector, name === 'sort_desc')),
        );
      case 'sort_by_label':
      case 'sort_by_label_desc': {
        const labels = stringsOf(args.slice(1));
        const sort = (vector: StepVector) => sortByLabels(vector, labels, name === 'sort_by_label_desc');
        return vectorValue(this.#sorted(await this.vector(args[0]), sort));
      }
      case 'histogram_quantile':
      case 'histogram_fraction':
      case 'histogram_quantiles':
        return vectorValue(await this.#ofHistograms(call));
      case 'info':
        return vectorValue(await this.#selectInfo(call, await this.vector(args[0]), this.#evaluation, this.#budget));
      default:
        return vectorValue(await this.#histogramField(call));
    }
  }

  async #elementwise(call: Call, apply: (value: number, args: readonly number[]) => number): Promise<StepVector> {
    const [first, ...rest] = call.args;
    if (!first && timeFunctions.has(call.name)) {
      return [
        this.#constant(
          Labels.EMPTY,
          this.#times().map((seconds) => apply(seconds, [])),
        ),
      ];
    }
    const vector = await this.vector(first);
    const scalars: Float64Array[] = [];
    for (const argument of rest) scalars.push(await this.#scalar(argument));
    const given = new Array<number>(scalars.length);
    const changed = this.#mapValues(vector, (value, step) => {
      if (typeof value !== 'number') return undefined;
      for (let i = 0; i < scalars.length; i++) given[i] = scalars[i][step];
      if (call.name === 'clamp' && given[1] < given[0]) return undefined;
      return apply(value, given);
    });
    return this.#joined(changed);
  }

  async #histogramField({ name, args }: Call): Promise<StepVector> {
    const fieldOf: Record<string, (histogram: FloatHistogram) => number> = {
      histogram_avg: ({ sum, count }) => sum / count,
      histogram_count: ({ count }) => count,
      histogram_stddev: (histogram) => Math.sqrt(histogramVariance(histogram)),
      histogram_stdvar: histogramVariance,
      histogram_sum: ({ sum }) => sum,
    };
    const field = fieldOf[name];
    if (!field) throw new TypeError(`the function ${name} has no implementation`);
    const vector = await this.vector(args[0]);
    return this.#joined(this.#mapValues(vector, (value) => (typeof value === 'number' ? undefined : field(value))));
  }

  async #ofHistograms({ name, args }: Call): Promise<StepVector> {
    const { annotations, steps, delaysNameRemoval } = this.#evaluation;
    const contextOf = (argument: Expr) => ({ annotations, place: rangeOf(argument), steps, delaysNameRemoval });
    const checked = async (argument: Expr): Promise<Float64Array> => {
      const q = await this.#scalar(argument);
      for (const value of q) if (!(value >= 0 && value <= 1)) annotations.invalidQuantile(value, rangeOf(argument));
      return q;
    };
    if (name === 'histogram_fraction') {
      const [lower, upper] = [await this.#scalar(args[0]), await this.#scalar(args[1])];
      return histogramFractions(await this.vector(args[2]), lower, upper, contextOf(args[2]));
    }
    if (name === 'histogram_quantile') {
      const q = await checked(args[0]);
      return histogramQuantiles(await this.vector(args[1]), q, contextOf(args[1]));
    }
    const vector = await this.vector(args[0]);
    const [label] = stringsOf(args.slice(1, 2));
    const results: StepVector = [];
    for (const argument of args.slice(2)) {
      const q = await checked(argument);
      for (const series of histogramQuantiles(vector, q, contextOf(args[0]))) {
        // The quantile may differ from step to step, and so the label.
        const byQuantile = new Map<string, StepSeries>();
        for (let step = 0; step < steps.count; step++) {
          if (series.kinds[step] === Kind.None) continue;
          const text = openMetricsFloat(q[step]);
          let labelled = byQuantile.get(text);
          if (!labelled) {
            labelled = new StepSeries(series.labels.with(label, text), steps.count, true);
            byQuantile.set(text, labelled);
          }
          labelled.setFloat(step, series.values[step]);
        }
        results.push(...byQuantile.values());
      }
    }
    return this.#joined(results);
  }

  async #timestamp({ name, args }: Call): Promise<StepVector> {
    const [argument] = args;
    if (name === 'start_timestamp' && !this.#evaluation.usesStartTimes) return [];
    if (argument.kind === 'vectorSelector') {
      const field = name === 'timestamp' ? 'time' : 'start';
      const vector = await instantVectors(
        { ...argument, extended: undefined },
        field,
        this.#withSelector(argument),
        this.#budget,
      );
      return this.#joined(this.#mapValues(vector, (value) => value));
    }
    if (name === 'start_timestamp') {
      await this.vector(argument);
      return [];
    }
    const times = this.#times();
    return this.#joined(this.#mapValues(await this.vector(argument), (_, step) => times[step]));
  }

  /** The evaluation, in which a copy of the selector finds the samples of the original. */
  #withSelector(selector: Parameters<typeof instantVectors>[0]): Evaluation {
    const series = this.#evaluation.selected.get(selector) ?? [];
    const selected = { get: () => series } as unknown as Evaluation['selected'];
    return { ...this.#evaluation, selected };
  }

  #absent(argument: Expr, vector: StepVector): StepVector {
    const labels = argument.kind === 'vectorSelector' ? absentLabels(argument.matchers) : Labels.EMPTY;
    return this.#absentSteps(labels, vector);
  }

  /** 1 at each step at which no series has a value. */
  #absentSteps(labels: Labels, vector: StepVector): StepVector {
    const result = new StepSeries(labels, this.#steps);
    for (let step = 0; step < this.#steps; step++) {
      if (vector.every((series) => series.kinds[step] === Kind.None)) result.setFloat(step, 1);
    }
    return result.isEmpty ? [] : [result];
  }

  #toScalar(vector: StepVector): Float64Array {
    return Float64Array.from({ length: this.#steps }, (_, step) => {
      const floats = vector.filter((series) => series.kinds[step] === Kind.Float);
      return floats.length === 1 ? floats[0].values[step] : Number.NaN;
    });
  }

  #sorted(vector: StepVector, sort: (vector: StepVector) => StepVector): StepVector {
    return this.#steps === 1 ? sort(vector) : vector;
  }

  #times(): Float64Array {
    return Float64Array.from({ length: this.#steps }, (_, step) => timeOf(this.#evaluation.steps, step) / 1000);
  }

  #constant(labels: Labels, values: Float64Array): StepSeries {
    const series = new StepSeries(labels, this.#steps);
    for (let step = 0; step < this.#steps; step++) series.setFloat(step, values[step]);
    return series;
  }

  // --- ranges ------------------------------------------------------------------------------------------------------------

  async #rangeCall(call: Call): Promise<StepVector> {
    const { name, args } = call;
    const index = args.findIndex((argument) => argument.kind === 'matrixSelector' || argument.kind === 'subquery');
    const matrix = args[index] as MatrixSelector | Subquery;
    const scalars: Float64Array[] = [];
    for (const [i, argument] of args.entries()) if (i !== index) scalars.push(await this.#scalar(argument));
    const extended = matrix.kind === 'matrixSelector' ? matrix.selector.extended : undefined;
    if (extended !== undefined && !EXTENDED_SAFE[extended].includes(name)) {
      throw executionError(
        `${extended} modifier can only be used with: ${EXTENDED_SAFE[extended].join(', ')} - not with ${name}`,
      );
    }
    const inputs = await this.rangeInputs(matrix);
    const { annotations, usesStartTimes, delaysNameRemoval, hasTypeAndUnitLabels } = this.#evaluation;
    const keepsName = name === 'last_over_time' || name === 'first_over_time';
    const apply = rangeFunctions.get(name);
    if (!apply) throw new TypeError(`the function ${name} has no implementation`);
    const place = rangeOf(matrix);
    const scalarArgument = args[index === 0 && args.length > 1 ? 1 : 0];
    const given = new Array<number>(scalars.length);
    const reachMs = this.#evaluation.lookbackMs;
    const before = matrix.rangeMs + (extended === undefined ? 0 : reachMs);
    const after = extended === 'smoothed' ? reachMs : 0;
    const times = Float64Array.from({ length: this.#steps }, (_, step) => timeOf(this.#evaluation.steps, step));
    const ends = times.map((_, step) => inputs.endAt(step));
    const result: StepVector = [];
    for (const { series: raw, dropsName: inputDropsName } of inputs.series) {
      const series = withoutStale(raw);
      const dropsName = !keepsName || inputDropsName;
      const labels = dropsName && !delaysNameRemoval ? series.labels.withoutMetadata() : series.labels;
      const out = new StepSeries(labels, this.#steps, dropsName);
      const context: RangeContext = {
        annotations,
        place,
        argumentPlace: rangeOf(scalarArgument),
        metricName: series.labels.metricName,
        rangeMs: matrix.rangeMs,
        lookbackMs: reachMs,
        extended,
        usesStartTimes,
      };
      const window = new Window(series);
      this.#budget.take(series.times.length);
      const { rangeMs } = matrix;
      for (let step = 0; step < times.length; step++) {
        const endMs = ends[step];
        window.timeMs = times[step];
        window.endMs = endMs;
        window.startMs = endMs - rangeMs;
        window.move(endMs - before, endMs + after);
        if (window.from === window.to) continue;
        for (let i = 0; i < scalars.length; i++) given[i] = scalars[i][step];
        const value = apply(window, given, context);
        if (typeof value === 'number') out.setFloat(step, value);
        else if (value !== undefined) out.setHistogram(step, keepsName ? value.copy() : value);
      }
      this.#budget.give(series.times.length);
      if (!out.isEmpty) {
        result.push(out);
        if (name === 'rate' || name === 'increase') this.#noteNonCounter(series, out, place, hasTypeAndUnitLabels);
      }
      if (this.#budget.isTired) await this.#budget.rest();
    }
    if (name === 'absent_over_time') {
      const labels = matrix.kind === 'matrixSelector' ? absentLabels(matrix.selector.matchers) : Labels.EMPTY;
      return this.#absentSteps(labels, result);
    }
    return this.#joined(result);
  }

  #noteNonCounter(series: RawSeries, out: StepSeries, place: RangeContext['place'], hasTypes: boolean): void {
    const { metricName } = series.labels;
    if (metricName === '' || !out.kinds.includes(Kind.Float)) return;
    const { annotations } = this.#evaluation;
    if (hasTypes) {
      const type = series.labels.get('__type__');
      if (type !== 'counter' && type !== 'histogram') annotations.possibleNonCounterType(metricName, type, place);
    } else if (!COUNTER_SUFFIXES.some((suffix) => metricName.endsWith(suffix))) {
      annotations.possibleNonCounter(metricName, place);
    }
  }

  /** The samples of a range vector, and where its range ends at each step. */
  async rangeInputs(matrix: MatrixSelector | Subquery): Promise<{
    readonly series: readonly { readonly series: RawSeries; readonly dropsName: boolean }[];
    endAt(step: number): number;
  }> {
    const modifiers = matrix.kind === 'matrixSelector' ? matrix.selector : matrix;
    const { steps } = this.#evaluation;
    const endAt = (step: number) =>
      (typeof modifiers.at === 'number' ? modifiers.at : timeOf(steps, step)) - modifiers.offsetMs;
    if (matrix.kind === 'matrixSelector') {
      const selected = this.#evaluation.selected.get(matrix.selector) ?? [];
      return { series: selected.map((series) => ({ series, dropsName: false })), endAt };
    }
    const series = await this.#subquery(matrix, endAt(0), endAt(Math.max(steps.count - 1, 0)));
    return { series, endAt };
  }

  /** Evaluates the inside of a subquery at its own steps, which are multiples of the step's length. */
  async #subquery(subquery: Subquery, firstEndMs: number, lastEndMs: number) {
    const stepMs = subquery.stepMs === 0 ? this.#evaluation.defaultSubqueryStepMs : Math.trunc(subquery.stepMs);
    const after = firstEndMs - subquery.rangeMs;
    const startMs = (Math.floor(after / stepMs) + 1) * stepMs;
    const steps = stepsBetween(startMs, lastEndMs, stepMs);
    if (steps.count === 0) return [];
    const inner = new Evaluator({ ...this.#evaluation, steps }, this.#budget, this.#selectInfo);
    const vector = await inner.vector(subquery.expr);
    return vector.map((series) => ({ series: toRawSeries(series, steps), dropsName: series.dropsName }));
  }
}

function vectorValue(vector: StepVector): StepValue {
  return { type: 'vector', vector };
}

function stringsOf(args: readonly Expr[]): string[] {
  return args.map((argument) => (argument.kind === 'string' ? argument.value : ''));
}

/** A vector's series as samples at its steps. What histograms knew of resets is no longer true between these. */
function toRawSeries(series: StepSeries, steps: Parameters<typeof endOf>[0]): RawSeries {
  const times: number[] = [];
  const values: number[] = [];
  const histograms: (FloatHistogram | undefined)[] = [];
  for (let step = 0; step < steps.count; step++) {
    if (series.kinds[step] === Kind.None) continue;
    times.push(timeOf(steps, step));
    values.push(series.values[step]);
    histograms.push(series.kinds[step] === Kind.Histogram ? series.histograms?.[step]?.withoutResetHint() : undefined);
  }
  return {
    labels: series.labels,
    times: Float64Array.from(times),
    values: Float64Array.from(values),
    ...(series.histograms ? { histograms } : {}),
  };
}

/** OpenMetrics' form of a number: with a point or an exponent. */
function openMetricsFloat(value: number): string {
  const text = formatGo(value);
  return /[.eIN]/.test(text) ? text : `${text}.0`;
}
