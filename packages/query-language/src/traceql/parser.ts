import type { TextRange } from '../promql/ast.ts';
import { negate } from './apply-operator.ts';
import {
  type Aggregate,
  type ArithmeticOperator,
  type ComparisonOperator,
  type FieldExpr,
  type Hint,
  type Literal,
  METRICS_FUNCTIONS,
  type MetricsExpr,
  type MetricsStage,
  type Pipeline,
  type ScalarExpr,
  type ScalarFilter,
  type SpansetExpr,
  type SpansetOperation,
  type SpansetOperator,
  STRUCTURAL_OPERATORS,
  type Stage,
  type TraceqlQuery,
} from './ast.ts';
import { checkTypes } from './check-types.ts';
import { parseFieldExpr, parseFields, parseSpansetFilter } from './parse-fields.ts';
import { parseMetricsSource, parseMetricsStages } from './parse-metrics.ts';
import { foldNumbers } from './parse-number.ts';
import { TokenReader } from './token-reader.ts';
import { TraceqlError } from './traceql-error.ts';

const MAX_QUERY_LENGTH = 1 << 17;

/** Parses TraceQL without checking its types. Throws TraceqlError of kind `syntax`. */
export function parseTraceqlSyntax(query: string): TraceqlQuery {
  if (query.length > MAX_QUERY_LENGTH) {
    const reason = `the query is longer than ${MAX_QUERY_LENGTH} characters`;
    throw new TraceqlError('syntax', '', { start: 0, end: 0 }, reason);
  }
  return new Parser(new TokenReader(query)).parse();
}

/** Parses a TraceQL query and checks its types. Throws TraceqlError with the first mistake. */
export function parseTraceql(query: string): TraceqlQuery {
  const parsed = parseTraceqlSyntax(query);
  checkTypes(query, parsed);
  return parsed;
}

const AGGREGATES: ReadonlySet<string> = new Set(['count', 'min', 'max', 'avg', 'sum']);
const STRUCTURAL: ReadonlySet<string> = new Set(STRUCTURAL_OPERATORS);
const COMPARISONS: ReadonlySet<string> = new Set(['=', '!=', '<', '<=', '>', '>=']);
const ARITHMETIC: ReadonlySet<string> = new Set(['+', '-', '*', '/', '%', '^']);
/** What may be done with whole series, and with numbers outside of braces. */
const SERIES_ARITHMETIC: ReadonlySet<string> = new Set(['+', '-', '*', '/']);
const METRICS_WORDS: ReadonlySet<string> = new Set([...METRICS_FUNCTIONS, 'compare']);

/** How tightly operators outside of braces bind. All but `^` group from the left. */
const PRECEDENCE: ReadonlyMap<string, number> = new Map<string, number>([
  ['&&', 1],
  ['||', 1],
  ...[...STRUCTURAL_OPERATORS, ...COMPARISONS].map((operator) => [operator, 2] as const),
  ['+', 3],
  ['-', 3],
  ['*', 5],
  ['/', 5],
  ['%', 5],
  ['^', 6],
]);
const POWER_PRECEDENCE = 6;

/**
 * What has been read outside of braces. Which operators go with it, and where it may stand, depends on what it is: `combined`
 * are pipelines in parentheses that operators join, a `scalarPipeline` is one in parentheses that ends with an aggregate.
 */
type Parsed =
  | { readonly sort: 'spanset'; readonly node: SpansetExpr; readonly isWrapped: boolean }
  | { readonly sort: 'pipeline'; readonly node: Pipeline; readonly isWrapped: boolean }
  | { readonly sort: 'combined'; readonly node: SpansetOperation }
  | { readonly sort: 'scalar' | 'scalarPipeline'; readonly node: ScalarExpr }
  | { readonly sort: 'number'; readonly node: Literal }
  | { readonly sort: 'filter' | 'pipelineFilter'; readonly node: ScalarFilter }
  | { readonly sort: 'metrics'; readonly node: MetricsExpr; readonly isWrapped: boolean };

class Parser {
  readonly #tokens: TokenReader;

