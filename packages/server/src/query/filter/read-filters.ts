import { type FilterComparison, FilterSyntaxError, parseFilter } from '@signalbox/api-contract';
import { QueryInputError } from '../query-input-error.ts';

const maxFilters = 32;

/** Reads the filters of a request; throws `QueryInputError` that points at the place in the filter. */
export function readFilters(texts: readonly string[]): FilterComparison[] {
  if (texts.length > maxFilters) {
    throw new QueryInputError(`At most ${maxFilters} filters are combined`, { parameter: 'filter' });
  }
  return texts.map((text) => {
    try {
      return parseFilter(text);
    } catch (error) {
      if (!(error instanceof FilterSyntaxError)) throw error;
      throw new QueryInputError(`${error.message} (in ${JSON.stringify(text)})`, {
        parameter: 'filter',
        position: error.position,
        hint: `Expected ${error.expected}.`,
      });
    }
  });
}

/** For a filter that is well written but means nothing here. */
export function filterError(
  comparison: FilterComparison,
  part: 'key' | 'value',
  message: string,
  hint?: string,
): QueryInputError {
  return new QueryInputError(message, {
    parameter: 'filter',
    position: part === 'key' ? comparison.keyPosition : comparison.valuePosition,
    hint,
  });
}
