import type {
  Aggregation,
  BinaryExpr,
  DurationExpr,
  Expr,
  LabelMatcher,
  NumberLiteral,
  Subquery,
  TimeModifiers,
  VectorSelector,
} from './ast.ts';
import { formatPromqlDuration } from './duration.ts';
import { isPlainLabelName } from './lexer.ts';
import { quoteGo } from './quote.ts';

export interface PrintOptions {
  /** Labels' names that the parser takes without quotes under its option of this name have none. */
  readonly unquotedUtf8Names?: boolean;
}

/** The expression in Prometheus's canonical form, on one line. Parsing it, with the same options, gives the same expression. */
export function printPromql(expr: Expr | DurationExpr, options: PrintOptions = {}): string {
  const print = (part: Expr | DurationExpr) => printPromql(part, options);
  switch (expr.kind) {
    case 'number':
      return printNumber(expr);
    case 'string':
      return quoteGo(expr.value);
    case 'vectorSelector':
      return `${printSelector(expr, options)}${printAt(expr)}${printExtended(expr)}${printOffset(expr)}`;
    case 'matrixSelector': {
      const range = expr.rangeExpr ? print(expr.rangeExpr) : formatPromqlDuration(expr.rangeMs);
      const { selector } = expr;
      return `${printSelector(selector, options)}[${range}]${printExtended(selector)}${printAt(selector)}${printOffset(selector)}`;
    }
    case 'subquery':
      return `${print(expr.expr)}${printSubquerySuffix(expr)}`;
    case 'call':
      return `${expr.name}(${expr.args.map(print).join(', ')})`;
    case 'aggregation': {
      const parameter = expr.parameter ? `${print(expr.parameter)}, ` : '';
      return `${printAggregator(expr, options)}(${parameter}${print(expr.expr)})`;
    }
    case 'binary':
      return `${print(expr.left)} ${printOperator(expr, options)} ${print(expr.right)}`;
    case 'unary':
      return `${expr.operator}${print(expr.expr)}`;
    case 'paren':
      return `(${print(expr.expr)})`;
    case 'duration':
      return printDuration(expr);
  }
}

/** `sum by (job) `, with the space before the parenthesis where there is a grouping. */
export function printAggregator({ operator, grouping, isWithout }: Aggregation, options: PrintOptions): string {
  if (isWithout) return `${operator} without (${printLabels(grouping, options)}) `;
  return grouping.length > 0 ? `${operator} by (${printLabels(grouping, options)}) ` : operator;
}

/** A binary operator with its modifiers. */
export function printOperator({ operator, returnsBool, matching }: BinaryExpr, options: PrintOptions): string {
  let text: string = operator;
  if (returnsBool) text += ' bool';
  if (!matching) return text;
  const { labels, isOn, cardinality, include, fillLeft, fillRight } = matching;
  const isGrouped = cardinality === 'many-to-one' || cardinality === 'one-to-many';
  if (labels.length > 0 || isOn || isGrouped) text += ` ${isOn ? 'on' : 'ignoring'} (${printLabels(labels, options)})`;
  if (isGrouped)
    text += ` group_${cardinality === 'many-to-one' ? 'left' : 'right'} (${printLabels(include, options)})`;
  if (fillLeft !== undefined && fillLeft === fillRight) text += ` fill (${printFill(fillLeft)})`;
  else {
    if (fillLeft !== undefined) text += ` fill_left (${printFill(fillLeft)})`;
    if (fillRight !== undefined) text += ` fill_right (${printFill(fillRight)})`;
  }
  return text;
}

/** `[5m:1m] @ start() offset 1h` */
export function printSubquerySuffix(expr: Subquery): string {
  const range = expr.rangeExpr ? printPromql(expr.rangeExpr) : formatPromqlDuration(expr.rangeMs);
  const step = expr.stepExpr ? printPromql(expr.stepExpr) : expr.stepMs === 0 ? '' : formatPromqlDuration(expr.stepMs);
  return `[${range}:${step}]${printAt(expr)}${printOffset(expr)}`;
}

function printNumber({ value, isDuration }: NumberLiteral): string {
  if (isDuration) return `${value < 0 ? '-' : ''}${formatPromqlDuration(Math.abs(value) * 1000)}`;
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return printDecimal(value);
}

/** Without an exponent, in the fewest digits that read back the same. */
function printDecimal(value: number): string {
  const text = Object.is(value, -0) ? '-0' : String(value);
  const [, sign = '', first = '', rest = '', power = ''] = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text) ?? [];
  if (power === '') return text;
  const exponent = Number(power);
  const digits = first + rest;
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  return `${sign}${digits.padEnd(exponent + 1, '0')}`;
}

/** Go's `%v`: with an exponent below 1e-4 and from 1e6 on. */
function printFill(value: number): string {
  if (Number.isNaN(value) || !Number.isFinite(value))
    return printNumber({ kind: 'number', value, isDuration: false, range: { start: 0, end: 0 } });
  const magnitude = Math.abs(value);
  return magnitude !== 0 && (magnitude < 1e-4 || magnitude >= 1e6)
    ? value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2')
    : String(value);
}

function printSelector({ name, matchers }: VectorSelector, options: PrintOptions): string {
  const texts = matchers
    .filter(
      (matcher) => !(matcher.name === '__name__' && matcher.operator === '=' && matcher.value === name && name !== ''),
    )
    .map((matcher) => printMatcher(matcher, options))
    .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return texts.length > 0 ? `${name}{${texts.join(',')}}` : name === '' ? '{}' : name;
}

function printMatcher({ name, operator, value }: LabelMatcher, options: PrintOptions): string {
  return `${printLabel(name, options)}${operator}${quoteGo(value)}`;
}

function printAt({ at }: TimeModifiers): string {
  if (at === undefined) return '';
  return typeof at === 'number' ? ` @ ${(at / 1000).toFixed(3)}` : ` @ ${at}()`;
}

function printOffset({ offsetMs, offsetExpr }: TimeModifiers): string {
  if (offsetExpr) return ` offset ${printDuration(offsetExpr)}`;
  if (offsetMs === 0) return '';
  return ` offset ${offsetMs < 0 ? '-' : ''}${formatPromqlDuration(Math.abs(offsetMs))}`;
}

function printExtended({ extended }: VectorSelector): string {
  return extended === undefined ? '' : ` ${extended}`;
}

function printDuration({ operator, left, right, isWrapped }: DurationExpr): string {
  let text: string;
  if (operator === 'step' || operator === 'range') text = `${operator}()`;
  else if (operator === 'min_of' || operator === 'max_of') {
    text = `${operator}(${printPart(left)}, ${printPart(right)})`;
  } else if (!left) text = operator === '-' ? `-${printPart(right)}` : printPart(right);
  else text = `${printPart(left)} ${operator} ${printPart(right)}`;
  return isWrapped ? `(${text})` : text;
}

function printPart(part: DurationExpr | NumberLiteral | undefined): string {
  return part ? printPromql(part) : '';
}

function printLabels(labels: readonly string[], options: PrintOptions): string {
  return labels.map((label) => printLabel(label, options)).join(', ');
}

function printLabel(name: string, { unquotedUtf8Names = false }: PrintOptions): string {
  return isPlainLabelName(name, unquotedUtf8Names) ? name : quoteGo(name);
}
