import { type LogCandidate, logFilterTest } from '../filter/match-log.ts';
import { unknownService } from '../service-name.ts';
import { bodyMatcher } from './body-words.ts';
import type { LogConditions } from './log-search-request.ts';

/** The search's conditions, time aside, as a test of a record in memory. Throws `QueryInputError` for what it can't watch. */
export function logTest(conditions: LogConditions): (candidate: LogCandidate) => boolean {
  const { service, severities, traceId, spanId } = conditions;
  const words = bodyMatcher(conditions.words);
  const filters = conditions.filters.map(logFilterTest);
  return (candidate) => {
    const { record } = candidate;
    if (service !== undefined && record.service !== service) return false;
    if (severities.length > 0 && !severities.includes(record.severity)) return false;
    if (traceId !== undefined && record.traceId !== traceId) return false;
    if (spanId !== undefined && record.spanId !== spanId) return false;
    return words(candidate.bodyText) && filters.every((test) => test(candidate));
  };
}

/** The service as it is shown, for records in memory. */
export function shownServiceName(name: string): string {
  return name === '' ? unknownService : name;
}
