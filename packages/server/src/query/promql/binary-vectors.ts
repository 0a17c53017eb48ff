import { type BinaryExpr, rangeOf, type TextRange, type VectorMatching } from '@signalbox/query-language';
import type { Annotations } from './annotations.ts';
import { type BinaryResult, elementBinary, isComparison, type Value } from './binary-values.ts';
import { Labels } from './labels.ts';
import { executionError } from './promql-error.ts';
import { joinSameLabels, Kind, StepSeries, type StepVector } from './step-vector.ts';

const ARITHMETIC = new Set(['+', '-', '*', '/', '%', '^', 'atan2']);

interface BinaryContext {
  readonly annotations: Annotations;
  readonly steps: number;
  readonly delaysNameRemoval: boolean;
  /** Series of the "one" side that are there twice are a mistake even at a step where the other side has nothing. */
  readonly checksLoneSides?: boolean;
}

/** A vector with, for each series, the place of its match group. */
interface Side {
  readonly vector: StepVector;
  readonly groupOf: Int32Array;
}

/** Puts the series of both sides into groups by the labels that must agree. */
function matchGroups(left: StepVector, right: StepVector, { labels, isOn }: VectorMatching) {
  const names = new Set(labels);
  const places = new Map<string, number>();
  const groups: Labels[] = [];
  const sideOf = (vector: StepVector): Side => ({
    vector,
    groupOf: Int32Array.from(vector, (series) => {
      const group = series.labels.matching(names, isOn);
      let place = places.get(group.key);
      if (place === undefined) {
        place = groups.length;
        places.set(group.key, place);
        groups.push(group);
      }
      return place;
    }),
  });
  return { left: sideOf(left), right: sideOf(right), groups };
}

/** `and`, `or`, `unless` between two vectors. */
export function setBinary(
  expr: BinaryExpr,
  leftVector: StepVector,
  rightVector: StepVector,
  context: BinaryContext,
): StepVector {
  const { left, right, groups } = matchGroups(leftVector, rightVector, expr.matching as VectorMatching);
  const { steps } = context;
  const other = expr.operator === 'or' ? left : right;
  const isThere = new Uint8Array(groups.length);
  const copyOf = (series: StepSeries) => new StepSeries(series.labels, steps, series.dropsName);
  const filtered = expr.operator === 'or' ? right : left;
  const kept = filtered.vector.map(copyOf);
  for (let step = 0; step < steps; step++) {
    isThere.fill(0);
    for (let i = 0; i < other.vector.length; i++)
      if (other.vector[i].kinds[step] !== Kind.None) isThere[other.groupOf[i]] = 1;
    for (let i = 0; i < kept.length; i++) {
      const value = filtered.vector[i].at(step);
      if (value === undefined) continue;
      if ((isThere[filtered.groupOf[i]] === 1) === (expr.operator === 'and')) kept[i].set(step, value);
    }
  }
  const result = expr.operator === 'or' ? [...left.vector, ...kept] : kept;
  const some = result.filter((series) => !series.isEmpty);
  // The same series may stand on both sides, at different steps.
  return expr.operator === 'or' ? joinEqual(some, context.delaysNameRemoval) : some;
}

function joinEqual(vector: StepVector, delaysNameRemoval: boolean): StepVector {
  if (!delaysNameRemoval) return joinSameLabels(vector);
  // Names that will go may still tell series apart, or come to make them equal: that is looked at in the end.
  const [named, unnamed] = [vector.filter((series) => !series.dropsName), vector.filter((series) => series.dropsName)];
  return [...joinSameLabels(named), ...joinSameLabels(unnamed)];
}

