import type {
  Compare,
  ComparisonOperator,
  Field,
  MetricsAggregate,
  MetricsFunction,
  MetricsQuery,
  MetricsStage,
  Pipeline,
} from './ast.ts';
import { parseField, parseFields, parseSpansetFilter } from './parse-fields.ts';
import { parseNumber } from './parse-number.ts';
import type { TokenReader } from './token-reader.ts';

const WITHOUT_FIELD: ReadonlySet<string> = new Set(['rate', 'count_over_time']);
const COMPARISONS: ReadonlySet<string> = new Set(['=', '!=', '<', '<=', '>', '>=']);
const DEFAULT_TOP = 10;

/** After `pipeline |`: what makes series of its spans, and the stages that follow. */
export function parseMetricsSource(tokens: TokenReader, pipeline: Pipeline): MetricsQuery {
  const aggregate = tokens.isWord('compare') ? parseCompare(tokens) : parseAggregate(tokens);
  const stages = parseMetricsStages(tokens);
  const end = stages.at(-1)?.range.end ?? aggregate.range.end;
  return { kind: 'metricsQuery', pipeline, aggregate, stages, range: { start: pipeline.range.start, end } };
}

/** `| topk(5) > 10`, as many as there are. */
export function parseMetricsStages(tokens: TokenReader): MetricsStage[] {
  const stages: MetricsStage[] = [];
  for (;;) {
    const { token } = tokens;
    if (tokens.is('|')) {
      tokens.advance();
      stages.push(parseRank(tokens));
    } else if (token.kind === 'operator' && COMPARISONS.has(token.text)) {
      tokens.advance();
      const { value, range } = parseNumber(tokens);
      const number = value.type === 'duration' ? Number(value.value) / 1e9 : Number(value.value);
      const operator = token.text as ComparisonOperator;
      stages.push({ kind: 'metricsFilter', operator, value: number, range: { start: token.start, end: range.end } });
    } else return stages;
  }
}

function parseRank(tokens: TokenReader): MetricsStage {
  const { kind, text, start } = tokens.token;
  if (kind !== 'word' || (text !== 'topk' && text !== 'bottomk')) return tokens.unexpected('topk or bottomk');
  tokens.advance();
  tokens.expect('(');
  const limit = Number(parseWhole(tokens));
  const { end } = tokens.expect(')');
  return { kind: text, limit, range: { start, end } };
}

function parseAggregate(tokens: TokenReader): MetricsAggregate {
  const { text, start } = tokens.take();
  tokens.expect('(');
  const field = WITHOUT_FIELD.has(text) ? undefined : parseField(tokens);
  const quantiles: number[] = [];
  if (text === 'quantile_over_time') {
    tokens.expect(',');
    quantiles.push(parsePlainNumber(tokens));
    while (tokens.is(',')) {
      tokens.advance();
      quantiles.push(parsePlainNumber(tokens));
    }
  }
  let { end } = tokens.expect(')');
  let by: Field[] = [];
  if (tokens.isWord('by')) {
    tokens.advance();
    tokens.expect('(');
    by = parseFields(tokens);
    ({ end } = tokens.expect(')'));
  }
  return { kind: 'metricsAggregate', function: text as MetricsFunction, field, quantiles, by, range: { start, end } };
}

function parseCompare(tokens: TokenReader): Compare {
  const { start: from } = tokens.take();
  tokens.expect('(');
  const selection = parseSpansetFilter(tokens);
  let topN = DEFAULT_TOP;
  let start = 0n;
  let end = 0n;
  if (tokens.is(',')) {
    tokens.advance();
    topN = Number(parseWhole(tokens));
    if (tokens.is(',')) {
      tokens.advance();
      start = parseWhole(tokens);
      tokens.expect(',');
      end = parseWhole(tokens);
    }
  }
  const { end: to } = tokens.expect(')');
  return { kind: 'compare', selection, topN, start, end, range: { start: from, end: to } };
}

function parseWhole(tokens: TokenReader): bigint {
  const { token } = tokens;
  if (token.kind !== 'literal' || token.value.type !== 'int') return tokens.unexpected('a whole number');
  tokens.advance();
  return BigInt(token.value.value);
}

function parsePlainNumber(tokens: TokenReader): number {
  const { token } = tokens;
  if (token.kind !== 'literal' || (token.value.type !== 'int' && token.value.type !== 'float')) {
    return tokens.unexpected('a number');
  }
  tokens.advance();
  return Number(token.value.value);
}
