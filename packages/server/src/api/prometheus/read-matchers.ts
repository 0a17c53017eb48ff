import {
  canMatchEmpty,
  childrenOf,
  type Expr,
  type LabelMatcher,
  ParseError,
  type ParserOptions,
  parsePromql,
} from '@signalbox/query-language';
import { PrometheusError } from './prometheus-error.ts';

const nonEmpty = 'must contain at least one non-empty matcher';

/** The conditions of `match[]`; each must leave out something. */
export function readMatchers(selectors: readonly string[]): (readonly LabelMatcher[])[] {
  return selectors.map((selector) => {
    const matchers = readSelector(selector);
    if (matchers.every(canMatchEmpty)) {
      throw new PrometheusError('bad_data', `invalid parameter "match[]": match[] ${nonEmpty}`);
    }
    return matchers;
  });
}

/** Parses a query; what is wrong with it is `bad_data`. */
export function readExpression(query: string, parser: ParserOptions, describe: (message: string) => string): Expr {
  try {
    return parsePromql(query, parser);
  } catch (error) {
    if (error instanceof ParseError) throw new PrometheusError('bad_data', describe(error.message), { cause: error });
    throw error;
  }
}

function readSelector(selector: string): readonly LabelMatcher[] {
  const expression = readExpression(selector, {}, (message) =>
    // The parser says the same of a query, in other words.
    message.endsWith(nonEmpty)
      ? `invalid parameter "match[]": match[] ${nonEmpty}`
      : `invalid parameter "match[]": ${message}`,
  );
  if (expression.kind === 'vectorSelector' && expression.offsetMs === 0 && expression.at === undefined) {
    return expression.matchers;
  }
  throw new PrometheusError(
    'bad_data',
    `invalid parameter "match[]": 1:1: parse error: only a series selector is taken here`,
  );
}

/** The conditions of every selector of an expression. */
export function selectorsOf(expression: Expr): (readonly LabelMatcher[])[] {
  if (expression.kind === 'vectorSelector') return [expression.matchers];
  return childrenOf(expression).flatMap(selectorsOf);
}