/** An operator between a vector and a scalar. `isSwapped`: the scalar stands on the left. */
export function scalarVectorBinary(
  expr: BinaryExpr,
  vector: StepVector,
  scalar: Float64Array,
  isSwapped: boolean,
  context: BinaryContext,
): StepVector {
  const { operator, returnsBool } = expr;
  const { annotations, steps, delaysNameRemoval } = context;
  const place = rangeOf(expr);
  const isOther = returnsBool || ARITHMETIC.has(operator);
  const result = vector.map((series) => {
    const labels = isOther && !delaysNameRemoval ? series.labels.withoutMetadata() : series.labels;
    const out = new StepSeries(labels, steps, series.dropsName || isOther);
    for (let step = 0; step < steps; step++) {
      const element = series.at(step);
      if (element === undefined) continue;
      const made = isSwapped
        ? elementBinary(operator, scalar[step], element, annotations, place)
        : elementBinary(operator, element, scalar[step], annotations, place);
      if (!made) continue;
      if (returnsBool) out.setFloat(step, made.keeps ? 1 : 0);
      else if (made.keeps) out.set(step, isComparison(operator) ? element : made.value);
    }
    return out;
  });
  return joinIfRenamed(
    result.filter((series) => !series.isEmpty),
    isOther && !delaysNameRemoval,
  );
}

function joinIfRenamed(vector: StepVector, isRenamed: boolean): StepVector {
  return isRenamed ? joinSameLabels(vector) : vector;
}

/** An operator between two vectors, their elements paired by their labels. */
export function vectorBinary(
  expr: BinaryExpr,
  leftVector: StepVector,
  rightVector: StepVector,
  context: BinaryContext,
): StepVector {
  return new VectorPairs(expr, leftVector, rightVector, context).evaluate();
}

class VectorPairs {
  readonly #expr: BinaryExpr;
  readonly #matching: VectorMatching;
  readonly #context: BinaryContext;
  readonly #place: TextRange;
  readonly #groups: readonly Labels[];
  /** The side that may have many elements in a group, and the one that has one at most. */
  readonly #many: Side;
  readonly #one: Side;
  readonly #isSwapped: boolean;
  readonly #results = new Map<string, StepSeries>();
  readonly #labelsOfPairs = new Map<StepSeries | Labels, Map<StepSeries | Labels, Labels>>();

