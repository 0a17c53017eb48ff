import { formatPromqlDuration } from '../promql/duration.ts';
import { quoteGo } from '../promql/quote.ts';
import {
  type Grouping,
  LOGQL_PRECEDENCE,
  type LogExpr,
  type LogqlBinaryExpr,
  type LogqlExpr,
  type LogRange,
  type Stage,
  type Unwrap,
} from './ast.ts';
import { printBinaryOperator, printLabelFilter, printLogql, printSelector, printStage } from './print.ts';

/**
 * The expression as Loki's `format_query` writes it.
 *
 * @param maxLine parts that are longer go over several lines
 */
export function prettyPrintLogql(expr: LogqlExpr, maxLine = 100): string {
  return new PrettyPrinter(maxLine).print(expr, 0);
}

class PrettyPrinter {
  readonly #maxLine: number;

  constructor(maxLine: number) {
    this.#maxLine = maxLine;
  }

  print(expr: LogqlExpr, level: number): string {
    const short = indent(level) + printLogql(expr);
    switch (expr.kind) {
      case 'log':
        return this.#log(expr, level);
      case 'rangeAggregation': {
        if (this.#fits(expr)) return short;
        const parameter = expr.parameter === undefined ? '' : `${indent(level + 1)}${Number(expr.parameter)},\n`;
        const inner = this.#logRange(expr.logRange, level + 1);
        return `${indent(level)}${expr.operator}(\n${parameter}${inner}\n${indent(level)})${prettyGrouping(expr.grouping)}`;
      }
      case 'vectorAggregation': {
        if (this.#fits(expr)) return short;
        const parameter = expr.parameter === undefined ? '' : `${indent(level + 1)}${Number(expr.parameter)},\n`;
        const head = `${indent(level)}${expr.operator}${prettyGrouping(expr.grouping)}`;
        return `${head}(\n${parameter}${this.print(expr.expr, level + 1)}\n${indent(level)})`;
      }
      case 'labelReplace': {
        if (this.#fits(expr)) return short;
        const texts = [expr.target, expr.replacement, expr.source, expr.expression];
        const parameters = [
          this.print(expr.expr, level + 1),
          ...texts.map((text) => `${indent(level + 1)}${quoteGo(text)}`),
        ];
        return `${indent(level)}label_replace(\n${parameters.join(',\n')}\n${indent(level)})`;
      }
      case 'binary': {
        if (this.#fits(expr)) return short;
        const operator = `${indent(level)}${printBinaryOperator(expr, ', ')}`;
        return `${this.#operand(expr, expr.left, level)}\n${operator}\n${this.#operand(expr, expr.right, level)}`;
      }
      default:
        return short;
    }
  }

  #log(log: LogExpr, level: number): string {
    if (this.#fits(log)) return indent(level) + printLogql(log);
    const stages = this.#stageLines(log.stages).map((line) => indent(level + 1) + line);
    return [indent(level) + printSelector(log.matchers), ...stages].join('\n');
  }

  /** Line filters one behind the other are one stage in Loki: as many as fit stand on the first line. */
  #stageLines(stages: readonly Stage[]): string[] {
    const lines: string[] = [];
    let chain: string | undefined;
    for (const stage of stages) {
      const text = printStage(stage);
      const longer: string | undefined = chain === undefined ? undefined : `${chain} ${text}`;
      if (longer !== undefined && longer.length <= this.#maxLine && stage.kind === 'lineFilter') {
        lines[lines.length - 1] = longer;
      } else lines.push(text);
      chain = stage.kind === 'lineFilter' ? (longer ?? text) : undefined;
    }
    return lines;
  }

  #logRange({ log, unwrap, intervalMs, offsetMs }: LogRange, level: number): string {
    const offset = offsetMs === 0 ? '' : ` offset ${formatPromqlDuration(offsetMs)}`;
    const lines = unwrap ? `${this.#log(log, level)}\n${this.#unwrap(unwrap, level + 1)}` : this.#log(log, level);
    return `${lines} [${formatPromqlDuration(intervalMs)}]${offset}`;
  }

  #unwrap({ label, conversion, filters }: Unwrap, level: number): string {
    const first = `${indent(level)}| unwrap ${conversion ? `${conversion}(${label})` : label}`;
    return [first, ...filters.map((filter) => `${indent(level)}| ${printLabelFilter(filter)}`)].join('\n');
  }

  /** In parentheses where the operators would otherwise be taken in another order. */
  #operand(parent: LogqlBinaryExpr, operand: LogqlExpr, level: number): string {
    const text = this.print(operand, level + 1);
    if (operand.kind !== 'binary' || this.#fits(operand)) return text;
    const mine = LOGQL_PRECEDENCE.get(operand.operator) ?? 0;
    const its = LOGQL_PRECEDENCE.get(parent.operator) ?? 0;
    const isFirst = (parent.operator === '^') === (operand === parent.right);
    if (mine > its || (mine === its && isFirst)) return text;
    return `${indent(level + 1)}(\n${text}\n${indent(level + 1)})`;
  }

  #fits(expr: LogqlExpr): boolean {
    return printLogql(expr).length <= this.#maxLine;
  }
}

function prettyGrouping(grouping: Grouping | undefined): string {
  if (!grouping) return '';
  if (grouping.labels.length > 0) return ` ${grouping.isWithout ? 'without' : 'by'} (${grouping.labels.join(', ')})`;
  return grouping.isWithout ? ' without ()' : '';
}

function indent(level: number): string {
  return '  '.repeat(level);
}