  constructor(tokens: TokenReader) {
    this.#tokens = tokens;
  }

  parse(): TraceqlQuery {
    const tokens = this.#tokens;
    if (tokens.token.kind === 'end') tokens.unexpected();
    const parsed = this.#pipelineOrExpression();
    const expr = this.#root(parsed);
    const hints: Hint[] = [];
    while (tokens.isWord('with')) hints.push(...this.#hints());
    if (tokens.token.kind !== 'end') tokens.unexpected();
    return { expr, hints };
  }

  /** What a query may be as a whole. */
  #root(parsed: Parsed): TraceqlQuery['expr'] {
    const { node } = parsed;
    switch (parsed.sort) {
      case 'spanset':
      case 'combined':
      case 'filter':
      case 'pipelineFilter':
        return { kind: 'pipeline', stages: [parsed.node], range: node.range };
      case 'pipeline':
        return parsed.node;
      case 'metrics': {
        const stages = parsed.isWrapped ? parseMetricsStages(this.#tokens) : [];
        return withStages(parsed.node, stages);
      }
      case 'number':
      case 'scalar':
      case 'scalarPipeline':
        if (this.#tokens.token.kind !== 'end') this.#tokens.unexpected();
        return this.#tokens.fail('a comparison is missing: this is a number, not a set of spans', node.range);
    }
  }

  /** At the beginning of a query and of a parenthesis. */
  #pipelineOrExpression(): Parsed {
    const tokens = this.#tokens;
    const { start } = tokens.token;
    const first = this.#stage();
    // Series in parentheses are followed by stages of their own.
    const isSeries = !('kind' in first) && first.sort === 'metrics';
    if (!tokens.is('|') || isSeries) {
      if ('kind' in first)
        return { sort: 'pipeline', node: pipelineOf([first], start, first.range.end), isWrapped: false };
      return first;
    }
    const stages: Stage[] = ['kind' in first ? first : this.#asStage(first)];
    while (tokens.is('|')) {
      tokens.advance();
      if (tokens.token.kind === 'word' && METRICS_WORDS.has(tokens.token.text)) {
        const pipeline = pipelineOf(stages, start, stages.at(-1)?.range.end ?? start);
        return { sort: 'metrics', node: parseMetricsSource(tokens, pipeline), isWrapped: false };
      }
      const stage = tokens.isWord('coalesce') ? this.#coalesce() : this.#stage();
      if ('kind' in stage) {
        stages.push(stage);
      } else if (stage.sort === 'scalar' && stage.node.kind === 'aggregate') {
        stages.push(stage.node);
        return { sort: 'scalarPipeline', node: pipelineOf(stages, start, stage.node.range.end) };
      } else stages.push(this.#asStage(stage));
    }
    return { sort: 'pipeline', node: pipelineOf(stages, start, stages.at(-1)?.range.end ?? start), isWrapped: false };
  }

  #asStage(parsed: Parsed): Stage {
    if (parsed.sort === 'spanset' || parsed.sort === 'filter') return parsed.node;
    return this.#tokens.fail('syntax error: this can be no stage of a pipeline', parsed.node.range);
  }

  #stage(): Stage | Parsed {
    if (this.#tokens.isWord('by')) return this.#groupBy();
    if (this.#tokens.isWord('select')) return this.#select();
    return this.#expression(0);
  }

  #groupBy(): Stage {
    const { start } = this.#tokens.take();
    this.#tokens.expect('(');
    const expr = parseFieldExpr(this.#tokens);
    const { end } = this.#tokens.expect(')');
    return { kind: 'groupBy', expr, range: { start, end } };
  }

  #coalesce(): Stage {
    const { start } = this.#tokens.take();
    this.#tokens.expect('(');
    const { end } = this.#tokens.expect(')');
    return { kind: 'coalesce', range: { start, end } };
  }

  #select(): Stage {
    const { start } = this.#tokens.take();
    this.#tokens.expect('(');
    const fields = parseFields(this.#tokens);
    const { end } = this.#tokens.expect(')');
    return { kind: 'select', fields, range: { start, end } };
  }

  /** An expression whose operators bind at least as tightly as `minimum`. */
  #expression(minimum: number): Parsed {
    const tokens = this.#tokens;
    return tokens.nested(() => {
      let left = this.#primary();
      for (;;) {
        const { token } = tokens;
        const precedence = token.kind === 'operator' ? PRECEDENCE.get(token.text) : undefined;
        if (precedence === undefined || precedence < minimum) return left;
        // A comparison of series is a stage of its own, after everything else.
        if (left.sort === 'metrics' && COMPARISONS.has(token.text)) return left;
        tokens.advance();
        const right = this.#expression(precedence === POWER_PRECEDENCE ? precedence : precedence + 1);
        left = this.#combine(token.text, left, right, { start: token.start, end: token.end });
      }
    });
  }

  #primary(): Parsed {
    const tokens = this.#tokens;
    const { token } = tokens;
    if (token.kind === 'literal') {
      if (token.value.type !== 'int' && token.value.type !== 'float' && token.value.type !== 'duration') {
        tokens.unexpected();
      }
      tokens.advance();
      return { sort: 'number', node: { kind: 'literal', value: token.value, range: rangeOf(token) } };
    }
    if (tokens.is('-')) {
      tokens.advance();
      const operand = tokens.nested(() => this.#primary());
      if (operand.sort !== 'number')
        return tokens.fail('syntax error: - can stand before a number only', rangeOf(token));
      const range = { start: token.start, end: operand.node.range.end };
      return { sort: 'number', node: { kind: 'literal', value: negate(operand.node.value), range } };
    }
    if (tokens.is('(')) return tokens.nested(() => this.#parenthesis());
    if (tokens.is('{')) return { sort: 'spanset', node: parseSpansetFilter(tokens), isWrapped: false };
    if (token.kind === 'word' && AGGREGATES.has(token.text)) return { sort: 'scalar', node: this.#aggregate() };
    return tokens.unexpected();
  }

  #parenthesis(): Parsed {
    const tokens = this.#tokens;
    const { start } = tokens.take();
    const inner = this.#pipelineOrExpression();
    const { end } = tokens.expect(')');
    switch (inner.sort) {
      case 'spanset':
        return { ...inner, isWrapped: true };
      case 'pipeline':
        if (inner.isWrapped) return tokens.fail('syntax error: one pair of parentheses is enough', { start, end });
        return { ...inner, isWrapped: true };
      case 'metrics':
        return { ...inner, isWrapped: true };
      case 'filter':
        return { sort: 'pipeline', node: pipelineOf([inner.node], start, end), isWrapped: true };
      case 'pipelineFilter':
        return tokens.fail('syntax error: this comparison can stand for a whole query only', { start, end });
      default:
        return inner;
    }
  }

  #aggregate(): Aggregate {
    const tokens = this.#tokens;
    const { text, start } = tokens.take();
    const operator = text as Aggregate['operator'];
    tokens.expect('(');
    const expr: FieldExpr | undefined = operator === 'count' ? undefined : parseFieldExpr(tokens);
    const { end } = tokens.expect(')');
    return { kind: 'aggregate', operator, expr, range: { start, end } };
  }

  #combine(operator: string, left: Parsed, right: Parsed, place: TextRange): Parsed {
    const range = { start: left.node.range.start, end: right.node.range.end };
    if (isSpansets(left) && isSpansets(right) && (operator === '&&' || operator === '||' || STRUCTURAL.has(operator))) {
      return this.#combineSpansets(operator as SpansetOperator, left, right, range);
    }
    if (ARITHMETIC.has(operator)) {
      if (left.sort === 'number' && right.sort === 'number') {
        return { sort: 'number', node: foldNumbers(this.#tokens, operator, left.node, right.node) };
      }
      if (isSeries(left) && isSeries(right) && SERIES_ARITHMETIC.has(operator)) {
        return this.#combineSeries(operator as '+' | '-' | '*' | '/', left.node, right.node, range);
      }
      const isPipelines = left.sort === 'scalarPipeline' && right.sort === 'scalarPipeline';
      if (isPipelines || (isScalar(left) && isScalar(right))) {
        const node = {
          kind: 'scalarOperation',
          operator: operator as ArithmeticOperator,
          left: left.node,
          right: right.node,
          range,
        } as const;
        return { sort: isPipelines ? 'scalarPipeline' : 'scalar', node };
      }
    } else if (COMPARISONS.has(operator)) {
      const isPipelines =
        left.sort === 'scalarPipeline' && (right.sort === 'scalarPipeline' || right.sort === 'number');
      if (isPipelines || (isScalar(left) && isScalar(right) && (left.sort === 'scalar' || right.sort === 'scalar'))) {
        const node = {
          kind: 'scalarFilter',
          operator: operator as ComparisonOperator,
          left: left.node,
          right: right.node,
          range,
        } as const;
        return { sort: isPipelines ? 'pipelineFilter' : 'filter', node };
      }
    }
    return this.#tokens.fail(`syntax error: unexpected ${operator}: it can't stand between these`, place);
  }

  #combineSpansets(operator: SpansetOperator, left: SpansetLike, right: SpansetLike, range: TextRange): Parsed {
    const node: SpansetOperation = { kind: 'spansetOperation', operator, left: left.node, right: right.node, range };
    if (left.sort === 'spanset' && right.sort === 'spanset') return { sort: 'spanset', node, isWrapped: false };
    for (const side of [left, right]) {
      if (side.sort === 'spanset' && !side.isWrapped) {
        this.#tokens.fail('syntax error: between pipelines, put this into parentheses', side.node.range);
      }
    }
    return { sort: 'combined', node };
  }

  #combineSeries(
    operator: '+' | '-' | '*' | '/',
    left: MetricsExpr | Literal,
    right: MetricsExpr | Literal,
    range: TextRange,
  ): Parsed {
    for (const side of [left, right]) {
      if (side.kind === 'literal' && side.value.type === 'duration') {
        this.#tokens.fail('duration cannot be used as a scalar operand in metric arithmetic', side.range);
      }
    }
    const node: MetricsExpr = { kind: 'metricsOperation', operator, left, right, stages: [], range };
    return { sort: 'metrics', node, isWrapped: true };
  }

