import type { traceql } from '@signalbox/query-language';
import type { TraceSpan } from './trace-span.ts';

type StructuralOperator = (typeof traceql.STRUCTURAL_OPERATORS)[number];

/** For each span of one side: whether some span of the other side is related to it. */
type Related = (spans: readonly TraceSpan[]) => (span: TraceSpan) => boolean;

const hasParentAmong: Related = (spans) => {
  const lefts = new Set(spans.map(({ left }) => left));
  return ({ parentLeft }) => parentLeft > 0 && lefts.has(parentLeft);
};

const hasChildAmong: Related = (spans) => {
  const parents = new Set(spans.map(({ parentLeft }) => parentLeft));
  return ({ left }) => left > 0 && parents.has(left);
};

const hasDescendantAmong: Related = (spans) => {
  const lefts = spans.flatMap(({ left }) => (left > 0 ? [left] : [])).sort((a, b) => a - b);
  return ({ left, right }) => left > 0 && (lefts[firstAbove(lefts, left)] ?? right) < right;
};

/** Intervals are nested or apart: the ancestors of a span are those that are still open where it begins. */
const hasAncestorAmong: Related = (spans) => {
  const sorted = spans.filter(({ left }) => left > 0).sort((a, b) => a.left - b.left);
  const lefts = sorted.map(({ left }) => left);
  let furthest = 0;
  const furthestRights = sorted.map(({ right }) => {
    furthest = Math.max(furthest, right);
    return furthest;
  });
  return ({ left, right }) => {
    if (left === 0) return false;
    const before = firstAbove(lefts, left - 1) - 1;
    return before >= 0 && (furthestRights[before] as number) > right;
  };
};

/** Roots are siblings of each other. */
const hasSiblingAmong: Related = (spans) => {
  const counts = new Map<number, number>();
  const own = new Set(spans);
  for (const { parentLeft } of spans) counts.set(parentLeft, (counts.get(parentLeft) ?? 0) + 1);
  return (span) => {
    if (span.parentLeft === 0) return false;
    return (counts.get(span.parentLeft) ?? 0) > (own.has(span) ? 1 : 0);
  };
};

/** Index of the first of the ascending numbers that is greater. */
function firstAbove(numbers: readonly number[], limit: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] as number) > limit) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** How a span of the right side is related to the left side, and the other way round. */
const RELATIONS: Readonly<Record<string, readonly [ofRight: Related, ofLeft: Related]>> = {
  '>': [hasParentAmong, hasChildAmong],
  '<': [hasChildAmong, hasParentAmong],
  '>>': [hasAncestorAmong, hasDescendantAmong],
  '<<': [hasDescendantAmong, hasAncestorAmong],
  '~': [hasSiblingAmong, hasSiblingAmong],
};

/**
 * The spans that a structural operator gives: those of the right side that are related to some span of the left side, with
 * `!` those that are to none, with `&` those of both sides that are related. Spans that are not connected to a root are never
 * among them: whose relatives they are is not known.
 */
export function relate(
  operator: StructuralOperator,
  left: readonly TraceSpan[],
  right: readonly TraceSpan[],
): TraceSpan[] {
  const negated = operator.startsWith('!');
  const isUnion = operator.startsWith('&');
  const relation = RELATIONS[negated || isUnion ? operator.slice(1) : operator];
  if (relation === undefined) throw new Error(`${operator} relates no spans`);
  const isRelated = relation[0](left);
  const found = right.filter((span) => span.left > 0 && isRelated(span) !== negated);
  if (!isUnion) return found;
  const isRelatedLeft = relation[1](right);
  return [...new Set([...left.filter(isRelatedLeft), ...found])];
}
