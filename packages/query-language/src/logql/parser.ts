import type { LabelMatcher } from '../promql/ast.ts';
import {
  type Conversion,
  type Grouping,
  LOGQL_PRECEDENCE,
  LOGQL_SET_OPERATORS,
  type LogExpr,
  type LogqlBinaryExpr,
  type LogqlBinaryOperator,
  type LogqlExpr,
  type LogqlNumber,
  type LogRange,
  RANGE_OPERATORS,
  type RangeOperator,
  type SampleExpr,
  type Stage,
  type Unwrap,
  VECTOR_OPERATORS,
  type VectorOperator,
} from './ast.ts';
import { applyLogqlOperator } from './binary-numbers.ts';
import { checkLogql } from './check-types.ts';
import { LogqlParseError } from './parse-error.ts';
import { LABEL_CONDITION, parseLabelFilter, parseStage, startsStage } from './stage-parser.ts';
import { MAX_DEPTH, parseFloatText, TokenReader } from './token-reader.ts';

const RANGE_KINDS: ReadonlyMap<string, RangeOperator> = new Map(
  RANGE_OPERATORS.map((operator) => [operator.toUpperCase(), operator]),
);
const VECTOR_KINDS: ReadonlyMap<string, VectorOperator> = new Map(
  VECTOR_OPERATORS.map((operator) => [operator.toUpperCase(), operator]),
);
const CONVERSION_KINDS: ReadonlyMap<string, Conversion> = new Map([
  ['BYTES_CONV', 'bytes'],
  ['DURATION_CONV', 'duration'],
  ['DURATION_SECONDS_CONV', 'duration_seconds'],
]);

const POWER_PRECEDENCE = 6;
const UNWRAPPED = ['IDENTIFIER', ...CONVERSION_KINDS.keys()].join(' or ');

/** Parses a LogQL expression and checks it. Throws LogqlParseError with the first mistake, in Loki's words. */
export function parseLogql(query: string): LogqlExpr {
  const expr = new LogqlParser(query).parse();
  checkLogql(expr);
  return expr;
}

/** The matchers of a selector, `{app="shop"}`, which may also be empty. Throws LogqlParseError. */
export function parseLogqlMatchers(query: string): readonly LabelMatcher[] {
  const expr = new LogqlParser(query).parse();
  if (expr.kind !== 'log' || expr.stages.length > 0) {
    throw new LogqlParseError('only label matchers are supported', { start: 0, end: query.length });
  }
  return expr.matchers;
}

class LogqlParser extends TokenReader {
  parse(): LogqlExpr {
    const expr = this.#expression(0);
    if (!this.is('$end')) this.unexpected();
    return expr;
  }

  // --- expressions -----------------------------------------------------------------------------------------------------

