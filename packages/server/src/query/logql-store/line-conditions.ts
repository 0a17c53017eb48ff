import type { LineAlternative, LineFilter, Stage } from '@signalbox/query-language';
import type { SqlParameters } from '../sql-parameters.ts';
import { LOG_STRING_BODY } from './log-rows.ts';

/** Conditions of SQL that say what line filters say. */
export interface LineConditions {
  readonly conditions: readonly string[];
  /** They are all that the query's line filters say. */
  readonly isExact: boolean;
  /** Some of them look at the line, which of bodies that are no texts is another one than what is stored. */
  readonly readsBody: boolean;
}

/**
 * What of a pipeline the store can decide: line filters that stand before everything that changes lines. Bodies that are no texts
 * always pass: their lines are made here.
 */
export function lineConditions(stages: readonly Stage[], parameters: SqlParameters): LineConditions {
  const conditions: string[] = [];
  let isExact = true;
  for (const stage of stages) {
    if (stage.kind === 'lineFormat' || stage.kind === 'decolorize' || stage.kind === 'unpack') {
      isExact = false;
      break;
    }
    if (stage.kind !== 'lineFilter') continue;
    const condition = filterCondition(stage, parameters);
    if (condition === undefined) isExact = false;
    else if (condition !== '') conditions.push(`(body_type > ${LOG_STRING_BODY} OR ${condition})`);
  }
  return { conditions, isExact, readsBody: conditions.length > 0 };
}

/** '' where every line passes; undefined where the store can't decide it. */
function filterCondition({ operator, alternatives }: LineFilter, parameters: SqlParameters): string | undefined {
  const parts = alternatives.map((alternative) => alternativeCondition(operator, alternative, parameters));
  if (parts.some((part) => part === undefined)) return undefined;
  const condition = `(${parts.join(' OR ')})`;
  return operator.startsWith('!') ? `NOT ${condition}` : condition;
}

function alternativeCondition(
  operator: LineFilter['operator'],
  { text, isIp }: LineAlternative,
  parameters: SqlParameters,
): string | undefined {
  if (isIp) return undefined;
  switch (operator) {
    case '|=':
    case '!=':
      return containsText(text, operator === '|=', parameters);
    case '|~':
    case '!~':
      return matchesExpression(text, operator === '|~', parameters);
    default:
      return undefined;
  }
}

function containsText(text: string, isWanted: boolean, parameters: SqlParameters): string {
  if (text === '') return '1';
  const contains = `position(body, ${parameters.string(text)}) > 0`;
  if (!isWanted) return contains;
  // The index knows whole words: parts without them need not be read. Of a line it says nothing that `contains` does not say for less.
  const tokens = wholeTokens(text).map((token) => `indexHint(hasToken(lower(body), ${parameters.string(token)}))`);
  return [...tokens, contains].join(' AND ');
}

/** Words of ASCII letters and digits that stand between separators inside of the text, in lower case. */
function wholeTokens(text: string): string[] {
  const tokens: string[] = [];
  for (const { 0: token, index } of text.matchAll(/[0-9A-Za-z\u0080-\u{10FFFF}]+/gu)) {
    const isInside = index > 0 && index + token.length < text.length;
    if (isInside && /^[0-9A-Za-z]+$/.test(token)) tokens.push(token.toLowerCase());
  }
  return [...new Set(tokens)];
}

/** Expressions longer than this are not given to the engine. */
const MAX_EXPRESSION = 4096;

/** Both are RE2; the engine's dot takes line feeds unless it is told not to. */
function matchesExpression(expression: string, isWanted: boolean, parameters: SqlParameters): string | undefined {
  if (expression.length > MAX_EXPRESSION || expression.includes('\0')) return undefined;
  if (!/[\\^$.|?*+()[\]{}]/.test(expression)) return containsText(expression, isWanted, parameters);
  return `match(body, ${parameters.string(`(?-s)${expression}`)})`;
}
