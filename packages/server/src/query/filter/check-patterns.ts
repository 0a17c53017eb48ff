import type { FilterComparison } from '@signalbox/api-contract';
import { SignalboxError } from '../../pipeline/signalbox-error.ts';
import { engineCode } from '../../store/clickhouse/engine-error.ts';
import { type QueryContext, select } from '../query-context.ts';
import { SqlParameters } from '../sql-parameters.ts';
import { valueText } from './compare.ts';
import { filterError } from './read-filters.ts';

const maxPatternLength = 1_000;
const cannotCompileRegexp = 427;

/** Lets the engine read the filters' regular expressions, so that a wrong one is answered with its place. */
export async function checkPatterns(context: QueryContext, filters: readonly FilterComparison[]): Promise<void> {
  for (const filter of filters) {
    if ((filter.operator !== '=~' && filter.operator !== '!~') || filter.value === null) continue;
    const pattern = valueText(filter.value);
    if (pattern.length > maxPatternLength) {
      throw filterError(filter, 'value', `A regular expression has at most ${maxPatternLength} characters`);
    }
    const parameters = new SqlParameters();
    try {
      await select(context, parameters.statement(`SELECT match('', ${parameters.string(pattern)})`));
    } catch (error) {
      if (!(error instanceof SignalboxError) || engineCode(error.cause) !== cannotCompileRegexp) throw error;
      const reason = /error: ([^:]{1,200})/.exec((error.cause as Error).message)?.[1];
      throw filterError(
        filter,
        'value',
        `The regular expression can't be read${reason === undefined ? '' : `: ${reason}`}`,
        'The syntax is RE2: https://github.com/google/re2/wiki/Syntax',
      );
    }
  }
}
