/** A part of the text: `start` to `end` (exclusive), in UTF-16 units. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

export type ValueType = 'scalar' | 'string' | 'vector' | 'matrix';

/** A PromQL expression (https://prometheus.io/docs/prometheus/latest/querying/basics/). Durations are in milliseconds. */
export type Expr =
  | NumberLiteral
  | StringLiteral
  | VectorSelector
  | MatrixSelector
  | Subquery
  | Call
  | Aggregation
  | BinaryExpr
  | UnaryExpr
  | ParenExpr;

export interface NumberLiteral {
  readonly kind: 'number';
  readonly value: number;
  /** It was written as a duration (`1h30m`), whose value is in seconds. */
  readonly isDuration: boolean;
  readonly range: TextRange;
}

export interface StringLiteral {
  readonly kind: 'string';
  readonly value: string;
  readonly range: TextRange;
}

export type MatchOperator = '=' | '!=' | '=~' | '!~';

/** A condition on a label; expressions are anchored on both sides. A missing label is an empty one. */
export interface LabelMatcher {
  readonly name: string;
  readonly operator: MatchOperator;
  readonly value: string;
}

/** Moves the time at which a selector or a subquery is evaluated. */
export interface TimeModifiers {
  /** `@ 1609746000`: ms since 1970; `@ start()`, `@ end()`: of the query. */
  at: number | 'start' | 'end' | undefined;
  offsetMs: number;
  /** An offset that is computed (`offset step()`); then `offsetMs` is 0. */
  offsetExpr: DurationExpr | undefined;
}

export interface VectorSelector extends TimeModifiers {
  readonly kind: 'vectorSelector';
  /** The name before the braces; '' when there is none. A matcher of `__name__` stands for it in `matchers`, last. */
  readonly name: string;
  readonly matchers: readonly LabelMatcher[];
  /** How values between samples, and at the ends of a range, are found: see `anchored` and `smoothed` in Prometheus. */
  extended: 'anchored' | 'smoothed' | undefined;
  range: TextRange;
}

export interface MatrixSelector {
  readonly kind: 'matrixSelector';
  readonly selector: VectorSelector;
  readonly rangeMs: number;
  readonly rangeExpr: DurationExpr | undefined;
  range: TextRange;
}

export interface Subquery extends TimeModifiers {
  readonly kind: 'subquery';
  readonly expr: Expr;
  readonly rangeMs: number;
  readonly rangeExpr: DurationExpr | undefined;
  /** 0: the default. */
  readonly stepMs: number;
  readonly stepExpr: DurationExpr | undefined;
  range: TextRange;
}

/** Arithmetic over durations, in seconds: experimental. A unary operator has no `left`. */
export interface DurationExpr {
  readonly kind: 'duration';
  readonly operator: '+' | '-' | '*' | '/' | '%' | '^' | 'step' | 'range' | 'min_of' | 'max_of';
  readonly left: DurationExpr | NumberLiteral | undefined;
  readonly right: DurationExpr | NumberLiteral | undefined;
  readonly isWrapped: boolean;
  readonly range: TextRange;
}

export interface Call {
  readonly kind: 'call';
  readonly name: string;
  readonly args: readonly Expr[];
  readonly range: TextRange;
}

export const AGGREGATORS = [
  'avg',
  'bottomk',
  'count',
  'count_values',
  'group',
  'limit_ratio',
  'limitk',
  'max',
  'min',
  'quantile',
  'stddev',
  'stdvar',
  'sum',
  'topk',
] as const;

export type Aggregator = (typeof AGGREGATORS)[number];

/** Aggregators that take a parameter before the vector. */
export const PARAMETRIC_AGGREGATORS: ReadonlySet<Aggregator> = new Set<Aggregator>([
  'topk',
  'bottomk',
  'limitk',
  'limit_ratio',
  'count_values',
  'quantile',
]);

export interface Aggregation {
  readonly kind: 'aggregation';
  readonly operator: Aggregator;
  readonly expr: Expr;
  readonly parameter: Expr | undefined;
  readonly grouping: readonly string[];
  /** `grouping` names what is left out. */
  readonly isWithout: boolean;
  readonly range: TextRange;
}

export type BinaryOperator =
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '^'
  | 'atan2'
  | '=='
  | '!='
  | '<'
  | '>'
  | '<='
  | '>='
  | '</'
  | '>/'
  | 'and'
  | 'or'
  | 'unless';

export const COMPARISON_OPERATORS: ReadonlySet<string> = new Set(['==', '!=', '<', '>', '<=', '>=']);
export const SET_OPERATORS: ReadonlySet<string> = new Set(['and', 'or', 'unless']);

/** How the elements of two vectors are paired. */
export interface VectorMatching {
  cardinality: 'one-to-one' | 'many-to-one' | 'one-to-many' | 'many-to-many';
  readonly labels: readonly string[];
  /** `labels` are those that must agree; otherwise those that are left out. */
  readonly isOn: boolean;
  /** Labels that the "one" side gives to the result. */
  readonly include: readonly string[];
  /** Values that stand for missing elements of the left and the right side. */
  readonly fillLeft: number | undefined;
  readonly fillRight: number | undefined;
}

export interface BinaryExpr {
  readonly kind: 'binary';
  readonly operator: BinaryOperator;
  readonly left: Expr;
  readonly right: Expr;
  /** undefined unless both sides are vectors. */
  matching: VectorMatching | undefined;
  readonly returnsBool: boolean;
}

export interface UnaryExpr {
  readonly kind: 'unary';
  readonly operator: '+' | '-';
  readonly expr: Expr;
  readonly start: number;
}

export interface ParenExpr {
  readonly kind: 'paren';
  readonly expr: Expr;
  readonly range: TextRange;
}

/** Where an expression stands in the text. */
export function rangeOf(expr: Expr): TextRange {
  switch (expr.kind) {
    case 'binary':
      return { start: rangeOf(expr.left).start, end: rangeOf(expr.right).end };
    case 'unary':
      return { start: expr.start, end: rangeOf(expr.expr).end };
    default:
      return expr.range;
  }
}

/** The expressions directly below. */
export function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'matrixSelector':
      return [expr.selector];
    case 'subquery':
    case 'unary':
    case 'paren':
      return [expr.expr];
    case 'call':
      return expr.args;
    case 'aggregation':
      return expr.parameter ? [expr.expr, expr.parameter] : [expr.expr];
    case 'binary':
      return [expr.left, expr.right];
    default:
      return [];
  }
}