  constructor(expr: BinaryExpr, left: StepVector, right: StepVector, context: BinaryContext) {
    this.#expr = expr;
    this.#matching = expr.matching as VectorMatching;
    this.#context = context;
    this.#place = rangeOf(expr);
    const sides = matchGroups(left, right, this.#matching);
    this.#groups = sides.groups;
    this.#isSwapped = this.#matching.cardinality === 'one-to-many';
    this.#many = this.#isSwapped ? sides.right : sides.left;
    this.#one = this.#isSwapped ? sides.left : sides.right;
  }

  evaluate(): StepVector {
    const { fillLeft, fillRight } = this.#matching;
    const [fillMany, fillOne] = this.#isSwapped ? [fillRight, fillLeft] : [fillLeft, fillRight];
    const oneAt = new Int32Array(this.#groups.length);
    const matched: Set<string>[] = this.#groups.map(() => new Set());
    for (let step = 0; step < this.#context.steps; step++) {
      this.#findOnes(step, oneAt);
      for (const set of matched) set.clear();
      for (let i = 0; i < this.#many.vector.length; i++) {
        const series = this.#many.vector[i];
        const value = series.at(step);
        if (value === undefined) continue;
        const group = this.#many.groupOf[i];
        const one = oneAt[group];
        if (one >= 0)
          this.#pair(
            step,
            group,
            series,
            value,
            this.#one.vector[one],
            this.#one.vector[one].at(step) as Value,
            matched,
          );
        else if (fillOne !== undefined) this.#pair(step, group, series, value, this.#groups[group], fillOne, matched);
      }
      if (fillMany === undefined) continue;
      for (let i = 0; i < this.#one.vector.length; i++) {
        const series = this.#one.vector[i];
        const value = series.at(step);
        const group = this.#one.groupOf[i];
        if (value === undefined || matched[group].size > 0) continue;
        this.#pair(step, group, this.#groups[group], fillMany, series, value, matched);
      }
    }
    return [...this.#results.values()].filter((series) => !series.isEmpty);
  }

  /** The element of the "one" side of each group at a step; -1: there is none. Throws where there are two. */
  #findOnes(step: number, oneAt: Int32Array): void {
    oneAt.fill(-1);
    const { vector, groupOf } = this.#one;
    const canMatch =
      this.#context.checksLoneSides === true ||
      this.#many.vector.some((series) => series.kinds[step] !== Kind.None) ||
      (this.#isSwapped ? this.#matching.fillRight : this.#matching.fillLeft) !== undefined;
    if (!canMatch) return;
    for (let i = 0; i < vector.length; i++) {
      if (vector[i].kinds[step] === Kind.None) continue;
      const group = groupOf[i];
      if (oneAt[group] >= 0) {
        const series = [String(vector[i].labels), String(vector[oneAt[group]].labels)].sort();
        const side = this.#isSwapped ? 'left' : 'right';
        throw executionError(
          `found duplicate series for the match group ${this.#groups[group]} on the ${side} hand-side of the operation: [${series.join(', ')}];many-to-many matching not allowed: matching labels must be unique on one side`,
        );
      }
      oneAt[group] = i;
    }
  }

  #pair(
    step: number,
    group: number,
    many: StepSeries | Labels,
    manyValue: Value,
    one: StepSeries | Labels,
    oneValue: Value,
    matched: Set<string>[],
  ): void {
    const { operator, returnsBool } = this.#expr;
    const [left, right] = this.#isSwapped ? [oneValue, manyValue] : [manyValue, oneValue];
    const made = elementBinary(operator, left, right, this.#context.annotations, this.#place);
    if (!made) return;
    const labels = this.#labelsOf(many, one);
    if (this.#matching.cardinality === 'one-to-one') {
      if (matched[group].size > 0) {
        throw executionError(
          'multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)',
        );
      }
    } else if (matched[group].has(labels.key)) {
      throw executionError('multiple matches for labels: grouping labels must ensure unique matches');
    }
    matched[group].add(labels.key);
    if (!made.keeps && !returnsBool) return;
    const result = this.#resultOf(labels);
    const isTaken = result.kinds[step] !== Kind.None;
    if (isTaken) throw executionError('vector cannot contain metrics with the same labelset');
    result.set(step, this.#valueOf(made));
  }

  #valueOf({ value, keeps }: BinaryResult): Value {
    return this.#expr.returnsBool ? (keeps ? 1 : 0) : value;
  }

  #resultOf(labels: Labels): StepSeries {
    let result = this.#results.get(labels.key);
    if (!result) {
      result = new StepSeries(labels, this.#context.steps, this.#expr.returnsBool);
      this.#results.set(labels.key, result);
    }
    return result;
  }

  #labelsOf(many: StepSeries | Labels, one: StepSeries | Labels): Labels {
    let known = this.#labelsOfPairs.get(many);
    if (!known) {
      known = new Map();
      this.#labelsOfPairs.set(many, known);
    }
    let labels = known.get(one);
    if (!labels) {
      labels = this.#resultLabels(
        many instanceof Labels ? many : many.labels,
        one instanceof Labels ? one : one.labels,
      );
      known.set(one, labels);
    }
    return labels;
  }

  #resultLabels(many: Labels, one: Labels): Labels {
    const { cardinality, labels: names, isOn, include } = this.#matching;
    const isOther = ARITHMETIC.has(this.#expr.operator) || (this.#expr.returnsBool && !this.#context.delaysNameRemoval);
    let labels = isOther ? many.withoutMetadata() : many;
    const set = new Set(names);
    if (cardinality === 'one-to-one') labels = isOn ? labels.only(set) : labels.without(set);
    for (const name of include) labels = labels.with(name, one.get(name));
    return labels;
  }
}
