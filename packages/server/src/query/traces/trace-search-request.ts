import { filterCondition, type PreparedFilter } from '../filter/filter-condition.ts';
import { isService } from '../service-name.ts';
import type { SqlParameters } from '../sql-parameters.ts';
import { isInTime } from '../time-condition.ts';
import type { TimeRange } from '../time-range.ts';

/** A trace search: what must hold on one and the same span. */
export interface TraceSearchRequest {
  readonly range: TimeRange;
  readonly service?: string | undefined;
  readonly operation?: string | undefined;
  readonly filters: readonly PreparedFilter[];
  /** Nanoseconds, inclusive. */
  readonly minDuration?: bigint | undefined;
  readonly maxDuration?: bigint | undefined;
  /** OTLP's numbers. */
  readonly status?: number | undefined;
  readonly kind?: number | undefined;
  readonly rootOnly: boolean;
  /** Traces in the answer. */
  readonly limit: number;
}

/** Whether a row of `spans` matches, time included. */
export function spanCondition(request: TraceSearchRequest, parameters: SqlParameters): string {
  const { range } = request;
  const conditions = [isInTime(range, parameters)];
  if (request.service !== undefined) conditions.push(isService(parameters, request.service));
  if (request.operation !== undefined) conditions.push(`name = ${parameters.string(request.operation)}`);
  if (request.kind !== undefined) conditions.push(`kind = ${parameters.uint32(request.kind)}`);
  if (request.status !== undefined) conditions.push(`status_code = ${parameters.uint32(request.status)}`);
  if (request.minDuration !== undefined) conditions.push(`duration >= ${parameters.uint64(request.minDuration)}`);
  if (request.maxDuration !== undefined) conditions.push(`duration <= ${parameters.uint64(request.maxDuration)}`);
  if (request.rootOnly) conditions.push(isRoot);
  for (const filter of request.filters) conditions.push(filterCondition(filter, 'spans', parameters, range));
  return conditions.join('\n  AND ');
}

/** Spans without a parent. */
export const isRoot = `parent_span_id = toFixedString('', 8)`;
