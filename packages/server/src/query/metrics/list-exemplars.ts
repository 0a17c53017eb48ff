import type { AnyValue, ExemplarsResponse } from '@signalbox/api-contract';
import { attributeColumns } from '../../store/clickhouse/attributes.ts';
import { checkPatterns } from '../filter/check-patterns.ts';
import { parseKeyValues, toKeyValues } from '../key-values.ts';
import { type QueryContext, select } from '../query-context.ts';
import { shownService } from '../service-name.ts';
import { SqlParameters, type Statement } from '../sql-parameters.ts';
import { type SeriesSelection, seriesCondition, serviceLabel } from './series-condition.ts';

export interface ExemplarsRequest extends SeriesSelection {
  readonly limit: number;
}

/**
 * Exemplars of a metric's points with the labels of their series, newest first. When there are more than asked for, the slices of
 * the range take turns, each with its largest value: a busy minute must not hide the slow request of an hour ago.
 */
export async function listExemplars(context: QueryContext, request: ExemplarsRequest): Promise<ExemplarsResponse> {
  await checkPatterns(context, request.filters);
  type Row = [string, number | string, string, string, string, string, ...unknown[]];
  const rows = await select<Row>(context, planExemplars(request));
  return {
    exemplars: rows.flatMap(([time, value, traceId, spanId, attributes, service, ...cells]) => {
      if (typeof value !== 'number') return [];
      const labels = toKeyValues(cells).map(({ key, value: label }) => [key, anyValueText(label)]);
      return {
        timeUnixNano: time,
        value,
        traceId,
        spanId,
        labels: Object.fromEntries([...labels, [serviceLabel, service]]) as Record<string, string>,
        filteredAttributes: parseKeyValues(attributes),
      };
    }),
  };
}

export function planExemplars(request: ExemplarsRequest): Statement {
  const parameters = new SqlParameters();
  const { range } = request;
  const columns = attributeColumns('attributes');
  const slices = Math.min(SLICES, request.limit);
  const sliceNanos = (range.to - range.from) / BigInt(slices) + 1n;
  const slice = `intDiv(at - ${parameters.int64(range.from)}, ${parameters.int64(sliceNanos)})`;
  return parameters.statement(
    `SELECT * EXCEPT (slice, place) FROM (
SELECT *, row_number() OVER (PARTITION BY slice ORDER BY value DESC, at, trace, span) AS place FROM (
SELECT toUnixTimestamp64Nano(exemplars.time) AS at, value,
  if(trace_id = toFixedString('', 16), '', lower(hex(trace_id))) AS trace, if(span_id = toFixedString('', 8), '', lower(hex(span_id))) AS span,
  exemplars.attributes, shown, ${columns.join(', ')}, ${slice} AS slice
FROM exemplars
INNER JOIN (
  SELECT series_id, toString(${shownService()}) AS shown, ${columns.join(', ')}
  FROM series
  WHERE ${seriesCondition(request, parameters)}
  LIMIT 1 BY series_id
) AS matching USING series_id
WHERE metric_name = ${parameters.string(request.name)} AND exemplars.time >= ${parameters.nanoTime(range.from)} AND exemplars.time < ${parameters.nanoTime(range.to)}
LIMIT 1 BY series_id, at, trace, span, value
)
ORDER BY place, value DESC, at, trace, span
LIMIT ${parameters.uint32(request.limit)}
)
ORDER BY at DESC, trace, span, value`,
  );
}

const SLICES = 50;

/** A value as one line of text: scalars as they are, others as JSON. */
function anyValueText(value: AnyValue): string {
  if ('stringValue' in value) return String(value.stringValue);
  if ('intValue' in value) return String(value.intValue);
  if ('boolValue' in value) return String(value.boolValue);
  if ('doubleValue' in value) return String(value.doubleValue);
  return JSON.stringify(value);
}
