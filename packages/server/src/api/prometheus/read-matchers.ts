import {
  canMatchEmpty,
  childrenOf,
  type Expr,
  type LabelMatcher,
  ParseError,
  type ParserOptions,
  parsePromql,
  parsePromqlSelector,
} from '@signalbox/query-language';
import { PrometheusError } from './prometheus-error.ts';

/** The conditions of `match[]`; each must leave out something. What is wrong with one is `bad_data`. */
export function readMatchers(
  selectors: readonly string[],
  parser: ParserOptions,
  describe = (message: string): string => message,
): (readonly LabelMatcher[])[] {
  return selectors.map((selector) => {
    const matchers = readSelector(selector, parser, describe);
    if (matchers.every(canMatchEmpty)) {
      throw new PrometheusError('bad_data', describe('match[] must contain at least one non-empty matcher'));
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

function readSelector(
  selector: string,
  parser: ParserOptions,
  describe: (message: string) => string,
): readonly LabelMatcher[] {
  try {
    return parsePromqlSelector(selector, parser);
  } catch (error) {
    if (error instanceof ParseError) throw new PrometheusError('bad_data', describe(error.message), { cause: error });
    throw error;
  }
}

/** The conditions of every selector of an expression. */
export function selectorsOf(expression: Expr): (readonly LabelMatcher[])[] {
  if (expression.kind === 'vectorSelector') return [expression.matchers];
  return childrenOf(expression).flatMap(selectorsOf);
}
