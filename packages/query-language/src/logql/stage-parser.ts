import type { LabelMatcher } from '../promql/ast.ts';
import type {
  Extraction,
  LabelComparison,
  LabelFilter,
  LabelFormat,
  LineAlternative,
  LineFilter,
  LineOperator,
  Stage,
} from './ast.ts';
import { parseIpPattern } from './ip-pattern.ts';
import { type JsonPath, parseJsonPath } from './json-path.ts';
import { type LinePattern, parseLinePattern } from './line-pattern.ts';
import { LogqlParseError } from './parse-error.ts';
import { checkExpression, type TokenReader } from './token-reader.ts';

const LINE_OPERATORS: ReadonlySet<string> = new Set(['|=', '!=', '|~', '!~', '|>', '!>']);
const POSITIVE: ReadonlySet<LineOperator> = new Set<LineOperator>(['|=', '|~', '|>']);
const MATCH_OPERATORS: ReadonlySet<string> = new Set(['=', '!=', '=~', '!~']);
const COMPARISONS: ReadonlyMap<string, LabelComparison> = new Map([
  ['=', '=='],
  ['==', '=='],
  ['!=', '!='],
  ['>', '>'],
  ['>=', '>='],
  ['<', '<'],
  ['<=', '<='],
]);

export function startsStage(parser: TokenReader): boolean {
  return parser.is('|') || LINE_OPERATORS.has(parser.token.kind);
}

/**
 * One stage; a negative line filter with alternatives is several. `'unwrap'`: the pipe before `unwrap` has been read, which is no
 * stage of a pipeline.
 */
export function parseStage(parser: TokenReader): Stage[] | 'unwrap' {
  const { start } = parser.token;
  if (LINE_OPERATORS.has(parser.token.kind)) return parseLineFilter(parser);
  parser.advance();
  const { kind } = parser.token;
  const done = () => parser.rangeFrom(start);
  switch (kind) {
    case 'unwrap':
      return 'unwrap';
    case 'json': {
      parser.advance();
      const extractions = parseExtractions(parser).map((extraction) => ({ ...extraction, path: pathOf(extraction) }));
      return [{ kind, extractions, range: done() }];
    }
    case 'logfmt': {
      parser.advance();
      const flags = new Set<string>();
      while (parser.is('FUNCTION_FLAG')) flags.add(parser.advance().text);
      const extractions = parseExtractions(parser);
      const isStrict = flags.has('--strict');
      return [{ kind, isStrict, keepsEmpty: flags.has('--keep-empty'), extractions, range: done() }];
    }
    case 'regexp':
    case 'pattern': {
      parser.advance();
      const { text: expression } = parser.expect('STRING');
      if (kind === 'regexp') {
        checkRegexpStage(expression, start, parser);
        return [{ kind, expression, range: done() }];
      }
      return [{ kind, expression, pattern: patternOf(expression, start, parser), range: done() }];
    }
    case 'unpack':
    case 'decolorize':
      parser.advance();
      return [{ kind, range: done() }];
    case 'line_format': {
      parser.advance();
      const { text: template } = parser.expect('STRING');
      return [{ kind: 'lineFormat', template, range: done() }];
    }
    case 'label_format': {
      parser.advance();
      const formats = [parseLabelFormat(parser)];
      while (parser.is(',')) {
        parser.advance();
        formats.push(parseLabelFormat(parser));
      }
      return [{ kind: 'labelFormat', formats, range: done() }];
    }
    case 'drop':
    case 'keep': {
      parser.advance();
      const labels = [parseNamedMatcher(parser)];
      while (parser.is(',')) {
        parser.advance();
        labels.push(parseNamedMatcher(parser));
      }
      return [{ kind, labels, range: done() }];
    }
    default:
      return [{ kind: 'labelFilter', filter: parseLabelFilter(parser), range: done() }];
  }
}

function parseLineFilter(parser: TokenReader): LineFilter[] {
  const { start } = parser.token;
  const operator = parser.advance().kind as LineOperator;
  const alternatives = [parseAlternative(parser, 'STRING or ip')];
  while (parser.is('or')) {
    parser.advance();
    alternatives.push(parseAlternative(parser, 'STRING or ip'));
  }
  const range = parser.rangeFrom(start);
  if (POSITIVE.has(operator)) return [{ kind: 'lineFilter', operator, alternatives, range }];
  return alternatives.map((alternative) => ({ kind: 'lineFilter', operator, alternatives: [alternative], range }));
}

function parseAlternative(parser: TokenReader, expected: string): LineAlternative {
  if (parser.is('STRING')) return { text: parser.advance().text, isIp: false };
  if (!parser.is('ip')) parser.unexpected(expected);
  return { text: parseIpCall(parser), isIp: true };
}

/** `ip("…")` */
function parseIpCall(parser: TokenReader): string {
  parser.advance();
  parser.expect('(');
  const { text } = parser.expect('STRING');
  parser.expect(')');
  return text;
}

