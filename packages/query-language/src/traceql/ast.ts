import type { TextRange } from '../promql/ast.ts';
import type { IntrinsicName } from './intrinsics.ts';
import type { Static } from './static.ts';

/** A TraceQL query (https://grafana.com/docs/tempo/latest/traceql/): of spans, or of time series made from them. */
export interface TraceqlQuery {
  readonly expr: Pipeline | MetricsExpr;
  readonly hints: readonly Hint[];
}

/** `with (exemplars=true)` */
export interface Hint {
  readonly name: string;
  readonly value: Static;
  readonly range: TextRange;
}

/** Stages that pass sets of spans of one trace on to the next. */
export interface Pipeline {
  readonly kind: 'pipeline';
  readonly stages: readonly Stage[];
  readonly range: TextRange;
}

/** An aggregate stands only last, in a pipeline that is an operand of a scalar comparison. */
export type Stage = SpansetExpr | ScalarFilter | GroupBy | Coalesce | Select | Aggregate;

export type SpansetExpr = SpansetFilter | SpansetOperation;

/** `{ condition }`; without a condition: `true`. */
export interface SpansetFilter {
  readonly kind: 'spansetFilter';
  readonly condition: FieldExpr;
  readonly range: TextRange;
}

/** Structural operators (`>`: child, `>>`: descendant, `<`: parent, `<<`: ancestor, `~`: sibling), also negated and as unions. */
export const STRUCTURAL_OPERATORS = [
  '>',
  '>>',
  '<',
  '<<',
  '~',
  '!>',
  '!>>',
  '!<',
  '!<<',
  '!~',
  '&>',
  '&>>',
  '&<',
  '&<<',
  '&~',
] as const;

export type SpansetOperator = '&&' | '||' | (typeof STRUCTURAL_OPERATORS)[number];

/** The result of a structural operator are spans of the right side; of a union those of both sides that are related. */
export interface SpansetOperation {
  readonly kind: 'spansetOperation';
  readonly operator: SpansetOperator;
  readonly left: SpansetExpr | Pipeline;
  readonly right: SpansetExpr | Pipeline;
  readonly range: TextRange;
}

export type ComparisonOperator = '=' | '!=' | '<' | '<=' | '>' | '>=';

/** Keeps the sets for which the comparison is true: `count() > 2`. */
export interface ScalarFilter {
  readonly kind: 'scalarFilter';
  readonly operator: ComparisonOperator;
  readonly left: ScalarExpr;
  readonly right: ScalarExpr;
  readonly range: TextRange;
}

/** `by(expr)`: splits each set by the values of an expression; nil is a value too. */
export interface GroupBy {
  readonly kind: 'groupBy';
  readonly expr: FieldExpr;
  readonly range: TextRange;
}

/** `coalesce()`: undoes `by`. */
export interface Coalesce {
  readonly kind: 'coalesce';
  readonly range: TextRange;
}

/** `select(a, b)`: what the answer shows of the spans besides what was asked for. */
export interface Select {
  readonly kind: 'select';
  readonly fields: readonly Field[];
  readonly range: TextRange;
}

/** A value of a whole set of spans. A pipeline ends with an aggregate. */
export type ScalarExpr = Aggregate | ScalarOperation | Literal | Pipeline;

export interface Aggregate {
  readonly kind: 'aggregate';
  readonly operator: 'count' | 'min' | 'max' | 'avg' | 'sum';
  /** undefined: of `count()`. */
  readonly expr: FieldExpr | undefined;
  readonly range: TextRange;
}

export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%' | '^';

export interface ScalarOperation {
  readonly kind: 'scalarOperation';
  readonly operator: ArithmeticOperator;
  readonly left: ScalarExpr;
  readonly right: ScalarExpr;
  readonly range: TextRange;
}

/** A value of a span. */
export type FieldExpr = BinaryField | UnaryField | Existence | CidrTest | Field | Literal;

export type FieldOperator = ArithmeticOperator | ComparisonOperator | '=~' | '!~' | '&&' | '||';

