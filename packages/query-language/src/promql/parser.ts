import { RE2JS } from 're2js';
import {
  AGGREGATORS,
  type Aggregator,
  type BinaryExpr,
  type BinaryOperator,
  type DurationExpr,
  type Expr,
  type LabelMatcher,
  type MatchOperator,
  type NumberLiteral,
  PARAMETRIC_AGGREGATORS,
  rangeOf,
  type Subquery,
  type TextRange,
  type VectorMatching,
  type VectorSelector,
} from './ast.ts';
import { checkTypes } from './check-types.ts';
import { durationProblem, parsePromqlDuration } from './duration.ts';
import { functionSignatures } from './function-signatures.ts';
import { describeToken, isPlainLabelName, isWord, Lexer, type Token, type TokenKind } from './lexer.ts';
import { ParseError } from './parse-error.ts';
import { quoteGo, unquote } from './quote.ts';

/** What Prometheus has behind feature flags; all off unless said otherwise. */
export interface ParserOptions {
  readonly experimentalFunctions?: boolean;
  readonly durationExpressions?: boolean;
  /** `anchored` and `smoothed`. */
  readonly extendedRangeSelectors?: boolean;
  /** `fill`, `fill_left` and `fill_right`. */
  readonly fillModifiers?: boolean;
  /** Names of letters of any script, and of dots but the first character, need no quotes. */
  readonly unquotedUtf8Names?: boolean;
}

const MAX_QUERY_LENGTH = 1 << 18;
const MAX_DEPTH = 500;
const AGGREGATOR_NAMES: ReadonlySet<string> = new Set(AGGREGATORS);
const EXPERIMENTAL_AGGREGATORS: ReadonlySet<string> = new Set(['limitk', 'limit_ratio']);
const CALLABLE_KEYWORDS: ReadonlySet<string> = new Set(['start', 'end', 'step', 'range', 'max_of', 'min_of']);
/** Words that stand for a metric's name where an expression begins. */
const NOT_METRIC_NAMES: ReadonlySet<string> = new Set(['bool', 'group_left', 'group_right', 'ignoring', 'on', 'atan2']);

/** How tightly operators bind. All but `^` group from the left. */
const PRECEDENCE: ReadonlyMap<string, number> = new Map([
  ['or', 1],
  ['and', 2],
  ['unless', 2],
  ...['==', '!=', '<=', '<', '>=', '>', '</', '>/'].map((operator) => [operator, 3] as const),
  ['+', 4],
  ['-', 4],
  ['*', 5],
  ['/', 5],
  ['%', 5],
  ['atan2', 5],
  ['^', 6],
]);
const POWER_PRECEDENCE = 6;
const ANY_DURATION = 'number, duration, step(), or range()';

/** Seconds beyond what fits 64 bits of nanoseconds. */
const MAX_SECONDS = 2 ** 63 / 1e9;

/**
 * Parses a PromQL expression and checks its types. Throws ParseError with the first mistake, in Prometheus's words.
 */
export function parsePromql(query: string, options: ParserOptions = {}): Expr {
  if (query.length > MAX_QUERY_LENGTH) {
    throw new ParseError('', { start: 0, end: 0 }, `the query is longer than ${MAX_QUERY_LENGTH} characters`);
  }
  return new Parser(query, options).parse();
}

/**
 * Parses a selector of series alone, as `match[]` of Prometheus's API takes it: `up{job="a"}`. Throws ParseError.
 *
 * @returns its conditions; they may all be such that everything fulfils
 */
export function parsePromqlSelector(selector: string, options: ParserOptions = {}): LabelMatcher[] {
  if (selector.length > MAX_QUERY_LENGTH) {
    throw new ParseError('', { start: 0, end: 0 }, `the selector is longer than ${MAX_QUERY_LENGTH} characters`);
  }
  return new Parser(selector, options).parseSelector();
}

class Parser {
  readonly #query: string;
  readonly #options: ParserOptions;
  readonly #lexer: Lexer;
  #token: Token;
  /** End of the last token that may close an expression. */
  #lastClosing = 0;
  /** End of the list of arguments or labels that was read last. */
  #closing = 0;
  #depth = 0;
  /** What the innermost construct around calls itself in messages about a token that it can't do with, and what it expected instead. */
  #around: { readonly context: string; readonly expected: string } = { context: '', expected: '' };
  /** The first mistake that did not end the parsing: a later one in the text may still be of syntax, but this one is told. */
  #firstError: ParseError | undefined;

