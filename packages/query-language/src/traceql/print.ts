import type {
  Compare,
  Field,
  FieldExpr,
  Hint,
  Literal,
  MetricsAggregate,
  MetricsExpr,
  MetricsStage,
  Pipeline,
  ScalarExpr,
  SpansetExpr,
  Stage,
  TraceqlQuery,
} from './ast.ts';
import { formatGoDuration } from './duration.ts';
import type { Static } from './static.ts';

/** The query on one line, with the parentheses that it needs. Parsing it gives the same query. */
export function printTraceql({ expr, hints }: TraceqlQuery): string {
  const text = expr.kind === 'pipeline' ? printPipeline(expr) : printMetrics(expr);
  return hints.length === 0 ? text : `${text} with(${hints.map(printHint).join(', ')})`;
}

function printHint({ name, value }: Hint): string {
  return `${name}=${printStatic(value)}`;
}

function printPipeline({ stages }: Pipeline): string {
  return stages.map(printStage).join(' | ');
}

function printStage(stage: Stage): string {
  switch (stage.kind) {
    case 'spansetFilter':
    case 'spansetOperation':
      return printSpansets(stage);
    case 'scalarFilter':
      return `${printTraceqlScalar(stage.left)} ${stage.operator} ${printTraceqlScalar(stage.right)}`;
    case 'groupBy':
      return `by(${printTraceqlField(stage.expr)})`;
    case 'coalesce':
      return 'coalesce()';
    case 'select':
      return `select(${printFields(stage.fields)})`;
    case 'aggregate':
      return printTraceqlScalar(stage);
  }
}

function printSpansets(expr: SpansetExpr): string {
  if (expr.kind === 'spansetFilter') {
    const { condition } = expr;
    return condition.range.start === condition.range.end ? '{ }' : `{ ${printTraceqlField(condition)} }`;
  }
  const isInPipelines = holdsPipeline(expr);
  const own = spansetPrecedence(expr.operator);
  const print = (side: SpansetExpr | Pipeline, minimum: number): string => {
    if (side.kind === 'pipeline') return `(${printPipeline(side)})`;
    const text = printSpansets(side);
    if (side.kind === 'spansetFilter') return isInPipelines ? `(${text})` : text;
    const needs = spansetPrecedence(side.operator) < minimum || (isInPipelines && !holdsPipeline(side));
    return needs ? `(${text})` : text;
  };
  return `${print(expr.left, own)} ${expr.operator} ${print(expr.right, own + 1)}`;
}

/** Between pipelines everything stands in parentheses. */
function holdsPipeline(expr: SpansetExpr | Pipeline): boolean {
  if (expr.kind === 'pipeline') return true;
  return expr.kind === 'spansetOperation' && (holdsPipeline(expr.left) || holdsPipeline(expr.right));
}

function spansetPrecedence(operator: string): number {
  return operator === '&&' || operator === '||' ? 1 : 2;
}

/** A value of a set of spans: `avg(duration) * 2`. */
export function printTraceqlScalar(expr: ScalarExpr): string {
  switch (expr.kind) {
    case 'literal':
      return printStatic(expr.value);
    case 'aggregate':
      return `${expr.operator}(${expr.expr === undefined ? '' : printTraceqlField(expr.expr)})`;
    case 'pipeline':
      return `(${printPipeline(expr)})`;
    case 'scalarOperation': {
      const side = (part: ScalarExpr): string =>
        part.kind === 'scalarOperation' ? `(${printTraceqlScalar(part)})` : printTraceqlScalar(part);
      return `${side(expr.left)} ${expr.operator} ${side(expr.right)}`;
    }
  }
}

const PRECEDENCE: Readonly<Record<string, number>> = {
  '&&': 1,
  '||': 1,
  '+': 3,
  '-': 3,
  '*': 5,
  '/': 5,
  '%': 5,
  '^': 6,
};
const COMPARISON = 2;
const EVERYTHING = 9;

function fieldPrecedence(expr: FieldExpr): number {
  if (expr.kind === 'binary') return PRECEDENCE[expr.operator] ?? COMPARISON;
  return expr.kind === 'existence' ? COMPARISON : EVERYTHING;
}