/** `level, code="status"`, or nothing. */
function parseExtractions(parser: TokenReader): Extraction[] {
  const extractions: Extraction[] = [];
  if (!parser.is('IDENTIFIER')) return extractions;
  for (;;) {
    const { text: label } = parser.expect('IDENTIFIER');
    let expression = label;
    if (parser.is('=')) {
      parser.advance();
      expression = parser.expect('STRING').text;
    }
    extractions.push({ label, expression });
    if (!parser.is(',')) return extractions;
    parser.advance();
  }
}

function pathOf({ expression }: Extraction): JsonPath | undefined {
  try {
    return parseJsonPath(expression);
  } catch {
    return undefined; // The check of the whole expression says what is wrong.
  }
}

function checkRegexpStage(expression: string, start: number, parser: TokenReader): void {
  const range = parser.rangeFrom(start);
  const fail = (reason: string): never => {
    throw new LogqlParseError(`invalid regexp parser: ${reason}`, range);
  };
  const names = [...expression.matchAll(/(?<!\\)(?:\\\\)*\(\?P?<([^>=!][^>]*)>/g)].map(([, name = '']) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) fail(`duplicate extracted label name '${twice}'`);
  checkExpression(expression, range, 'invalid regexp parser: ');
  if (names.length === 0) fail('at least one named capture must be supplied');
  for (const name of names) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) fail(`invalid extracted label name '${name}'`);
  }
}

function patternOf(expression: string, start: number, parser: TokenReader): LinePattern {
  try {
    return parseLinePattern(expression);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new LogqlParseError(`invalid pattern parser: ${reason}`, parser.rangeFrom(start));
  }
}

function parseLabelFormat(parser: TokenReader): LabelFormat {
  const { text: label } = parser.expect('IDENTIFIER');
  parser.expect('=');
  if (!parser.is('IDENTIFIER') && !parser.is('STRING')) parser.unexpected('IDENTIFIER or STRING');
  const { kind, text: value } = parser.advance();
  return { label, isRename: kind === 'IDENTIFIER', value };
}

function parseNamedMatcher(parser: TokenReader): string | LabelMatcher {
  const name = parser.expect('IDENTIFIER');
  return MATCH_OPERATORS.has(parser.token.kind) ? parser.matcher(name) : name.text;
}

const OPERATOR_PRECEDENCE: Readonly<Record<string, number>> = { or: 1, and: 2 };

export const LABEL_CONDITION = 'IDENTIFIER or (';

/**
 * Conditions joined by `or`, `and`, commas, or nothing; a comma takes all that follows.
 *
 * @param expected what Loki says it expects where no condition begins
 */
export function parseLabelFilter(parser: TokenReader, minimum = 0, expected = ''): LabelFilter {
  return parser.deepen(() => {
    let left = parseCondition(parser, expected);
    for (;;) {
      const { kind } = parser.token;
      const precedence = OPERATOR_PRECEDENCE[kind];
      if (precedence !== undefined) {
        if (precedence < minimum) return left;
        parser.advance();
        const right = parseLabelFilter(parser, precedence + 1, LABEL_CONDITION);
        left = { kind: kind as 'and' | 'or', left, right };
      } else if (kind === ',' || kind === 'IDENTIFIER' || kind === '(') {
        if (kind === ',') parser.advance();
        left = { kind: 'and', left, right: parseLabelFilter(parser, 0, LABEL_CONDITION) };
      } else return left;
    }
  });
}

function parseCondition(parser: TokenReader, expected: string): LabelFilter {
  if (parser.is('(')) {
    parser.advance();
    const filter = parseLabelFilter(parser, 0, LABEL_CONDITION);
    parser.expect(')', '');
    return filter;
  }
  const name = parser.expect('IDENTIFIER', expected);
  const { kind } = parser.token;
  const comparison = COMPARISONS.get(kind);
  const label = name.text;
  if (kind === '=~' || kind === '!~') return { kind: 'matcher', matcher: parser.matcher(name) };
  if (comparison === undefined) return parser.unexpected();
  const operator = parser.advance().kind;
  switch (parser.token.kind) {
    case 'STRING':
      if (operator !== '=' && operator !== '!=') parser.unexpected();
      return { kind: 'matcher', matcher: { name: label, operator, value: parser.advance().text } };
    case 'ip': {
      if (operator !== '=' && operator !== '!=') parser.unexpected();
      const pattern = parseIpCall(parser);
      return { kind: 'ip', label, isNegative: operator === '!=', pattern, ip: parseIpPattern(pattern) };
    }
    case 'DURATION':
      return { kind: 'duration', label, comparison, value: parser.advance().value };
    case 'BYTES':
      return { kind: 'bytes', label, comparison, value: parser.advance().value };
    case 'NUMBER':
    case '+':
    case '-':
      return { kind: 'number', label, comparison, value: parser.number().value };
    default:
      return parser.unexpected();
  }
}
