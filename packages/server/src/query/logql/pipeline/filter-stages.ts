import {
  compileMatcher,
  containsIp,
  type LabelComparison,
  type LabelFilter,
  type LineAlternative,
  type LineFilter,
  type LineOperator,
  matchesPattern,
  parseByteSize,
  parseGoDuration,
  parseIpPattern,
  parsePatternFilter,
} from '@signalbox/query-language';
import { RE2JS } from 're2js';
import type { LineLabels } from './line-labels.ts';
import { parseGoFloat } from './parse-go-float.ts';
import type { StageFunction } from './stage.ts';

const FILTER_ERROR = 'LabelFilterErr';

/** Whether a line is kept. */
export function lineTest({ operator, alternatives }: LineFilter): (line: string) => boolean {
  const tests = alternatives.map((alternative) => alternativeTest(operator, alternative));
  const isNegative = operator.startsWith('!');
  const [only] = tests;
  if (only && tests.length === 1) return isNegative ? (line) => !only(line) : only;
  return (line) => tests.some((test) => test(line)) !== isNegative;
}

function alternativeTest(operator: LineOperator, { text, isIp }: LineAlternative): (line: string) => boolean {
  if (isIp) {
    const pattern = parseIpPattern(text);
    return (line) => pattern !== undefined && containsIp(pattern, line);
  }
  if (operator === '|=' || operator === '!=') return (line) => line.includes(text);
  if (operator === '|>' || operator === '!>') {
    const pattern = parsePatternFilter(text);
    return (line) => matchesPattern(pattern, line);
  }
  return regexTest(text);
}

/** Plain texts need no engine of expressions. */
function regexTest(expression: string): (line: string) => boolean {
  if (!/[\\^$.|?*+()[\]{}]/.test(expression)) return (line) => line.includes(expression);
  const compiled = RE2JS.compile(expression);
  return (line) => compiled.test(line);
}

export function lineFilterStage(filter: LineFilter): StageFunction {
  const test = lineTest(filter);
  return ({ line }) => test(line);
}

/** A condition on the labels of a line. Values that can't be compared are kept, and marked with an error. */
export function labelTest(filter: LabelFilter): (labels: LineLabels) => boolean {
  switch (filter.kind) {
    case 'matcher': {
      const { name, operator, value } = filter.matcher;
      // The empty expression is found in any value, as in Loki: a dashboard's variable that is not set filters nothing.
      if (value === '' && operator === '=~') return () => true;
      if (value === '' && operator === '!~') return () => false;
      const matches = compileMatcher(filter.matcher);
      return (labels) => matches(labels.valueOf(name));
    }
    case 'ip': {
      const { ip, label, isNegative } = filter;
      return (labels) => {
        if (labels.error !== '') return true;
        const value = labels.get(label);
        return value !== undefined && ip !== undefined && containsIp(ip, value) !== isNegative;
      };
    }
    case 'number':
      return comparing(
        filter,
        parseGoFloat,
        (value) => `strconv.ParseFloat: parsing ${JSON.stringify(value)}: invalid syntax`,
      );
    case 'duration':
      return comparing(filter, parseGoDuration, describeBadDuration);
    case 'bytes':
      return comparing(filter, parseByteSize, describeBadSize);
    case 'and': {
      const [left, right] = [labelTest(filter.left), labelTest(filter.right)];
      return (labels) => left(labels) && right(labels);
    }
    case 'or': {
      const [left, right] = [labelTest(filter.left), labelTest(filter.right)];
      return (labels) => left(labels) || right(labels);
    }
  }
}

function comparing(
  { label, comparison, value: wanted }: { label: string; comparison: LabelComparison; value: number },
  parse: (text: string) => number | undefined,
  describe: (text: string) => string,
): (labels: LineLabels) => boolean {
  return (labels) => {
    const text = labels.get(label);
    if (text === undefined) return false;
    const value = parse(text);
    if (value === undefined) {
      if (labels.error === '') labels.fail(FILTER_ERROR, describe(text));
      return true;
    }
    switch (comparison) {
      case '==':
        return value === wanted;
      case '!=':
        return value !== wanted;
      case '>':
        return value > wanted;
      case '>=':
        return value >= wanted;
      case '<':
        return value < wanted;
      case '<=':
        return value <= wanted;
    }
  };
}

/** Go's words for a duration that is none. */
export function describeBadDuration(text: string): string {
  const quoted = JSON.stringify(text);
  const number = /^[+-]?(?:\d+\.?\d*|\.\d+)/.exec(text);
  if (!number) return `time: invalid duration ${quoted}`;
  const unit = /^[^\d.]+/.exec(text.slice(number[0].length));
  return unit
    ? `time: unknown unit ${JSON.stringify(unit[0])} in duration ${quoted}`
    : `time: missing unit in duration ${quoted}`;
}

export function describeBadSize(text: string): string {
  const [, digits = '', unit = ''] = /^([\d.,]*)(.*)$/s.exec(text) ?? [];
  const number = digits.replaceAll(',', '');
  return parseGoFloat(number) === undefined
    ? `strconv.ParseFloat: parsing ${JSON.stringify(number)}: invalid syntax`
    : `unhandled size name: ${unit.trim().toLowerCase()}`;
}
