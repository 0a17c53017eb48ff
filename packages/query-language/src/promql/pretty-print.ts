import type { Expr } from './ast.ts';
import { type PrintOptions, printAggregator, printOperator, printPromql, printSubquerySuffix } from './print.ts';

/** Expressions longer than this are broken into lines. */
const MAX_LINE_LENGTH = 100;

/** The expression over several lines where one would be too long: the form of `/api/v1/format_query`. */
export function prettyPrintPromql(expr: Expr, options: PrintOptions = {}): string {
  return pretty(expr, 0, options);
}

function pretty(expr: Expr, level: number, options: PrintOptions): string {
  const text = printPromql(expr, options);
  const isLong = new TextEncoder().encode(text).length > MAX_LINE_LENGTH;
  const margin = '  '.repeat(level);
  switch (expr.kind) {
    case 'unary':
      return `${margin}${expr.operator}${pretty(expr.expr, level, options).trim()}`;
    case 'subquery':
      return isLong ? `${pretty(expr.expr, level, options)}${printSubquerySuffix(expr)}` : text;
    case 'vectorSelector':
    case 'matrixSelector':
    case 'number':
    case 'string':
      return margin + text;
    default:
      if (!isLong) return margin + text;
  }
  switch (expr.kind) {
    case 'aggregation': {
      const parameter = expr.parameter ? `${pretty(expr.parameter, level + 1, options)},\n` : '';
      return `${margin}${printAggregator(expr, options)}(\n${parameter}${pretty(expr.expr, level + 1, options)}\n${margin})`;
    }
    case 'binary':
      return `${pretty(expr.left, level + 1, options)}\n${margin}${printOperator(expr, options)}\n${pretty(expr.right, level + 1, options)}`;
    case 'call':
      return `${margin}${expr.name}(\n${expr.args.map((argument) => pretty(argument, level + 1, options)).join(',\n')}\n${margin})`;
    case 'paren':
      return `${margin}(\n${pretty(expr.expr, level + 1, options)}\n${margin})`;
  }
}
