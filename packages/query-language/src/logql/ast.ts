import type { LabelMatcher, TextRange, VectorMatching } from '../promql/ast.ts';
import type { IpPattern } from './ip-pattern.ts';
import type { JsonPath } from './json-path.ts';
import type { LinePattern } from './line-pattern.ts';

/** A LogQL expression (https://grafana.com/docs/loki/latest/query/): lines of logs, or samples that are computed of them. */
export type LogqlExpr = LogExpr | SampleExpr;

export type SampleExpr =
  | RangeAggregation
  | VectorAggregation
  | LogqlBinaryExpr
  | LogqlNumber
  | LabelReplace
  | VectorLiteral;

/** `{app="shop"} |= "error" | json`: streams, and what happens to each of their lines. */
export interface LogExpr {
  readonly kind: 'log';
  readonly matchers: readonly LabelMatcher[];
  readonly stages: readonly Stage[];
  readonly range: TextRange;
}

export type Stage =
  | LineFilter
  | JsonStage
  | LogfmtStage
  | RegexpStage
  | PatternStage
  | UnpackStage
  | LabelFilterStage
  | LineFormatStage
  | DecolorizeStage
  | LabelFormatStage
  | LabelListStage;

export type LineOperator = '|=' | '!=' | '|~' | '!~' | '|>' | '!>';

/** Keeps lines that fulfil any of the alternatives. A negative operator has one alternative: `!= "a" or "b"` is two filters. */
export interface LineFilter {
  readonly kind: 'lineFilter';
  readonly operator: LineOperator;
  readonly alternatives: readonly LineAlternative[];
  readonly range: TextRange;
}

export interface LineAlternative {
  readonly text: string;
  /** `ip("10.0.0.0/8")`: the text is a pattern of addresses. */
  readonly isIp: boolean;
}

/** A label and where in a line its value stands. */
export interface Extraction {
  readonly label: string;
  readonly expression: string;
}

export interface JsonStage {
  readonly kind: 'json';
  /** Empty: everything becomes labels. */
  readonly extractions: readonly (Extraction & { readonly path: JsonPath | undefined })[];
  readonly range: TextRange;
}

export interface LogfmtStage {
  readonly kind: 'logfmt';
  readonly isStrict: boolean;
  readonly keepsEmpty: boolean;
  /** Empty: everything becomes labels. */
  readonly extractions: readonly Extraction[];
  readonly range: TextRange;
}

export interface RegexpStage {
  readonly kind: 'regexp';
  readonly expression: string;
  readonly range: TextRange;
}

export interface PatternStage {
  readonly kind: 'pattern';
  readonly expression: string;
  readonly pattern: LinePattern;
  readonly range: TextRange;
}

export interface UnpackStage {
  readonly kind: 'unpack';
  readonly range: TextRange;
}

export interface LabelFilterStage {
  readonly kind: 'labelFilter';
  readonly filter: LabelFilter;
  readonly range: TextRange;
}

export type LabelComparison = '==' | '!=' | '>' | '>=' | '<' | '<=';

export type LabelFilter =
  | { readonly kind: 'matcher'; readonly matcher: LabelMatcher }
  | {
      readonly kind: 'ip';
      readonly label: string;
      readonly isNegative: boolean;
      readonly pattern: string;
      readonly ip: IpPattern | undefined;
    }
  | { readonly kind: 'number'; readonly label: string; readonly comparison: LabelComparison; readonly value: number }
  /** `value` in nanoseconds. */
  | { readonly kind: 'duration'; readonly label: string; readonly comparison: LabelComparison; readonly value: number }
  | { readonly kind: 'bytes'; readonly label: string; readonly comparison: LabelComparison; readonly value: number }
  | { readonly kind: 'and' | 'or'; readonly left: LabelFilter; readonly right: LabelFilter };

export interface LineFormatStage {
  readonly kind: 'lineFormat';
  readonly template: string;
  readonly range: TextRange;
}

export interface DecolorizeStage {
  readonly kind: 'decolorize';
  readonly range: TextRange;
}

export interface LabelFormatStage {
  readonly kind: 'labelFormat';
  readonly formats: readonly LabelFormat[];
  readonly range: TextRange;
}

/** `label=source` renames, `label="…"` fills in a template. */
export interface LabelFormat {
  readonly label: string;
  readonly isRename: boolean;
  readonly value: string;
}

/** Labels that are dropped or kept: by name, or only where the value matches. */
export interface LabelListStage {
  readonly kind: 'drop' | 'keep';
  readonly labels: readonly (string | LabelMatcher)[];
  readonly range: TextRange;
}