  /** An expression whose operators bind at least as tightly as `minimum`. */
  #expression(minimum: number): LogqlExpr {
    return this.deepen(() => {
      const { start } = this.token;
      let left = this.#primary();
      let operators = 0;
      for (;;) {
        const operator = this.token.kind as LogqlBinaryOperator;
        const precedence = LOGQL_PRECEDENCE.get(operator);
        if (precedence === undefined || precedence < minimum) return left;
        // The tree grows to the left, by one level for each operator.
        if (++operators > MAX_DEPTH) return this.deepen(() => this.unexpected());
        this.advance();
        const modifiers = this.#binaryModifiers();
        const right = this.#expression(precedence === POWER_PRECEDENCE ? precedence : precedence + 1);
        left = foldNumbers({ kind: 'binary', operator, left, right, ...modifiers, range: this.rangeFrom(start) });
      }
    });
  }

  #primary(): LogqlExpr {
    const { kind, start } = this.token;
    switch (kind) {
      case 'NUMBER':
      case '+':
      case '-':
        return this.number();
      case '{':
        return this.#logExpr();
      case '(': {
        this.advance();
        const expr = this.#expression(0);
        this.expect(')', '');
        return expr;
      }
      case 'VECTOR': {
        this.advance();
        this.expect('(');
        const { text } = this.expect('NUMBER');
        this.expect(')');
        const range = this.rangeFrom(start);
        return { kind: 'vector', value: parseFloatText(text, 'unable to parse vectorExpr as a float', range), range };
      }
      case 'label_replace':
        return this.#labelReplace();
    }
    const rangeOperator = RANGE_KINDS.get(kind);
    if (rangeOperator) return this.#rangeAggregation(rangeOperator);
    const vectorOperator = VECTOR_KINDS.get(kind);
    if (vectorOperator) return this.#vectorAggregation(vectorOperator);
    return this.unexpected();
  }

  #sample(): SampleExpr {
    const expr = this.#expression(0);
    // Lines may begin an expression, so that only what follows them is wrong.
    return expr.kind === 'log' ? this.unexpected() : expr;
  }

  #labelReplace(): SampleExpr {
    const { start } = this.advance();
    this.expect('(');
    const expr = this.#sample();
    const texts = Array.from({ length: 4 }, () => {
      this.expect(',');
      return this.expect('STRING').text;
    });
    const [target = '', replacement = '', source = '', expression = ''] = texts;
    this.expect(')');
    return { kind: 'labelReplace', expr, target, replacement, source, expression, range: this.rangeFrom(start) };
  }

  #vectorAggregation(operator: VectorOperator): SampleExpr {
    const { start } = this.advance();
    let grouping = this.#grouping();
    this.expect('(');
    let parameter: string | undefined;
    let expr: SampleExpr | undefined;
    if (this.is('NUMBER')) {
      // A number alone is a parameter, before an operator it is part of the expression.
      const number = this.token;
      const first = this.#expression(0);
      if (this.is(',') && first.kind === 'number' && first.range.end === number.end) {
        this.advance();
        parameter = number.text;
      } else expr = first.kind === 'log' ? this.unexpected() : first;
    }
    expr ??= this.#sample();
    this.expect(')', '');
    grouping ??= this.#grouping();
    return { kind: 'vectorAggregation', operator, parameter, expr, grouping, range: this.rangeFrom(start) };
  }

  #rangeAggregation(operator: RangeOperator): SampleExpr {
    const { start } = this.advance();
    this.expect('(');
    let parameter: string | undefined;
    if (this.is('NUMBER')) {
      parameter = this.advance().text;
      this.expect(',');
    }
    const logRange = this.#logRange(parameter === undefined ? 'NUMBER or { or (' : '{ or (');
    this.expect(')');
    const grouping = this.#grouping();
    return { kind: 'rangeAggregation', operator, parameter, logRange, grouping, range: this.rangeFrom(start) };
  }

  #grouping(): Grouping | undefined {
    if (!this.is('by') && !this.is('without')) return undefined;
    const isWithout = this.advance().kind === 'without';
    return { isWithout, labels: this.#labels() };
  }

  #labels(): string[] {
    this.expect('(');
    if (this.is(')')) {
      this.advance();
      return [];
    }
    const labels = [this.expect('IDENTIFIER', 'IDENTIFIER or )').text];
    while (this.is(',')) {
      this.advance();
      labels.push(this.expect('IDENTIFIER').text);
    }
    this.expect(')', ', or )');
    return labels;
  }

  #binaryModifiers(): Pick<LogqlBinaryExpr, 'matching' | 'returnsBool'> {
    const returnsBool = this.is('bool');
    if (returnsBool) this.advance();
    let labels: string[] = [];
    let include: string[] = [];
    let isOn = false;
    let cardinality: LogqlBinaryExpr['matching']['cardinality'] = 'one-to-one';
    if (this.is('on') || this.is('ignoring')) {
      isOn = this.advance().kind === 'on';
      labels = this.#labels();
      if (this.is('group_left') || this.is('group_right')) {
        cardinality = this.advance().kind === 'group_left' ? 'many-to-one' : 'one-to-many';
        // A parenthesis is always that of labels, also before a right side that has one.
        if (this.is('(')) include = this.#labels();
      }
    }
    return { returnsBool, matching: { cardinality, labels, isOn, include } };
  }

  // --- logs ------------------------------------------------------------------------------------------------------------

  #logExpr(): LogExpr {
    const { start } = this.token;
    const matchers = this.#selector();
    const stages: Stage[] = [];
    while (startsStage(this)) {
      const stage = parseStage(this);
      if (stage === 'unwrap') this.unexpected();
      stages.push(...stage);
    }
    return { kind: 'log', matchers, stages, range: this.rangeFrom(start) };
  }

  #selector(): LabelMatcher[] {
    this.expect('{');
    const matchers: LabelMatcher[] = [];
    if (this.is('}')) {
      this.advance();
      return matchers;
    }
    for (;;) {
      const name = this.expect('IDENTIFIER', matchers.length === 0 ? 'IDENTIFIER or }' : 'IDENTIFIER');
      if (!['=', '!=', '=~', '!~'].includes(this.token.kind)) this.unexpected('= or =~ or !~ or !=');
      matchers.push(this.matcher(name));
      if (this.is('}')) break;
      this.expect(',', '} or ,');
    }
    this.advance();
    return matchers;
  }

  /** Lines of a range; the range may stand before the stages, or behind them. */
  #logRange(expected: string): LogRange {
    return this.deepen(() => {
      if (!this.is('(')) {
        if (!this.is('{')) this.unexpected(expected);
        return this.#openLogRange(false);
      }
      this.advance();
      if (this.is('(')) {
        const inner = this.#logRange('{ or (');
        this.expect(')');
        return inner;
      }
      if (!this.is('{')) this.unexpected('{ or (');
      return this.#openLogRange(true);
    });
  }

  #openLogRange(isWrapped: boolean): LogRange {
    const { start } = this.token;
    const matchers = this.#selector();
    let parts = this.#stages();
    let range = this.rangeFrom(start);
    let isClosed = !isWrapped;
    if (!isClosed && this.is(')')) {
      this.advance();
      isClosed = true;
    }
    const wasClosedBefore = isWrapped && isClosed;
    const { value: intervalMs } = this.expect('RANGE', rangeExpected(parts.unwrap !== undefined, isWrapped, isClosed));
    let offsetMs = 0;
    if (this.is('offset')) {
      this.advance();
      offsetMs = this.expect('DURATION').value / 1e6;
    }
    if (parts.stages.length === 0 && !parts.unwrap && startsStage(this)) {
      const { start: from } = this.token;
      parts = this.#stages();
      if (wasClosedBefore && parts.stages.length > 0) this.unexpected();
      range = { start, end: this.rangeFrom(from).end };
    }
    if (!isClosed) this.expect(')');
    return {
      log: { kind: 'log', matchers, stages: parts.stages, range },
      unwrap: parts.unwrap,
      intervalMs,
      offsetMs,
    };
  }

  #stages(): { stages: Stage[]; unwrap: Unwrap | undefined } {
    const stages: Stage[] = [];
    while (startsStage(this)) {
      const stage = parseStage(this);
      if (stage === 'unwrap') return { stages, unwrap: this.#unwrap() };
      stages.push(...stage);
    }
    return { stages, unwrap: undefined };
  }

  /** Behind `|`. */
  #unwrap(): Unwrap {
    const { start } = this.advance();
    const conversion = CONVERSION_KINDS.get(this.token.kind);
    if (conversion) {
      this.advance();
      this.expect('(');
    }
    const { text: label } = this.expect('IDENTIFIER', conversion ? 'IDENTIFIER' : UNWRAPPED);
    if (conversion) this.expect(')');
    const filters = [];
    while (this.is('|')) {
      this.advance();
      filters.push(parseLabelFilter(this, 0, LABEL_CONDITION));
    }
    return { label, conversion, filters, range: this.rangeFrom(start) };
  }
}

/** What Loki expects behind the lines, where it is so little that it says so. */
function rangeExpected(isUnwrapped: boolean, isWrapped: boolean, isClosed: boolean): string {
  if (isWrapped && isClosed) return 'RANGE';
  if (!isUnwrapped) return '';
  return isWrapped ? 'RANGE or ) or |' : 'RANGE or |';
}

function foldNumbers(expr: LogqlBinaryExpr): LogqlBinaryExpr | LogqlNumber {
  const { left, right, operator, range } = expr;
  if (left.kind !== 'number' || right.kind !== 'number' || LOGQL_SET_OPERATORS.has(operator)) return expr;
  return { kind: 'number', value: applyLogqlOperator(operator, left.value, right.value), range };
}
