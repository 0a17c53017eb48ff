import { setFlagsFromString } from 'node:v8';
import type { FilterComparison } from '@signalbox/api-contract';
import { valueText } from './compare.ts';
import { filterError } from './read-filters.ts';

/**
 * The filter's RE2 expression as a JavaScript one that is anchored and, like RE2, takes time linear in the text: an
 * expression from outside must not stop the process. Only syntax that means the same in both is taken; the search, which
 * asks the engine, knows more.
 */
export function linearPattern(comparison: FilterComparison): RegExp {
  const body = comparison.value === null ? '' : valueText(comparison.value);
  enableLinearEngine();
  // Escapes that mean the same in both stand for any letter in what is looked at below.
  const plain = body.replace(/\\[\s\S]/g, (pair) => (/^\\[dDwWsSbBtnrfv]$|^\\[^0-9A-Za-z]$/.test(pair) ? 'x' : '\\'));
  const foreign = /\\|\(\?(?!:)|\[\[:|[+*?}]\+/.exec(plain);
  try {
    if (foreign !== null) throw new SyntaxError(`${foreign[0]} is not known here`);
    return new RegExp(`^(?:${body})$`, 'ls');
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw filterError(
      comparison,
      'value',
      'This regular expression can be searched for, but not watched live',
      'Use a simpler one: literals, classes like [a-z] and \\d, groups, |, *, + and ?. Words of the search ignore case.',
    );
  }
}

let enabled = false;

/** V8 has the engine for the flag `l` built in, but asks to be told. */
function enableLinearEngine(): void {
  if (enabled) return;
  setFlagsFromString('--enable-experimental-regexp-engine');
  enabled = true;
}
