import type { AnyValue, LogRecord, LogSearchResponse } from '@signalbox/api-contract';
import { attributeColumns } from '../../store/clickhouse/attributes.ts';
import { prepareFilters } from '../filter/prepare-filters.ts';
import { parseAnyValue, toKeyValues } from '../key-values.ts';
import { type QueryContext, select } from '../query-context.ts';
import { resourceAttributes } from '../resource-attributes.ts';
import { shownService } from '../service-name.ts';
import { SqlParameters, type Statement } from '../sql-parameters.ts';
import { isInTime } from '../time-condition.ts';
import { type LogCursor, printCursor } from './log-cursor.ts';
import { type LogSearchRequest, logCondition } from './log-search-request.ts';
import { severityOf } from './severity.ts';

export interface LogPageRequest extends LogSearchRequest {
  /** Records in the answer. */
  readonly limit: number;
  readonly cursor?: LogCursor | undefined;
}

/**
 * Matching records, newest first; records of the same time in an order of their content, so that pages neither skip nor
 * repeat. One statement counts and finds the time where the page ends, another reads only the records after it.
 */
export async function searchLogs(context: QueryContext, asked: LogPageRequest): Promise<LogSearchResponse> {
  const request = { ...asked, filters: await prepareFilters(context, asked.filters, 'logs', asked.range) };
  const [counted] = await select<[string, string, string]>(context, planLogPage(request));
  const [total = '0', found = '0', oldest = '0'] = counted ?? [];
  if (found === '0') return { logs: [], total: Number(total), nextCursor: null };
  const rows = await select<LogCells>(context, planLogs(request, BigInt(oldest)));
  const given = rows.slice(0, request.limit);
  const resources = await resourceAttributes(context, [...new Set(given.map((cells) => cells[12]))]);
  const positions = new Positions(request.cursor);
  const logs = given.map((cells) => {
    const { given: copies } = positions.next(BigInt(cells[0]), BigInt(cells[1]));
    return toLogRecord(cells, copies, resources.get(cells[12]) ?? []);
  });
  // The first statement looked for one record more than the page takes.
  const more = rows.length > request.limit || Number(found) > request.limit + (request.cursor?.givenAtTime ?? 0);
  return { logs, total: Number(total), nextCursor: more ? printCursor(positions.last(BigInt(oldest))) : null };
}

/** Counts the copies of equal records, on from where the page before ended. */
class Positions {
  #last: LogCursor | undefined;

  constructor(cursor: LogCursor | undefined) {
    this.#last = cursor;
  }

  next(time: bigint, hash: bigint): LogCursor {
    const last = this.#last;
    const sameTime = last?.time === time;
    this.#last = {
      time,
      hash,
      given: sameTime && last.hash === hash ? last.given + 1 : 1,
      givenAtTime: sameTime ? last.givenAtTime + 1 : 1,
    };
    return this.#last;
  }

  /** Where the next page begins; `oldest` stands in for a page without a record. */
  last(oldest: bigint): LogCursor {
    return this.#last ?? { time: oldest, hash: 2n ** 64n - 1n, given: 0, givenAtTime: 0 };
  }
}

/** How many records match in all, how many stand on and before this page as far as it needs to know, and the time of its last. */
export function planLogPage(request: LogPageRequest): Statement {
  const parameters = new SqlParameters();
  const { cursor } = request;
  const wanted = parameters.uint32(request.limit + 1 + (cursor?.givenAtTime ?? 0));
  const times =
    cursor === undefined
      ? `groupArraySorted(${wanted})(-toUnixTimestamp64Nano(time))`
      : `groupArraySortedIf(${wanted})(-toUnixTimestamp64Nano(time), time <= ${parameters.nanoTime(cursor.time)})`;
  return parameters.statement(
    `SELECT count() AS total, length(times) AS found, -times[-1] AS oldest, ${times} AS times
FROM logs
WHERE ${logCondition(request, parameters)}`,
  );
}

type LogCells = [
  time: string,
  hash: string,
  observedTime: string,
  severityNumber: number,
  severityText: string,
  service: string,
  body: string,
  bodyType: number,
  eventName: string,
  traceId: string,
  spanId: string,
  scope: [name: string, version: string],
  resourceId: string,
  ...attributes: unknown[],
];

const attributeCells = attributeColumns('attributes').join(', ');

/** All that makes a record, but for its time. */
const contentHash = `cityHash64(observed_time, trace_id, span_id, flags, severity_number, severity_text, service, body, body_type, event_name, scope_name, scope_version, scope_attributes, resource_id, ${attributeCells})`;

/** The records of a page and one more. @param oldest time of the last of them, in nanoseconds. */
export function planLogs(request: LogPageRequest, oldest: bigint): Statement {
  const parameters = new SqlParameters();
  const { cursor } = request;
  const newest = cursor === undefined ? request.range.to : cursor.time + 1n;
  const conditions = [logCondition(request, parameters), isInTime({ from: oldest, to: newest }, parameters)];
  if (cursor !== undefined) {
    const time = parameters.nanoTime(cursor.time);
    conditions.push(`(time < ${time} OR hash <= ${parameters.uint64(cursor.hash)})`);
  }
  return parameters.statement(
    `SELECT toUnixTimestamp64Nano(time), ${contentHash} AS hash, toUnixTimestamp64Nano(observed_time), severity_number, severity_text, ${shownService()}, body, body_type, event_name,
  if(trace_id = toFixedString('', 16), '', lower(hex(trace_id))), if(span_id = toFixedString('', 8), '', lower(hex(span_id))), (scope_name, scope_version), resource_id,
  ${attributeCells}
FROM logs
WHERE ${conditions.join('\n  AND ')}
ORDER BY time DESC, hash DESC
LIMIT ${parameters.uint32(request.limit + 1)} OFFSET ${parameters.uint32(cursor?.given ?? 0)}`,
  );
}

function toLogRecord(cells: LogCells, copy: number, resource: LogRecord['resourceAttributes']): LogRecord {
  const [time, hash, observed, severityNumber, severityText, service, body, bodyType, eventName, traceId, spanId] =
    cells;
  const [name, version] = cells[11];
  const id = `${time}-${BigInt(hash).toString(16)}`;
  return {
    id: copy === 1 ? id : `${id}-${copy}`,
    timeUnixNano: time,
    observedTimeUnixNano: observed,
    severity: severityOf(severityNumber),
    severityNumber,
    severityText,
    service,
    body: bodyValue(body, bodyType),
    eventName,
    traceId,
    spanId,
    attributes: toKeyValues(cells.slice(13)),
    resourceAttributes: resource,
    scope: { name, version },
  };
}

/** @param type number of AttributeType (records): 0 empty, 1 string; the others are OTLP/JSON text. */
function bodyValue(body: string, type: number): AnyValue {
  if (type === 0) return {};
  return type === 1 ? { stringValue: body } : parseAnyValue(body);
}