  constructor(query: string, options: ParserOptions) {
    this.#query = query;
    this.#options = options;
    this.#lexer = new Lexer(query, options.unquotedUtf8Names ?? false);
    this.#token = { kind: '', text: '', start: 0, end: 0 };
  }

  parse(): Expr {
    try {
      this.#advance();
      if (this.#is('EOF')) this.#fail({ start: 0, end: 0 }, 'no expression found in input');
      const expr = this.#expression(0);
      if (!this.#is('EOF')) this.#unexpected();
      if (this.#firstError === undefined) checkTypes(this.#query, expr, (range, reason) => this.#note(range, reason));
      if (this.#firstError !== undefined) throw this.#firstError;
      return expr;
    } catch (error) {
      throw this.#firstError ?? error;
    }
  }

  parseSelector(): LabelMatcher[] {
    try {
      this.#advance();
      const { kind, text } = this.#token;
      const isNamed = isWord(kind) && !NOT_METRIC_NAMES.has(kind);
      if (!isNamed && !this.#is('{')) this.#unexpected();
      if (isNamed) this.#advance();
      const { matchers } = this.#selector(isNamed ? text : '', 0);
      if (!this.#is('EOF')) this.#unexpected();
      if (this.#firstError !== undefined) throw this.#firstError;
      return matchers;
    } catch (error) {
      throw this.#firstError ?? error;
    }
  }

  /** An expression whose operators bind at least as tightly as `minimum`. */
  #expression(minimum: number): Expr {
    const depth = this.#depth;
    this.#deepen();
    let left = this.#unary();
    for (;;) {
      const operator = this.#token.kind;
      const precedence = PRECEDENCE.get(operator);
      if (precedence === undefined || precedence < minimum) break;
      this.#deepen();
      this.#advance();
      const { matching, returnsBool } = this.#binaryModifiers();
      const right = this.#expression(precedence === POWER_PRECEDENCE ? precedence : precedence + 1);
      const binary: BinaryExpr = {
        kind: 'binary',
        operator: operator as BinaryOperator,
        left,
        right,
        matching,
        returnsBool,
      };
      if (!this.#options.fillModifiers && (matching.fillLeft !== undefined || matching.fillRight !== undefined)) {
        this.#note(rangeOf(binary), 'binop fill modifiers are experimental and not enabled');
      }
      left = binary;
    }
    this.#depth = depth;
    return left;
  }

  #unary(): Expr {
    const { kind, start } = this.#token;
    if (kind !== '+' && kind !== '-') return this.#postfix(this.#primary());
    this.#advance();
    const expr = this.#expression(POWER_PRECEDENCE);
    if (expr.kind === 'number') {
      const value = kind === '-' ? -expr.value : expr.value;
      return this.#postfix({ ...expr, value, range: { start, end: expr.range.end } });
    }
    return { kind: 'unary', operator: kind, expr, start };
  }

  #primary(): Expr {
    const token = this.#token;
    switch (token.kind) {
      case 'number':
      case 'duration':
        return this.#number();
      case 'string':
        this.#advance();
        return { kind: 'string', value: unquote(token.text), range: rangeOfToken(token) };
      case '(': {
        this.#advance();
        const expr = this.#expression(0);
        if (!this.#is(')')) this.#unexpected();
        const { end } = this.#token;
        this.#advance();
        return { kind: 'paren', expr, range: { start: token.start, end } };
      }
      case '{':
        return this.#selector('', token.start);
    }
    if (!isWord(token.kind) || NOT_METRIC_NAMES.has(token.kind)) return this.#unexpected();
    this.#advance();
    if (AGGREGATOR_NAMES.has(token.kind) && this.#isAggregation()) return this.#aggregation(token);
    if (this.#is('(') && (token.kind === 'identifier' || CALLABLE_KEYWORDS.has(token.kind))) return this.#call(token);
    return this.#selector(token.text, token.start, token.end);
  }

  /** After an aggregator's name: whether it is one, rather than a metric that is called so. */
  #isAggregation(): boolean {
    return this.#is('(') || this.#is('by') || this.#is('without');
  }

  #number(): NumberLiteral {
    const token = this.#token;
    const range = rangeOfToken(token);
    let value: number;
    if (token.kind === 'number') value = this.#parseNumber(token);
    else {
      const milliseconds = parsePromqlDuration(token.text);
      if (milliseconds === undefined) this.#note(range, durationProblem(token.text));
      value = (milliseconds ?? 0) / 1000;
    }
    this.#advance();
    return { kind: 'number', value, isDuration: token.kind === 'duration', range };
  }

  #parseNumber(token: Token): number {
    const text = token.text.toLowerCase().replaceAll('_', '');
    if (text === 'inf') return Number.POSITIVE_INFINITY;
    if (text === 'nan') return Number.NaN;
    if (/^0[0-7]+$/.test(text)) return Number.parseInt(text, 8);
    const value = Number(text);
    if (Number.isFinite(value)) return value;
    const reason = Number.isNaN(value) ? 'invalid syntax' : 'value out of range';
    const problem = `strconv.ParseFloat: parsing ${quoteGo(token.text)}: ${reason}`;
    this.#note(rangeOfToken(token), `error parsing number: ${problem}`);
    return value;
  }

  // --- selectors -------------------------------------------------------------------------------------------------

  #selector(name: string, start: number, nameEnd = start): VectorSelector & { readonly matchers: LabelMatcher[] } {
    const { matchers, end } = this.#is('{') ? this.#matchers() : { matchers: [], end: nameEnd };
    if (name !== '') matchers.push({ name: '__name__', operator: '=', value: name });
    return {
      kind: 'vectorSelector',
      name,
      matchers,
      at: undefined,
      offsetMs: 0,
      offsetExpr: undefined,
      extended: undefined,
      range: { start, end },
    };
  }

  #matchers(): { matchers: LabelMatcher[]; end: number } {
    this.#advance();
    const matchers: LabelMatcher[] = [];
    while (!this.#is('}')) {
      matchers.push(this.#matcher());
      if (this.#is(',')) {
        this.#advance();
      } else if (!this.#is('}')) this.#unexpected('label matching', '"," or "}"');
    }
    const { end } = this.#token;
    this.#advance();
    return { matchers, end };
  }

  #matcher(): LabelMatcher {
    const token = this.#token;
    if (token.kind !== 'identifier' && token.kind !== 'string') this.#unexpected('label matching', 'identifier or "}"');
    const name = token.kind === 'string' ? unquote(token.text) : token.text;
    this.#advance();
    const operator = this.#token.kind;
    if (operator !== '=' && operator !== '!=' && operator !== '=~' && operator !== '!~') {
      if (token.kind === 'identifier') this.#unexpected('label matching', 'label matching operator');
      return { name: '__name__', operator: '=', value: name };
    }
    this.#advance();
    if (!this.#is('string')) this.#unexpected('label matching', 'string');
    const { text, end } = this.#token;
    const value = unquote(text);
    if (operator === '=~' || operator === '!~') this.#checkExpression(value, { start: token.start, end });
    this.#advance();
    return { name, operator: operator as MatchOperator, value };
  }

  #checkExpression(expression: string, range: TextRange): void {
    try {
      RE2JS.compile(expression);
    } catch (error) {
      this.#note(range, error instanceof Error ? error.message : String(error));
    }
  }

  // --- what follows an expression ----------------------------------------------------------------------------------

  #postfix(start: Expr): Expr {
    let expr = start;
    for (;;) {
      if (this.#is('[')) this.#deepen();
      switch (this.#token.kind) {
        case '[':
          expr = this.#bracket(expr);
          break;
        case 'offset':
          this.#offset(expr);
          break;
        case '@':
          this.#at(expr);
          break;
        case 'anchored':
        case 'smoothed':
          this.#extend(expr, this.#token.kind);
          this.#advance();
          break;
        default:
          return expr;
      }
    }
  }

  #bracket(expr: Expr): Expr {
    const open = this.#token;
    this.#advance();
    const range = this.#within('subquery or range selector', ANY_DURATION, () => this.#positiveDuration());
    if (this.#is(']')) {
      const { end } = this.#token;
      this.#advance();
      return this.#matrixSelector(expr, range, { start: open.start, end });
    }
    if (!this.#is(':')) this.#unexpected('subquery or range', '":" or "]"');
    this.#advance();
    let step: NumberLiteral | DurationExpr | undefined;
    if (!this.#is(']')) {
      step = this.#within('subquery selector', 'number, duration, step(), range(), or "]"', () =>
        this.#positiveDuration(),
      );
      if (!this.#is(']')) this.#unexpected('subquery selector', '"]"');
    }
    const { end } = this.#token;
    this.#advance();
    const subquery: Subquery = {
      kind: 'subquery',
      expr,
      ...rangeFields(range),
      stepMs: step?.kind === 'number' ? toMilliseconds(step.value) : 0,
      stepExpr: step?.kind === 'duration' ? step : undefined,
      at: undefined,
      offsetMs: 0,
      offsetExpr: undefined,
      range: { start: rangeOf(expr).start, end },
    };
    return subquery;
  }

  #matrixSelector(expr: Expr, range: NumberLiteral | DurationExpr, brackets: TextRange): Expr {
    if (expr.kind !== 'vectorSelector') return this.#fail(brackets, 'ranges only allowed for vector selectors');
    if (expr.offsetMs !== 0 || expr.offsetExpr) this.#note(brackets, 'no offset modifiers allowed before range');
    else if (expr.at !== undefined) this.#note(brackets, 'no @ modifiers allowed before range');
    return {
      kind: 'matrixSelector',
      selector: expr,
      ...rangeFields(range),
      range: { start: expr.range.start, end: brackets.end },
    };
  }

  #offset(expr: Expr): void {
    this.#advance();
    const offset = this.#within('offset', ANY_DURATION, () => this.#offsetDuration());
    const target = expr.kind === 'matrixSelector' ? expr.selector : expr;
    if (target.kind !== 'vectorSelector' && target.kind !== 'subquery') {
      const allowed = 'an instant vector selector or range vector selector or a subquery';
      this.#note(rangeOf(expr), `offset modifier must be preceded by ${allowed}`);
      return;
    }
    if (target.offsetMs !== 0 || target.offsetExpr) {
      this.#note(rangeOf(expr), 'offset may not be set multiple times');
    } else if (offset.kind === 'number') target.offsetMs = toMilliseconds(offset.value);
    else target.offsetExpr = offset;
    this.#stretch(expr);
  }

  #at(expr: Expr): void {
    this.#advance();
    const at = this.#within('@', 'timestamp', () => this.#atTime(expr));
    const target = expr.kind === 'matrixSelector' ? expr.selector : expr;
    if (target.kind !== 'vectorSelector' && target.kind !== 'subquery') {
      const allowed = 'an instant vector selector or range vector selector or a subquery';
      this.#note(rangeOf(expr), `@ modifier must be preceded by ${allowed}`);
      return;
    }
    if (target.at !== undefined) this.#note(rangeOf(expr), '@ <timestamp> may not be set multiple times');
    else target.at = at;
    this.#stretch(expr);
  }