/** A value of a span: `span.a + 1`, an attribute, an intrinsic. */
export function printTraceqlField(expr: FieldExpr): string {
  switch (expr.kind) {
    case 'literal':
      return printStatic(expr.value);
    case 'attribute':
      return printAttribute(expr);
    case 'intrinsic':
      return expr.name;
    case 'existence':
      return `${wrapped(expr.expr, COMPARISON)} ${expr.exists ? '!=' : '='} nil`;
    case 'unary': {
      const { expr: operand, operator } = expr;
      return `${operator}${operand.kind === 'unary' ? `(${printTraceqlField(operand)})` : wrapped(operand, EVERYTHING)}`;
    }
    case 'cidr':
      return `cidr(${[expr.expr, ...expr.prefixes].map(printTraceqlField).join(', ')})`;
    case 'binary': {
      const own = fieldPrecedence(expr);
      const [left, right] = expr.operator === '^' ? [own + 1, own] : [own, own + 1];
      return `${wrapped(expr.left, left)} ${expr.operator} ${wrapped(expr.right, right)}`;
    }
  }
}

function wrapped(expr: FieldExpr, minimum: number): string {
  const text = printTraceqlField(expr);
  // What follows a unary operator may be taken for a part of its operand.
  return fieldPrecedence(expr) < minimum || expr.kind === 'unary' ? `(${text})` : text;
}

function printFields(fields: readonly Field[]): string {
  return fields.map(printTraceqlField).join(', ');
}

function printAttribute({ scope, isParent, name }: Field & { kind: 'attribute' }): string {
  const prefix = `${isParent ? 'parent.' : ''}${scope === 'none' ? '' : `${scope}.`}`;
  const isPlain = name !== '' && !/[\s{}()=~!<>&|^,"\\]/.test(name);
  const isScopeLike = isParent && scope === 'none' && /^(?:resource|span)\./.test(name);
  const text = isPlain && !isScopeLike ? name : `"${name.replace(/[\\"]/g, '\\$&')}"`;
  // A number would be read after a bare dot.
  const isNumberLike = prefix === '' && /^[0-9]/.test(text);
  return `${prefix === '' ? '.' : prefix}${isNumberLike ? `"${text}"` : text}`;
}

/** A literal as it is written in a query. */
export function printStatic(value: Static): string {
  switch (value.type) {
    case 'nil':
      return 'nil';
    case 'string':
      return printString(value.value);
    case 'float':
      return printFloat(value.value);
    case 'duration':
      return formatGoDuration(value.value);
    case 'int':
    case 'bool':
    case 'status':
    case 'kind':
      return String(value.value);
    default:
      return `[${value.value.map((element) => (typeof element === 'string' ? printString(element) : String(element))).join(', ')}]`;
  }
}

/** In backticks where that is possible: then nothing is escaped. */
function printString(text: string): string {
  if (!/[`\r]/.test(text)) return `\`${text}\``;
  const escaped = text.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n').replace(/\r/g, '\\r');
  return `"${escaped}"`;
}

function printFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const text = Object.is(value, -0) ? '-0' : String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

// --- metrics -----------------------------------------------------------------------------------------------------------

function printMetrics(expr: MetricsExpr): string {
  const stages = expr.stages.map(printMetricsStage).join('');
  if (expr.kind === 'metricsQuery') {
    return `${printPipeline(expr.pipeline)} | ${printTraceqlAggregate(expr.aggregate)}${stages}`;
  }
  const text = `${printOperand(expr.left)} ${expr.operator} ${printOperand(expr.right)}`;
  return `${text}${stages}`;
}

function printOperand(side: MetricsExpr | Literal): string {
  return side.kind === 'literal' ? printStatic(side.value) : `(${printMetrics(side)})`;
}

function printMetricsStage(stage: MetricsStage): string {
  return stage.kind === 'metricsFilter' ? ` ${stage.operator} ${stage.value}` : ` | ${stage.kind}(${stage.limit})`;
}

/** `rate() by (span.http.route)`, `compare({ status = error }, 10)` */
export function printTraceqlAggregate(aggregate: MetricsAggregate | Compare): string {
  if (aggregate.kind === 'compare') {
    const times = aggregate.start === 0n && aggregate.end === 0n ? '' : `, ${aggregate.start}, ${aggregate.end}`;
    return `compare(${printSpansets(aggregate.selection)}, ${aggregate.topN}${times})`;
  }
  const args = [...(aggregate.field === undefined ? [] : [printTraceqlField(aggregate.field)]), ...aggregate.quantiles];
  const by = aggregate.by.length === 0 ? '' : ` by (${printFields(aggregate.by)})`;
  return `${aggregate.function}(${args.join(', ')})${by}`;
}