export type Conversion = 'bytes' | 'duration' | 'duration_seconds';

/** Takes the value of a label as the sample's value. */
export interface Unwrap {
  readonly label: string;
  readonly conversion: Conversion | undefined;
  /** Conditions on the label and on errors of the conversion. */
  readonly filters: readonly LabelFilter[];
  readonly range: TextRange;
}

/** Lines of the time before an evaluation. */
export interface LogRange {
  readonly log: LogExpr;
  readonly unwrap: Unwrap | undefined;
  readonly intervalMs: number;
  readonly offsetMs: number;
}

export interface Grouping {
  readonly labels: readonly string[];
  readonly isWithout: boolean;
}

export const RANGE_OPERATORS = [
  'count_over_time',
  'rate',
  'rate_counter',
  'bytes_over_time',
  'bytes_rate',
  'avg_over_time',
  'sum_over_time',
  'min_over_time',
  'max_over_time',
  'stdvar_over_time',
  'stddev_over_time',
  'quantile_over_time',
  'first_over_time',
  'last_over_time',
  'absent_over_time',
] as const;

export type RangeOperator = (typeof RANGE_OPERATORS)[number];

export interface RangeAggregation {
  readonly kind: 'rangeAggregation';
  readonly operator: RangeOperator;
  /** As written. */
  readonly parameter: string | undefined;
  readonly logRange: LogRange;
  readonly grouping: Grouping | undefined;
  readonly range: TextRange;
}

export const VECTOR_OPERATORS = [
  'sum',
  'avg',
  'count',
  'max',
  'min',
  'stddev',
  'stdvar',
  'bottomk',
  'topk',
  'sort',
  'sort_desc',
  'approx_topk',
] as const;

export type VectorOperator = (typeof VECTOR_OPERATORS)[number];

export interface VectorAggregation {
  readonly kind: 'vectorAggregation';
  readonly operator: VectorOperator;
  /** As written. */
  readonly parameter: string | undefined;
  readonly expr: SampleExpr;
  readonly grouping: Grouping | undefined;
  readonly range: TextRange;
}

export type LogqlBinaryOperator =
  | 'or'
  | 'and'
  | 'unless'
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '^'
  | '=='
  | '!='
  | '>'
  | '>='
  | '<'
  | '<=';

export const LOGQL_SET_OPERATORS: ReadonlySet<string> = new Set(['or', 'and', 'unless']);
export const LOGQL_COMPARISONS: ReadonlySet<string> = new Set(['==', '!=', '>', '>=', '<', '<=']);

/** How tightly operators bind. All but `^` group from the left. */
export const LOGQL_PRECEDENCE: ReadonlyMap<string, number> = new Map([
  ['or', 1],
  ['and', 2],
  ['unless', 2],
  ...['==', '!=', '<', '<=', '>', '>='].map((operator) => [operator, 3] as const),
  ['+', 4],
  ['-', 4],
  ['*', 5],
  ['/', 5],
  ['%', 5],
  ['^', 6],
]);
export interface LogqlBinaryExpr {
  readonly kind: 'binary';
  readonly operator: LogqlBinaryOperator;
  /** Lines of logs have no place here: the type check says so. */
  readonly left: LogqlExpr;
  readonly right: LogqlExpr;
  readonly matching: Pick<VectorMatching, 'cardinality' | 'labels' | 'isOn' | 'include'>;
  readonly returnsBool: boolean;
  readonly range: TextRange;
}

/** A number, or what the operators between numbers come to. */
export interface LogqlNumber {
  readonly kind: 'number';
  readonly value: number;
  readonly range: TextRange;
}

/** `vector(1)` */
export interface VectorLiteral {
  readonly kind: 'vector';
  readonly value: number;
  readonly range: TextRange;
}

export interface LabelReplace {
  readonly kind: 'labelReplace';
  readonly expr: SampleExpr;
  readonly target: string;
  readonly replacement: string;
  readonly source: string;
  readonly expression: string;
  readonly range: TextRange;
}

/** Every selection of logs in an expression, from left to right. */
export function logExprsOf(expr: LogqlExpr): LogExpr[] {
  switch (expr.kind) {
    case 'log':
      return [expr];
    case 'rangeAggregation':
      return [expr.logRange.log];
    case 'vectorAggregation':
    case 'labelReplace':
      return logExprsOf(expr.expr);
    case 'binary':
      return [...logExprsOf(expr.left), ...logExprsOf(expr.right)];
    default:
      return [];
  }
}