export interface BinaryField {
  readonly kind: 'binary';
  readonly operator: FieldOperator;
  readonly left: FieldExpr;
  readonly right: FieldExpr;
  readonly range: TextRange;
}

export interface UnaryField {
  readonly kind: 'unary';
  readonly operator: '-' | '!';
  readonly expr: FieldExpr;
  readonly range: TextRange;
}

/** `expr != nil`, `expr = nil`, also written the other way round. */
export interface Existence {
  readonly kind: 'existence';
  readonly expr: FieldExpr;
  readonly exists: boolean;
  readonly range: TextRange;
}

/** `cidr(expr, "10.0.0.0/8", "fc00::/7")`: whether the value is an address in one of the prefixes. */
export interface CidrTest {
  readonly kind: 'cidr';
  readonly expr: FieldExpr;
  /** One at least. */
  readonly prefixes: readonly Literal[];
  readonly range: TextRange;
}

export type Field = AttributeField | IntrinsicField;

export type AttributeScope = 'none' | 'resource' | 'span' | 'event' | 'link' | 'instrumentation';

/** `.name` (scope `none`: wherever it is found first), `span.name`, `resource."a b"`. */
export interface AttributeField {
  readonly kind: 'attribute';
  readonly scope: AttributeScope;
  /** `parent.name`: refused by the type check. */
  readonly isParent: boolean;
  readonly name: string;
  readonly range: TextRange;
}

/** `name`, `span:name`, `trace:duration`. */
export interface IntrinsicField {
  readonly kind: 'intrinsic';
  readonly name: IntrinsicName;
  readonly range: TextRange;
}

export interface Literal {
  readonly kind: 'literal';
  readonly value: Static;
  readonly range: TextRange;
}

// --- metrics -----------------------------------------------------------------------------------------------------------

/** A number is an operand of arithmetic only. */
export type MetricsExpr = MetricsQuery | MetricsOperation;

/** Series made of the spans that a pipeline finds. */
export interface MetricsQuery {
  readonly kind: 'metricsQuery';
  readonly pipeline: Pipeline;
  readonly aggregate: MetricsAggregate | Compare;
  readonly stages: readonly MetricsStage[];
  readonly range: TextRange;
}

/** Arithmetic between series, or with a number. */
export interface MetricsOperation {
  readonly kind: 'metricsOperation';
  readonly operator: '+' | '-' | '*' | '/';
  readonly left: MetricsExpr | Literal;
  readonly right: MetricsExpr | Literal;
  readonly stages: readonly MetricsStage[];
  readonly range: TextRange;
}

export const METRICS_FUNCTIONS = [
  'rate',
  'count_over_time',
  'min_over_time',
  'max_over_time',
  'avg_over_time',
  'sum_over_time',
  'quantile_over_time',
  'histogram_over_time',
] as const;

export type MetricsFunction = (typeof METRICS_FUNCTIONS)[number];

export interface MetricsAggregate {
  readonly kind: 'metricsAggregate';
  readonly function: MetricsFunction;
  /** undefined: of `rate` and `count_over_time`. */
  readonly field: Field | undefined;
  /** Of `quantile_over_time`, 0 to 1. */
  readonly quantiles: readonly number[];
  readonly by: readonly Field[];
  readonly range: TextRange;
}

/** `compare({selection}, topN, start, end)`: how attributes of the selection differ from those of the other spans. */
export interface Compare {
  readonly kind: 'compare';
  readonly selection: SpansetFilter;
  readonly topN: number;
  /** Nanoseconds since 1970 between which spans may be of the selection; both 0: the whole range. */
  readonly start: bigint;
  readonly end: bigint;
  readonly range: TextRange;
}

export type MetricsStage = RankStage | MetricsFilter;

export interface RankStage {
  readonly kind: 'topk' | 'bottomk';
  readonly limit: number;
  readonly range: TextRange;
}

/** Drops the values for which the comparison is false. Durations were turned into seconds. */
export interface MetricsFilter {
  readonly kind: 'metricsFilter';
  readonly operator: ComparisonOperator;
  readonly value: number;
  readonly range: TextRange;
}