  #atTime(expr: Expr): number | 'start' | 'end' {
    const { kind } = this.#token;
    if (kind === 'start' || kind === 'end') {
      this.#advance();
      if (!this.#is('(')) this.#unexpected();
      this.#advance();
      if (!this.#is(')')) this.#unexpected();
      this.#advance();
      return kind;
    }
    const sign = kind === '-' ? -1 : 1;
    if (kind === '-' || kind === '+') this.#advance();
    if (!this.#is('number') && !this.#is('duration')) this.#unexpected();
    const seconds = this.#number().value * sign;
    if (!Number.isFinite(seconds) || Math.abs(seconds) >= 2 ** 63) {
      this.#note(rangeOf(expr), `timestamp out of bounds for @ modifier: ${goFixed(seconds)}`);
    }
    return Math.round(seconds * 1000);
  }

  #extend(expr: Expr, modifier: 'anchored' | 'smoothed'): void {
    const note = (reason: string) => this.#note(rangeOf(expr), reason);
    if (!this.#options.extendedRangeSelectors) {
      note(`${modifier} modifier is experimental and not enabled`);
      return;
    }
    const target = expr.kind === 'matrixSelector' ? expr.selector : expr;
    if (target.kind === 'subquery') note(`${modifier} modifier is not supported for subqueries`);
    else if (target.kind !== 'vectorSelector') note(`${modifier} modifier not implemented`);
    else if (target.extended !== undefined && target.extended !== modifier) {
      note('anchored and smoothed modifiers cannot be used together');
    } else target.extended = modifier;
  }

  /** A modifier belongs to what it modifies. */
  #stretch(expr: Expr): void {
    if (expr.kind === 'vectorSelector' || expr.kind === 'matrixSelector' || expr.kind === 'subquery') {
      expr.range = { start: expr.range.start, end: this.#lastClosing };
    }
  }

  // --- durations -----------------------------------------------------------------------------------------------------

  #positiveDuration(): NumberLiteral | DurationExpr {
    const duration = this.#duration(0);
    if (duration.kind === 'number' && duration.value <= 0) {
      this.#note(duration.range, 'duration must be greater than 0');
    }
    return duration;
  }

