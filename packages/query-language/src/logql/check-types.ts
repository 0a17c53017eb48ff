import { RE2JS } from 're2js';
import { canMatchEmpty } from '../promql/matcher.ts';
import {
  type LabelFilter,
  LOGQL_SET_OPERATORS,
  type LogExpr,
  type LogqlBinaryExpr,
  type LogqlExpr,
  type RangeAggregation,
  type RangeOperator,
  type Stage,
  type VectorAggregation,
} from './ast.ts';
import { parseIpPattern } from './ip-pattern.ts';
import { parseJsonPath } from './json-path.ts';
import { parsePatternFilter } from './line-pattern.ts';
import { LogqlParseError } from './parse-error.ts';
import { printStage } from './print.ts';

const GROUPABLE: ReadonlySet<RangeOperator> = new Set<RangeOperator>([
  'avg_over_time',
  'stddev_over_time',
  'stdvar_over_time',
  'quantile_over_time',
  'max_over_time',
  'min_over_time',
  'first_over_time',
  'last_over_time',
]);
const OF_LINES: ReadonlySet<RangeOperator> = new Set<RangeOperator>([
  'bytes_over_time',
  'bytes_rate',
  'count_over_time',
  'rate',
  'absent_over_time',
]);
const ONLY_OF_LINES: ReadonlySet<RangeOperator> = new Set<RangeOperator>([
  'bytes_over_time',
  'bytes_rate',
  'count_over_time',
]);
const PARAMETRIC: ReadonlySet<string> = new Set(['topk', 'bottomk', 'approx_topk']);
const NO_SELECTIVE_MATCHER =
  'queries require at least one regexp or equality matcher that does not have an empty-compatible value. For instance, app=~".*" does not meet this requirement, but app=~".+" will';

/** Throws LogqlParseError with the first mistake from the outside inwards, in Loki's words. */
export function checkLogql(expr: LogqlExpr): void {
  switch (expr.kind) {
    case 'log':
      checkLog(expr);
      break;
    case 'rangeAggregation':
      checkRange(expr);
      checkLog(expr.logRange.log);
      for (const filter of expr.logRange.unwrap?.filters ?? []) checkLabelFilter(filter, expr.range);
      break;
    case 'vectorAggregation':
      checkVector(expr);
      checkLogql(expr.expr);
      break;
    case 'labelReplace': {
      const fault = faultOf(() => RE2JS.compile(`^(?:${expr.expression})$`));
      if (fault !== undefined) throw new LogqlParseError(`invalid regex in label_replace: ${fault}`, expr.range);
      checkLogql(expr.expr);
      break;
    }
    case 'binary':
      checkBinary(expr);
      checkLogql(expr.left);
      checkLogql(expr.right);
      break;
    default:
  }
}

function checkLog({ matchers, stages, range }: LogExpr): void {
  const isSelective = matchers.some(
    (matcher) => (matcher.operator === '=' || matcher.operator === '=~') && !canMatchEmpty(matcher),
  );
  if (!isSelective) throw new LogqlParseError(NO_SELECTIVE_MATCHER, range);
  for (const stage of stages) checkStage(stage);
}

function checkRange({ operator, parameter, logRange, grouping, range }: RangeAggregation): void {
  const fail = (reason: string): never => {
    throw new LogqlParseError(reason, range);
  };
  if (parameter !== undefined && operator !== 'quantile_over_time') {
    fail(`parameter ${parameter} not supported for operation ${operator}`);
  }
  if (operator === 'quantile_over_time') {
    if (parameter === undefined) fail(`parameter required for operation ${operator}`);
    else if (Number.isNaN(Number(parameter))) {
      fail(`invalid parameter for operation ${operator}: strconv.ParseFloat: parsing "${parameter}": invalid syntax`);
    }
  }
  if (grouping && !GROUPABLE.has(operator)) fail(`grouping not allowed for ${operator} aggregation`);
  if (logRange.unwrap && ONLY_OF_LINES.has(operator)) fail(`invalid aggregation ${operator} with unwrap`);
  if (!logRange.unwrap && !OF_LINES.has(operator)) fail(`invalid aggregation ${operator} without unwrap`);
}

