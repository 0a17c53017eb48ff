/**
 * What a check found, in the shape that vitest's and jest's matchers want. `message` says what is wrong; negated, what should
 * not have been.
 */
export interface CheckResult {
  readonly pass: boolean;
  readonly message: () => string;
}

export function checked(pass: boolean, wrong: () => string, wrongWhenNegated: () => string): CheckResult {
  return { pass, message: pass ? wrongWhenNegated : wrong };
}
