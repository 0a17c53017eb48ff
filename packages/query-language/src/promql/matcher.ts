import { RE2JS } from 're2js';
import type { LabelMatcher } from './ast.ts';

/** A function that tells whether a label's value fulfils the matcher; expressions are RE2's, anchored on both sides. */
export function compileMatcher({ operator, value }: LabelMatcher): (label: string) => boolean {
  switch (operator) {
    case '=':
      return (label) => label === value;
    case '!=':
      return (label) => label !== value;
    default: {
      const expression = RE2JS.compile(`^(?s:${value})$`);
      const wanted = operator === '=~';
      return (label) => expression.matcher(label).find() === wanted;
    }
  }
}

/** Whether a series without the label fulfils the matcher. */
export function canMatchEmpty(matcher: LabelMatcher): boolean {
  try {
    return compileMatcher(matcher)('');
  } catch {
    return true; // no expression: said where it stands
  }
}
