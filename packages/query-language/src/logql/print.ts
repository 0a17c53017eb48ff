import type { LabelMatcher } from '../promql/ast.ts';
import { formatPromqlDuration } from '../promql/duration.ts';
import { quoteGo } from '../promql/quote.ts';
import { formatGoDuration } from '../traceql/duration.ts';
import type {
  Extraction,
  Grouping,
  LabelFilter,
  LogExpr,
  LogqlBinaryExpr,
  LogqlExpr,
  LogRange,
  Stage,
  Unwrap,
} from './ast.ts';
import { formatByteSize, parseByteSize } from './byte-size.ts';

/** The expression in Loki's canonical form, on one line. Parsing it gives the same expression. */
export function printLogql(expr: LogqlExpr): string {
  switch (expr.kind) {
    case 'log':
      return printLog(expr);
    case 'rangeAggregation': {
      const parameter = expr.parameter === undefined ? '' : `${printNumber(Number(expr.parameter))},`;
      return `${expr.operator}(${parameter}${printLogRange(expr.logRange)})${printGrouping(expr.grouping)}`;
    }
    case 'vectorAggregation': {
      const parameter = expr.parameter === undefined ? '' : `${Number(expr.parameter)},`;
      const { grouping } = expr;
      const isSingleton = grouping?.labels.length === 0 && !grouping.isWithout;
      return `${expr.operator}${isSingleton ? '' : printGrouping(grouping)}(${parameter}${printLogql(expr.expr)})`;
    }
    case 'binary':
      return `(${printLogql(expr.left)} ${printBinaryOperator(expr)} ${printLogql(expr.right)})`;
    case 'number':
      return printNumber(expr.value);
    case 'vector':
      return `vector(${expr.value.toFixed(6)})`;
    case 'labelReplace': {
      const texts = [expr.target, expr.replacement, expr.source, expr.expression].map(quoteGo);
      return `label_replace(${printLogql(expr.expr)},${texts.join(',')})`;
    }
  }
}

function printLog({ matchers, stages }: LogExpr): string {
  return [printSelector(matchers), ...stages.map(printStage)].join(' ');
}

export function printSelector(matchers: readonly LabelMatcher[]): string {
  return `{${matchers.map(printLogqlMatcher).join(', ')}}`;
}

export function printLogqlMatcher({ name, operator, value }: LabelMatcher): string {
  return `${name}${operator}${quoteGo(value)}`;
}

export function printStage(stage: Stage): string {
  switch (stage.kind) {
    case 'lineFilter': {
      const texts = stage.alternatives.map(({ text, isIp }) => (isIp ? `ip(${quoteGo(text)})` : quoteGo(text)));
      return `${stage.operator} ${texts.join(' or ')}`;
    }
    case 'json':
      return `| json${printExtractions(stage.extractions)}`;
    case 'logfmt': {
      const flags = `${stage.isStrict ? ' --strict' : ''}${stage.keepsEmpty ? ' --keep-empty' : ''}`;
      return `| logfmt${flags}${printExtractions(stage.extractions)}`;
    }
    case 'regexp':
    case 'pattern':
      return `| ${stage.kind} ${quoteGo(stage.expression)}`;
    case 'unpack':
    case 'decolorize':
      return `| ${stage.kind}`;
    case 'labelFilter':
      return `| ${printLabelFilter(stage.filter)}`;
    case 'lineFormat':
      return `| line_format ${quoteGo(stage.template)}`;
    case 'labelFormat': {
      const formats = stage.formats.map(
        ({ label, isRename, value }) => `${label}=${isRename ? value : quoteGo(value)}`,
      );
      return `| label_format ${formats.join(',')}`;
    }
    case 'drop':
    case 'keep': {
      const labels = stage.labels.map((label) => (typeof label === 'string' ? label : printLogqlMatcher(label)));
      return `| ${stage.kind} ${labels.join(',')}`;
    }
  }
}

function printExtractions(extractions: readonly Extraction[]): string {
  const texts = extractions.map(({ label, expression }) => `${label}=${quoteGo(expression)}`);
  return texts.length === 0 ? '' : ` ${texts.join(',')}`;
}

export function printLabelFilter(filter: LabelFilter): string {
  switch (filter.kind) {
    case 'matcher':
      return printLogqlMatcher(filter.matcher);
    case 'ip':
      return `${filter.label}${filter.isNegative ? '!=' : '='}ip(${quoteGo(filter.pattern)})`;
    case 'number':
      return `${filter.label}${filter.comparison}${printDecimal(filter.value)}`;
    case 'duration':
      return `${filter.label}${filter.comparison}${formatGoDuration(filter.value)}`;
    case 'bytes': {
      // Rounded sizes read nicely, but would be another filter.
      const text = formatByteSize(filter.value);
      return `${filter.label}${filter.comparison}${parseByteSize(text) === filter.value ? text : `${filter.value}B`}`;
    }
    case 'and':
    case 'or':
      return `( ${printLabelFilter(filter.left)} ${filter.kind === 'and' ? ',' : 'or'} ${printLabelFilter(filter.right)} )`;
  }
}

/** ` | unwrap duration(latency) | __error__=""` */
export function printUnwrap({ label, conversion, filters }: Unwrap): string {
  const target = conversion ? `${conversion}(${label})` : label;
  return ` | unwrap ${target}${filters.map((filter) => ` | ${printLabelFilter(filter)}`).join('')}`;
}

function printLogRange({ log, unwrap, intervalMs, offsetMs }: LogRange): string {
  const offset = offsetMs === 0 ? '' : ` offset ${formatGoDuration(offsetMs * 1e6)}`;
  return `${printLog(log)}${unwrap ? printUnwrap(unwrap) : ''}[${formatPromqlDuration(intervalMs)}]${offset}`;
}

function printGrouping(grouping: Grouping | undefined): string {
  return grouping ? ` ${grouping.isWithout ? 'without' : 'by'} (${grouping.labels.join(',')})` : '';
}

/** A binary operator with its modifiers. */
export function printBinaryOperator({ operator, matching, returnsBool }: LogqlBinaryExpr, separator = ','): string {
  const { labels, isOn, cardinality, include } = matching;
  let text: string = returnsBool ? `${operator} bool` : operator;
  const isGrouped = cardinality === 'many-to-one' || cardinality === 'one-to-many';
  if (labels.length === 0 && !isOn && !isGrouped) return text;
  text += ` ${isOn ? 'on' : 'ignoring'} (${labels.join(separator)})`;
  if (isGrouped) text += ` group_${cardinality === 'many-to-one' ? 'left' : 'right'} (${include.join(separator)})`;
  return text;
}

/** Go's `%v`. */
function printNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const magnitude = Math.abs(value);
  return magnitude !== 0 && (magnitude < 1e-4 || magnitude >= 1e6)
    ? value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2')
    : String(value);
}

/** Without an exponent. */
function printDecimal(value: number): string {
  const [, sign = '', first = '', rest = '', power] = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(String(value)) ?? [];
  if (power === undefined) return String(value);
  const digits = first + rest;
  const exponent = Number(power);
  return exponent < 0 ? `${sign}0.${'0'.repeat(-exponent - 1)}${digits}` : `${sign}${digits.padEnd(exponent + 1, '0')}`;
}
