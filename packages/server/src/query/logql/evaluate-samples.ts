import {
  type Aggregation,
  applyLogqlOperator,
  type BinaryExpr,
  type BinaryOperator,
  type LabelReplace,
  LOGQL_SET_OPERATORS,
  type LogqlBinaryExpr,
  type LogqlExpr,
  type RangeAggregation,
  type VectorAggregation,
} from '@signalbox/query-language';
import { aggregate } from '../promql/aggregate.ts';
import { aggregateK } from '../promql/aggregate-k.ts';
import { Annotations } from '../promql/annotations.ts';
import { scalarVectorBinary, setBinary, vectorBinary } from '../promql/binary-vectors.ts';
import { labelReplace } from '../promql/functions/labels-functions.ts';
import { sortByValue } from '../promql/functions/sort.ts';
import { Labels } from '../promql/labels.ts';
import { PromqlError } from '../promql/promql-error.ts';
import { StepSeries, type StepVector } from '../promql/step-vector.ts';
import { LogqlError } from './logql-error.ts';

type Value =
  | { readonly type: 'scalar'; readonly value: number }
  | { readonly type: 'vector'; readonly vector: StepVector };

/**
 * Evaluates what is around the range aggregations of an expression, whose results are given. Vectors are aggregated and joined as in
 * PromQL, except that nothing divided by zero is no number, and that series which are there twice are one mistake more.
 */
export function evaluateSamples(
  expr: LogqlExpr,
  steps: number,
  ranges: ReadonlyMap<RangeAggregation, StepVector>,
): Value {
  const evaluation = new SampleEvaluation(steps, ranges);
  try {
    return evaluation.value(expr);
  } catch (error) {
    if (error instanceof PromqlError)
      throw new LogqlError('bad_request', inLokisWords(error.message), { cause: error });
    throw error;
  }
}

/** Loki does not name the series that are there twice. */
function inLokisWords(message: string): string {
  return message.replace(
    /^found duplicate series for the match group .* on the (left|right) hand-side of the operation: .*;many-to-many/s,
    'found duplicate series on the $1 hand-side;many-to-many',
  );
}

class SampleEvaluation {
  readonly #steps: number;
  readonly #ranges: ReadonlyMap<RangeAggregation, StepVector>;
  readonly #annotations = new Annotations();

  constructor(steps: number, ranges: ReadonlyMap<RangeAggregation, StepVector>) {
    this.#steps = steps;
    this.#ranges = ranges;
  }

  value(expr: LogqlExpr): Value {
    switch (expr.kind) {
      case 'number':
        return { type: 'scalar', value: expr.value };
      case 'vector': {
        const series = new StepSeries(Labels.EMPTY, this.#steps);
        for (let step = 0; step < this.#steps; step++) series.setFloat(step, expr.value);
        return { type: 'vector', vector: [series] };
      }
      case 'rangeAggregation':
        // Selections may be the same in several places: nobody changes what others look at.
        return { type: 'vector', vector: (this.#ranges.get(expr) ?? []).map(copyOf) };
      case 'vectorAggregation':
        return { type: 'vector', vector: this.#aggregate(expr) };
      case 'labelReplace':
        return { type: 'vector', vector: this.#replace(expr) };
      case 'binary':
        return { type: 'vector', vector: this.#binary(expr) };
      case 'log':
        throw new LogqlError('bad_request', 'only sample expression supported');
    }
  }

  #vector(expr: LogqlExpr): StepVector {
    const value = this.value(expr);
    if (value.type === 'vector') return value.vector;
    throw new LogqlError('bad_request', 'unexpected type, expecting a vector of samples');
  }

  #aggregate(expr: VectorAggregation): StepVector {
    const vector = this.#vector(expr.expr);
    const { operator, parameter, grouping, range } = expr;
    if (operator === 'sort' || operator === 'sort_desc') {
      return this.#steps === 1 ? sortByValue(vector, operator === 'sort_desc') : vector;
    }
    if (operator === 'approx_topk' && this.#steps > 1) {
      throw new LogqlError('bad_request', 'count min sketches are only supported on instant queries');
    }
    const aggregation: Aggregation = {
      kind: 'aggregation',
      operator: operator === 'approx_topk' ? 'topk' : operator,
      expr: { kind: 'number', value: 0, isDuration: false, range },
      parameter: undefined,
      grouping: grouping?.labels ?? [],
      isWithout: grouping?.isWithout ?? false,
      range,
    };
    if (parameter === undefined) {
      // What is left without some labels has no empty ones, as in Loki, while `by` keeps them.
      const series = aggregation.isWithout ? vector.map(withoutEmptyLabels) : vector;
      return aggregate(aggregation, series, undefined, this.#steps, this.#annotations);
    }
    const k = new Float64Array(this.#steps).fill(Number(parameter));
    return aggregateK(aggregation, vector, k, this.#steps, this.#annotations).vector;
  }

  #replace({ expr, target, replacement, source, expression }: LabelReplace): StepVector {
    return labelReplace(this.#vector(expr), [target, replacement, source, expression]);
  }

  #binary(expr: LogqlBinaryExpr): StepVector {
    const { operator, returnsBool, matching, range } = expr;
    const left = this.value(expr.left);
    const right = this.value(expr.right);
    const binary: BinaryExpr = {
      kind: 'binary',
      operator: operator as BinaryOperator,
      left: { kind: 'number', value: 0, isDuration: false, range },
      right: { kind: 'number', value: 0, isDuration: false, range },
      matching: {
        ...matching,
        cardinality: LOGQL_SET_OPERATORS.has(operator) ? 'many-to-many' : matching.cardinality,
        fillLeft: undefined,
        fillRight: undefined,
      },
      returnsBool,
    };
    const context = {
      annotations: this.#annotations,
      steps: this.#steps,
      delaysNameRemoval: false,
      checksLoneSides: true,
    };
    if (left.type === 'scalar' && right.type === 'scalar') {
      throw new Error(
        `numbers are joined when they are parsed: ${applyLogqlOperator(operator, left.value, right.value)}`,
      );
    }
    const isDivision = operator === '/' || operator === '%';
    const divisor = right.type === 'vector' && isDivision ? right.vector.map(withoutZeros) : undefined;
    if (left.type === 'scalar') {
      const vector = divisor ?? (right as { vector: StepVector }).vector;
      return scalarVectorBinary(binary, vector, this.#constant(left.value), true, context);
    }
    if (right.type === 'scalar') {
      const value = isDivision && right.value === 0 ? Number.NaN : right.value;
      return scalarVectorBinary(binary, left.vector, this.#constant(value), false, context);
    }
    if (LOGQL_SET_OPERATORS.has(operator)) return setBinary(binary, left.vector, right.vector, context);
    return vectorBinary(binary, left.vector, divisor ?? right.vector, context);
  }

  #constant(value: number): Float64Array {
    return new Float64Array(this.#steps).fill(value);
  }
}

function copyOf(series: StepSeries): StepSeries {
  const copy = new StepSeries(series.labels, series.kinds.length);
  copy.values.set(series.values);
  copy.kinds.set(series.kinds);
  return copy;
}

function withoutEmptyLabels(series: StepSeries): StepSeries {
  if (!series.labels.values.includes('')) return series;
  const copy = copyOf(series);
  copy.labels = Labels.from(series.labels.entries());
  return copy;
}

function withoutZeros(series: StepSeries): StepSeries {
  const copy = copyOf(series);
  for (let step = 0; step < copy.values.length; step++) {
    if (copy.values[step] === 0) copy.values[step] = Number.NaN;
  }
  return copy;
}