  #hints(): Hint[] {
    const tokens = this.#tokens;
    tokens.advance();
    tokens.expect('(');
    const hints: Hint[] = [];
    for (;;) {
      const { kind, text, start } = tokens.token;
      if (kind !== 'word') tokens.unexpected('the name of a hint');
      tokens.advance();
      tokens.expect('=');
      const expr = parseFieldExpr(tokens);
      if (expr.kind !== 'literal') tokens.fail("a hint's value must be a literal", expr.range);
      else hints.push({ name: text, value: expr.value, range: { start, end: expr.range.end } });
      if (!tokens.is(',')) break;
      tokens.advance();
    }
    tokens.expect(')');
    return hints;
  }
}

type SpansetLike = Parsed & { readonly sort: 'spanset' | 'pipeline' | 'combined' };

/** What operators between sets of spans take. A pipeline must be in parentheses. */
function isSpansets(parsed: Parsed): parsed is SpansetLike {
  return parsed.sort === 'spanset' || parsed.sort === 'combined' || (parsed.sort === 'pipeline' && parsed.isWrapped);
}

function isScalar(parsed: Parsed): parsed is Parsed & { readonly sort: 'scalar' | 'number' } {
  return parsed.sort === 'scalar' || parsed.sort === 'number';
}

function isSeries(parsed: Parsed): parsed is Parsed & { readonly sort: 'metrics' | 'number' } {
  return parsed.sort === 'number' || (parsed.sort === 'metrics' && parsed.isWrapped);
}

function pipelineOf(stages: readonly Stage[], start: number, end: number): Pipeline {
  return { kind: 'pipeline', stages, range: { start, end } };
}

function withStages(expr: MetricsExpr, stages: readonly MetricsStage[]): MetricsExpr {
  return stages.length === 0 ? expr : { ...expr, stages: [...expr.stages, ...stages] };
}

function rangeOf({ start, end }: TextRange): TextRange {
  return { start, end };
}