function checkVector({ operator, parameter, grouping, range }: VectorAggregation): void {
  const fail = (reason: string): never => {
    throw new LogqlParseError(reason, range);
  };
  if (!PARAMETRIC.has(operator)) {
    if (parameter !== undefined) fail(`unsupported parameter for operation ${operator}(${parameter},`);
    if (operator.startsWith('sort') && grouping && grouping.labels.length > 0) {
      fail("sort and sort_desc doesn't allow grouping by ");
    }
    return;
  }
  if (parameter === undefined) fail(`parameter required for operation ${operator}`);
  else if (!/^\d+$/.test(parameter)) fail(`invalid parameter ${operator}(${parameter},`);
  else if (Number(parameter) <= 0) fail(`invalid parameter (must be greater than 0) ${operator}(${parameter}`);
  if (operator === 'approx_topk' && grouping) fail(`grouping not allowed for ${operator} aggregation`);
}

function checkBinary({ operator, left, right, range }: LogqlBinaryExpr): void {
  for (const [leg, expr] of [
    ['left', left],
    ['right', right],
  ] as const) {
    if (expr.kind !== 'log') continue;
    const type = expr.stages.length > 0 ? 'PipelineExpr' : 'MatchersExpr';
    const reason = `unexpected type for ${leg} leg of binary operation (${operator}): *syntax.${type}`;
    throw new LogqlParseError(reason, expr.range);
  }
  if (!LOGQL_SET_OPERATORS.has(operator)) return;
  for (const [leg, expr] of [
    ['left', left],
    ['right', right],
  ] as const) {
    if (expr.kind !== 'number') continue;
    const of = `${leg} leg of logical/set binary operation (${operator})`;
    throw new LogqlParseError(`unexpected literal for ${of}: ${expr.value.toFixed(6)}`, range);
  }
}

function checkStage(stage: Stage): void {
  const fail = (reason: string): never => {
    throw new LogqlParseError(`stage '${printStage(stage)}' : ${reason}`, stage.range);
  };
  switch (stage.kind) {
    case 'lineFilter':
      for (const { text, isIp } of stage.alternatives) {
        if (isIp) {
          if (stage.operator !== '|=' && stage.operator !== '!=') fail('ip: invalid operation');
          if (!parseIpPattern(text)) fail(`ip: invalid pattern: ${JSON.stringify(text)}`);
          continue;
        }
        const fault = faultOf(() => {
          if (stage.operator === '|~' || stage.operator === '!~') RE2JS.compile(text);
          if (stage.operator === '|>' || stage.operator === '!>') parsePatternFilter(text);
        });
        if (fault !== undefined) fail(fault);
      }
      break;
    case 'json':
      for (const { expression } of stage.extractions) {
        const fault = faultOf(() => parseJsonPath(expression));
        if (fault !== undefined) fail(`cannot parse expression [${expression}]: ${fault}`);
      }
      break;
    case 'logfmt':
      for (const { expression } of stage.extractions) {
        if (expression === '' || /[\s"=]/.test(expression)) {
          fail(`cannot parse expression [${expression}]: not a key of logfmt`);
        }
      }
      break;
    case 'labelFormat': {
      const seen = new Set<string>();
      for (const { label } of stage.formats) {
        if (label === '__error__') fail(`${label} cannot be formatted`);
        if (seen.has(label)) fail(`multiple label name '${label}' not allowed in a single format operation`);
        seen.add(label);
      }
      break;
    }
    case 'labelFilter':
      checkLabelFilter(stage.filter, stage.range, printStage(stage));
      break;
    default:
  }
}

function checkLabelFilter(filter: LabelFilter, range: LogExpr['range'], stage = ''): void {
  if (filter.kind === 'and' || filter.kind === 'or') {
    checkLabelFilter(filter.left, range, stage);
    checkLabelFilter(filter.right, range, stage);
  } else if (filter.kind === 'ip' && !filter.ip) {
    const reason = `ip: invalid pattern: ${JSON.stringify(filter.pattern)}`;
    throw new LogqlParseError(stage === '' ? reason : `stage '${stage}' : ${reason}`, range);
  }
}

/** What a function throws, as text. */
function faultOf(check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
