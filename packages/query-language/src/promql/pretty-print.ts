import type { Expr } from './ast.ts';
import { printAggregator, printOperator, printPromql, printSubquerySuffix } from './print.ts';

/** Expressions longer than this are broken into lines. */
const MAX_LINE_LENGTH = 100;

/** The expression over several lines where one would be too long: the form of `/api/v1/format_query`. */
export function prettyPrintPromql(expr: Expr): string {
  return pretty(expr, 0);
}

function pretty(expr: Expr, level: number): string {
  const text = printPromql(expr);
  const isLong = new TextEncoder().encode(text).length > MAX_LINE_LENGTH;
  const margin = '  '.repeat(level);
  switch (expr.kind) {
    case 'unary':
      return `${margin}${expr.operator}${pretty(expr.expr, level).trim()}`;
    case 'subquery':
      return isLong ? `${pretty(expr.expr, level)}${printSubquerySuffix(expr)}` : text;
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
      const parameter = expr.parameter ? `${pretty(expr.parameter, level + 1)},\n` : '';
      return `${margin}${printAggregator(expr)}(\n${parameter}${pretty(expr.expr, level + 1)}\n${margin})`;
    }
    case 'binary':
      return `${pretty(expr.left, level + 1)}\n${margin}${printOperator(expr)}\n${pretty(expr.right, level + 1)}`;
    case 'call':
      return `${margin}${expr.name}(\n${expr.args.map((argument) => pretty(argument, level + 1)).join(',\n')}\n${margin})`;
    case 'paren':
      return `${margin}(\n${pretty(expr.expr, level + 1)}\n${margin})`;
  }
}
