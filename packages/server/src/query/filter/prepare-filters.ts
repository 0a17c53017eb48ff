import type { FilterComparison } from '@signalbox/api-contract';
import { type QueryContext, select } from '../query-context.ts';
import { SqlParameters } from '../sql-parameters.ts';
import type { TimeRange } from '../time-range.ts';
import { checkPatterns } from './check-patterns.ts';
import { type FilteredTable, type PreparedFilter, scopesOfKey } from './filter-condition.ts';

/**
 * Checks the filters' regular expressions, and finds out where the keys without a scope are not: a condition on the record's
 * own attributes alone lets the engine use its index on their values, one that may also be true elsewhere does not.
 */
export async function prepareFilters(
  context: QueryContext,
  filters: readonly FilterComparison[],
  table: FilteredTable,
  range: TimeRange,
): Promise<PreparedFilter[]> {
  await checkPatterns(context, filters);
  const prepared: PreparedFilter[] = [];
  for (const filter of filters) {
    if (filter.scope !== null || filter.intrinsic) {
      prepared.push(filter);
      continue;
    }
    const parameters = new SqlParameters();
    const statement = parameters.statement(scopesOfKey(filter.key, table, parameters, range));
    const [found] = await select<[number, number]>(context, statement);
    const absentIn = (['resource', 'event'] as const).filter((_, index) => found?.[index] === 0);
    prepared.push({ ...filter, absentIn });
  }
  return prepared;
}
