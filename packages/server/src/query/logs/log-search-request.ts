import type { Severity } from '@signalbox/api-contract';
import { filterCondition, type PreparedFilter } from '../filter/filter-condition.ts';
import { isService } from '../service-name.ts';
import type { SqlParameters } from '../sql-parameters.ts';
import { isInTime } from '../time-condition.ts';
import type { TimeRange } from '../time-range.ts';
import { type BodyWord, bodyConditions } from './body-words.ts';
import { severityRange } from './severity.ts';

/** What must hold for a log record, time aside. */
export interface LogConditions {
  readonly words: readonly BodyWord[];
  readonly service?: string | undefined;
  /** Any of these; empty: all. */
  readonly severities: readonly Severity[];
  readonly filters: readonly PreparedFilter[];
  /** Hex digits in lower case. */
  readonly traceId?: string | undefined;
  readonly spanId?: string | undefined;
}

export interface LogSearchRequest extends LogConditions {
  readonly range: TimeRange;
}

/** Whether a row of `logs` matches, time included. */
export function logCondition(request: LogSearchRequest, parameters: SqlParameters): string {
  const { range } = request;
  const conditions = [isInTime(range, parameters)];
  if (request.service !== undefined) conditions.push(isService(parameters, request.service));
  if (request.severities.length > 0) {
    const ranges = request.severities.map((severity) => {
      const [low, high] = severityRange(severity);
      return `severity_number BETWEEN ${parameters.uint32(low)} AND ${parameters.uint32(high)}`;
    });
    conditions.push(`(${ranges.join(' OR ')})`);
  }
  if (request.traceId !== undefined) conditions.push(`trace_id = ${parameters.fixedBytes(request.traceId, 16)}`);
  if (request.spanId !== undefined) conditions.push(`span_id = ${parameters.fixedBytes(request.spanId, 8)}`);
  conditions.push(...bodyConditions(request.words, parameters));
  for (const filter of request.filters) conditions.push(filterCondition(filter, 'logs', parameters, range));
  return conditions.join('\n  AND ');
}
