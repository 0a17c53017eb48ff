import type { Expr } from '@signalbox/query-language';
import { childrenOf } from '@signalbox/query-language';
import { timeFunctions } from './functions/elementwise.ts';
import { sharedTime } from './functions/info.ts';

/** Functions whose result depends on the time of the evaluation, whatever their arguments are. */
const OF_THE_TIME: ReadonlySet<string> = new Set(['time', 'timestamp', 'predict_linear', ...timeFunctions]);

/** Whether a resolved expression has the same value at all steps: all of its selectors have a time of their own (`@`). */
export function isStepInvariant(expr: Expr): boolean {
  switch (expr.kind) {
    case 'vectorSelector':
    case 'subquery':
      return expr.at !== undefined;
    case 'matrixSelector':
      return expr.selector.at !== undefined;
    case 'call':
      // Its second argument is no vector. Where there is no one time, info series are those of each step.
      if (expr.name === 'info') return isStepInvariant(expr.args[0]) && sharedTime(expr.args[0]) !== undefined;
      return !OF_THE_TIME.has(expr.name) && expr.args.every(isStepInvariant);
    default:
      return childrenOf(expr).every(isStepInvariant);
  }
}