  /** After `offset` a sign belongs to the number alone: `-2^2` is `(-2)^2`, and operators end the offset. */
  #offsetDuration(): NumberLiteral | DurationExpr {
    const { kind, start } = this.#token;
    if (kind !== '+' && kind !== '-') return this.#durationPrimary();
    this.#advance();
    const isSigned = this.#is('+') || this.#is('-');
    return this.#signed(kind, start, isSigned ? this.#duration(POWER_PRECEDENCE) : this.#durationPrimary());
  }

  #duration(minimum: number): NumberLiteral | DurationExpr {
    const depth = this.#depth;
    this.#deepen();
    const { kind, start } = this.#token;
    let left: NumberLiteral | DurationExpr;
    if (kind === '+' || kind === '-') {
      this.#advance();
      left = this.#signed(kind, start, this.#duration(POWER_PRECEDENCE));
    } else left = this.#durationPrimary();
    for (;;) {
      const operator = this.#token;
      const precedence = PRECEDENCE.get(operator.kind);
      if (precedence === undefined || precedence < Math.max(minimum, 4) || operator.kind === 'atan2') break;
      this.#deepen();
      this.#advance();
      const right = this.#duration(precedence === POWER_PRECEDENCE ? precedence : precedence + 1);
      this.#checkExperimentalDuration(left.range);
      if ((operator.kind === '/' || operator.kind === '%') && right.kind === 'number' && right.value === 0) {
        this.#note(rangeOfToken(operator), `${operator.kind === '/' ? 'division' : 'modulo'} by zero`);
      }
      left = durationExpr(operator.kind as DurationExpr['operator'], left, right, {
        start: left.range.start,
        end: right.range.end,
      });
    }
    this.#depth = depth;
    return left;
  }

  #signed(sign: '+' | '-', start: number, operand: NumberLiteral | DurationExpr): NumberLiteral | DurationExpr {
    const range = { start, end: operand.range.end };
    if (operand.kind === 'number') return { ...operand, value: sign === '-' ? -operand.value : operand.value, range };
    return sign === '-' ? durationExpr('-', undefined, operand, range) : operand;
  }

  #durationPrimary(): NumberLiteral | DurationExpr {
    const token = this.#token;
    if (token.kind === 'number' || token.kind === 'duration') {
      const literal = this.#number();
      if (Math.abs(literal.value) <= MAX_SECONDS) return literal;
      this.#note(literal.range, 'duration out of range');
      return { ...literal, value: 0 };
    }
    if (token.kind === '(') {
      this.#advance();
      const inner = this.#duration(0);
      if (!this.#is(')')) this.#unexpected();
      const range = { start: token.start, end: this.#token.end };
      this.#advance();
      this.#checkExperimentalDuration(inner.range);
      if (inner.kind === 'duration') return { ...inner, isWrapped: true };
      return { ...durationExpr('+', undefined, inner, range), isWrapped: true };
    }
    if (token.kind !== 'step' && token.kind !== 'range' && token.kind !== 'min_of' && token.kind !== 'max_of') {
      return this.#unexpected();
    }
    this.#advance();
    if (!this.#is('(')) this.#unexpected();
    this.#advance();
    let left: NumberLiteral | DurationExpr | undefined;
    let right: NumberLiteral | DurationExpr | undefined;
    if (token.kind === 'min_of' || token.kind === 'max_of') {
      left = this.#duration(0);
      if (!this.#is(',')) this.#unexpected();
      this.#advance();
      right = this.#duration(0);
    }
    if (!this.#is(')')) this.#unexpected();
    const range = { start: token.start, end: this.#token.end };
    this.#advance();
    this.#checkExperimentalDuration(range);
    return durationExpr(token.kind, left, right, range);
  }

  #checkExperimentalDuration(range: TextRange): void {
    if (!this.#options.durationExpressions) this.#note(range, 'experimental duration expression is not enabled');
  }

  // --- calls and aggregations ----------------------------------------------------------------------------------------

  #call(name: Token): Expr {
    const args = this.#arguments();
    const signature = functionSignatures.get(name.text);
    if (!signature) this.#note(rangeOfToken(name), `unknown function with name ${quoteGo(name.text)}`);
    else if (signature.isExperimental && !this.#options.experimentalFunctions) {
      this.#note(rangeOfToken(name), `function ${quoteGo(name.text)} is not enabled`);
    }
    this.#close();
    return { kind: 'call', name: name.text, args, range: { start: name.start, end: this.#lastClosing } };
  }

  /** The arguments of a call, up to their closing parenthesis. */
  #arguments(): Expr[] {
    this.#advance();
    const args: Expr[] = [];
    while (!this.#is(')')) {
      args.push(this.#expression(0));
      if (!this.#is(',')) {
        if (!this.#is(')')) this.#unexpected();
        break;
      }
      const comma = rangeOfToken(this.#token);
      this.#advance();
      if (!this.#startsExpression()) this.#note(comma, 'trailing commas not allowed in function call args');
    }
    return args;
  }

  /** Goes on after the parenthesis that closes a list of arguments or labels. */
  #close(): void {
    this.#closing = this.#token.end;
    this.#advance();
    this.#lastClosing = this.#closing;
  }

  #startsExpression(): boolean {
    const { kind } = this.#token;
    if (isWord(kind)) return !NOT_METRIC_NAMES.has(kind);
    return ['number', 'duration', 'string', '(', '{', '+', '-'].includes(kind);
  }

  #aggregation(name: Token): Expr {
    let modifier = this.#aggregationModifier();
    const args = this.#within('aggregation', '', () => {
      if (!this.#is('(')) this.#unexpected();
      return this.#arguments();
    });
    this.#close();
    let end = this.#closing;
    if (!modifier) {
      modifier = this.#aggregationModifier();
      if (modifier) end = modifier.end;
    }
    const operator = name.kind as Aggregator;
    const range = { start: name.start, end };
    if (args.length === 0) this.#fail(range, 'no arguments for aggregate expression provided');
    const hasParameter = PARAMETRIC_AGGREGATORS.has(operator);
    if (EXPERIMENTAL_AGGREGATORS.has(operator) && !this.#options.experimentalFunctions) {
      const flag = '--enable-feature=promql-experimental-functions';
      this.#fail(range, `${operator}() is experimental and must be enabled with ${flag}`);
    }
    const wanted = hasParameter ? 2 : 1;
    if (args.length !== wanted) {
      const reason = 'wrong number of arguments for aggregate expression provided';
      this.#fail(range, `${reason}, expected ${wanted}, got ${args.length}`);
    }
    return {
      kind: 'aggregation',
      operator,
      expr: args[wanted - 1] as Expr,
      parameter: hasParameter ? args[0] : undefined,
      grouping: modifier?.labels ?? [],
      isWithout: modifier?.isWithout ?? false,
      range,
    };
  }

  #aggregationModifier(): { labels: string[]; isWithout: boolean; end: number } | undefined {
    const { kind } = this.#token;
    if (kind !== 'by' && kind !== 'without') return undefined;
    this.#advance();
    const labels = this.#groupingLabels();
    return { labels, isWithout: kind === 'without', end: this.#lastClosing };
  }

  #groupingLabels(): string[] {
    if (!this.#is('(')) this.#unexpected('grouping opts', '"("');
    this.#advance();
    const labels: string[] = [];
    while (!this.#is(')')) {
      const token = this.#token;
      if (token.kind !== 'string' && (!isWord(token.kind) || token.kind === 'without')) {
        this.#unexpected('grouping opts', 'label');
      }
      const name = token.kind === 'string' ? unquote(token.text) : token.text;
      const isLabel = token.kind === 'string' || !this.#options.unquotedUtf8Names || isPlainLabelName(name, true);
      if (name === '' || !isLabel) {
        this.#note(rangeOfToken(token), `invalid label name for grouping: ${quoteGo(name)}`);
      }
      labels.push(name);
      this.#advance();
      if (this.#is(',')) this.#advance();
      else if (!this.#is(')')) this.#unexpected('grouping opts', '"," or ")"');
    }
    this.#close();
    return labels;
  }

  // --- binary operators ----------------------------------------------------------------------------------------------

  #binaryModifiers(): { matching: VectorMatching; returnsBool: boolean } {
    const returnsBool = this.#is('bool');
    if (returnsBool) this.#advance();
    let labels: string[] = [];
    let include: string[] = [];
    let isOn = false;
    let cardinality: VectorMatching['cardinality'] = 'one-to-one';
    if (this.#is('on') || this.#is('ignoring')) {
      isOn = this.#is('on');
      this.#advance();
      labels = this.#groupingLabels();
      if (this.#is('group_left') || this.#is('group_right')) {
        cardinality = this.#is('group_left') ? 'many-to-one' : 'one-to-many';
        this.#advance();
        if (this.#is('(')) include = this.#groupingLabels();
        else if (!this.#startsExpression() && !this.#token.kind.startsWith('fill')) {
          this.#unexpected('grouping opts', '"("');
        }
      }
    }
    let fillLeft: number | undefined;
    let fillRight: number | undefined;
    if (this.#is('fill')) {
      fillLeft = this.#fillValue();
      fillRight = fillLeft;
    } else if (this.#is('fill_left')) {
      fillLeft = this.#fillValue();
      if (this.#is('fill_right')) fillRight = this.#fillValue();
    } else if (this.#is('fill_right')) {
      fillRight = this.#fillValue();
      if (this.#is('fill_left')) fillLeft = this.#fillValue();
    }
    return { matching: { cardinality, labels, isOn, include, fillLeft, fillRight }, returnsBool };
  }

  #fillValue(): number {
    this.#advance();
    if (!this.#is('(')) this.#unexpected();
    this.#advance();
    const { kind } = this.#token;
    if (kind === '-' || kind === '+') this.#advance();
    if (!this.#is('number') && !this.#is('duration')) this.#unexpected();
    const { value } = this.#number();
    if (!this.#is(')')) this.#unexpected();
    this.#advance();
    return kind === '-' ? -value : value;
  }

  // --- tokens and mistakes -------------------------------------------------------------------------------------------

  /** Every step down the tree that is being built; who walks it later does so by recursion. */
  #deepen(): void {
    if (++this.#depth > MAX_DEPTH) {
      this.#fail(rangeOfToken(this.#token), `the expression is nested deeper than ${MAX_DEPTH}`);
    }
  }

  #is(kind: TokenKind): boolean {
    return this.#token.kind === kind;
  }

  #advance(): void {
    this.#token = this.#lexer.next();
    const { kind, end } = this.#token;
    // As Prometheus does: of the token that was only looked at, too.
    if (kind === '}' || kind === ')' || kind === ']' || kind === 'duration' || kind === 'number')
      this.#lastClosing = end;
  }

  #note(range: TextRange, reason: string): void {
    this.#firstError ??= new ParseError(this.#query, range, reason);
  }

  #fail(range: TextRange, reason: string): never {
    throw new ParseError(this.#query, range, reason);
  }

  /** Reads within a construct that has a name in messages. */
  #within<Result>(context: string, expected: string, read: () => Result): Result {
    const outer = this.#around;
    this.#around = { context, expected };
    const result = read();
    this.#around = outer;
    return result;
  }

  #unexpected(context = this.#around.context, expected = this.#around.expected): never {
    const where = context === '' ? '' : ` in ${context}`;
    const instead = expected === '' ? '' : `, expected ${expected}`;
    return this.#fail(rangeOfToken(this.#token), `unexpected ${describeToken(this.#token)}${where}${instead}`);
  }
}

function rangeOfToken({ start, end }: Token): TextRange {
  return { start, end };
}

function durationExpr(
  operator: DurationExpr['operator'],
  left: NumberLiteral | DurationExpr | undefined,
  right: NumberLiteral | DurationExpr | undefined,
  range: TextRange,
): DurationExpr {
  return { kind: 'duration', operator, left, right, isWrapped: false, range };
}

function rangeFields(range: NumberLiteral | DurationExpr): { rangeMs: number; rangeExpr: DurationExpr | undefined } {
  return range.kind === 'number'
    ? { rangeMs: toMilliseconds(range.value), rangeExpr: undefined }
    : { rangeMs: 0, rangeExpr: range };
}

/** Seconds, rounded to nanoseconds, in ms. */
function toMilliseconds(seconds: number): number {
  return Math.round(seconds * 1e9) / 1e6;
}

/** Go's `%f`. */
function goFixed(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return Math.abs(value) < 1e21 ? value.toFixed(6) : `${BigInt(value)}.000000`;
}
