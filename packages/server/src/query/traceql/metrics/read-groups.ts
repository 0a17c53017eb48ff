import { NIL, type Static, type traceql } from '@signalbox/query-language';
import { attributeHasType, attributeNumber, attributeOfType } from '../../../store/clickhouse/attributes.ts';
import { type QueryContext, select } from '../../query-context.ts';
import { SqlParameters } from '../../sql-parameters.ts';
import { isInTime } from '../../time-condition.ts';
import type { TimeRange } from '../../time-range.ts';
import type { KeyPlaces } from '../key-places.ts';
import { readResourceStatics } from '../read-traces.ts';
import { conjunction, type SpanCondition, spanCondition } from '../span-condition.ts';
import { SpanFields } from '../span-fields.ts';
import { TraceSpan } from '../trace-span.ts';
import type { MetricsRequest } from './query-metrics.ts';
import type { SeriesCollector } from './series-collector.ts';
import { endOf, type TimeSteps } from './time-steps.ts';

export interface GroupsRequest extends MetricsRequest {
  readonly pipeline: traceql.Pipeline;
  readonly aggregate: traceql.MetricsAggregate;
  /** Contains the steps. */
  readonly range: TimeRange;
  readonly places: ReadonlyMap<string, KeyPlaces>;
}

const maxGroups = 1_000_000;

/** Fields whose values are columns of a row, or made of them alone. */
const ROW_INTRINSICS: ReadonlySet<string> = new Set([
  'name',
  'status',
  'statusMessage',
  'kind',
  'instrumentation:name',
  'instrumentation:version',
  'event:name',
  'link:traceID',
  'link:spanID',
]);

/**
 * Lets the engine count: rows grouped by step and by the columns that the labels are read from. Resolves to false, having
 * read nothing, when the pipeline is more than a condition on rows, or a label or a value depends on more than its row.
 */
export async function readGroups(
  context: QueryContext,
  request: GroupsRequest,
  collector: SeriesCollector,
): Promise<boolean> {
  const { aggregate, steps } = request;
  const parameters = new SqlParameters();
  const condition = rowCondition(request, parameters);
  const measure = measureOf(request, parameters);
  const isOfRows = aggregate.by.every((field) => field.kind === 'attribute' || ROW_INTRINSICS.has(field.name));
  if (condition === undefined || measure === undefined || !isOfRows) return false;
  const fields = new SpanFields(parameters);
  const readers = aggregate.by.map((field) => fields.reader(field));
  const columns = [...fields.columns, ...(fields.readsResources ? ['resource_id'] : [])];
  const keys = columns.map((column, index) => `${column} AS key${index}`);
  const names = columns.map((_, index) => `key${index}`);
  const inTime = timeCondition(steps, parameters);
  const step = stepSql(steps, parameters);
  const statement = parameters.statement(
    `SELECT ${[step, measure.bucket, 'count()', measure.value, measure.valueCount].join(', ')}${keys.map((key) => `, ${key}`).join('')}
FROM spans
WHERE ${inTime} AND ${condition.sql}
GROUP BY ${['step', 'bucket', ...names].join(', ')}`,
  );
  const rows = await select<GroupCells>(context, statement, maxGroups);
  const resources = fields.readsResources
    ? await readResourceStatics(
        context,
        rows.map((row) => String(row.at(-1))),
      )
    : new Map<string, ReadonlyMap<string, Static>>();
  const groupOf = (row: readonly unknown[], head: number): Static[] => {
    const resource = fields.readsResources ? resources.get(String(row.at(-1))) : undefined;
    const span = new TraceSpan(NO_TRACE, NO_SPAN, row.slice(head), resource ?? new Map());
    return readers.map((read) => read(span)[0] ?? NIL);
  };
  for (const row of rows) {
    const [at, bucket, count, value, valueCount] = row;
    if (measure.hasBuckets && bucket === null) continue;
    collector.observe({
      step: Number(at),
      group: groupOf(row, 5),
      count: Number(count),
      value: value === null ? undefined : Number(value),
      valueCount: Number(valueCount),
      bucket: bucket === null ? undefined : 2 ** Number(bucket) * measure.unit,
    });
  }
  if (request.exemplars > 0) {
    const one = parameters.statement(
      `SELECT lower(hex(trace_id)), lower(hex(span_id)), toUnixTimestamp64Nano(time), ${measure.own}${keys.map((key) => `, ${key}`).join('')}, ${step}
FROM spans
WHERE ${inTime} AND ${condition.sql}
LIMIT 1 BY step${names.map((name) => `, ${name}`).join('')}
LIMIT ${parameters.uint32(request.exemplars)}`,
    );
    for (const row of await select<ExemplarCells>(context, one)) {
      const [traceId, spanId, time, value] = row;
      const cells = row.slice(0, -1);
      collector.observeExemplar(groupOf(cells, 4), {
        timeMs: Number(BigInt(time) / 1_000_000n),
        value: value === null ? Number.NaN : Number(value),
        labels: [
          ['trace:id', { type: 'string', value: traceId }],
          ['span:id', { type: 'string', value: spanId }],
        ],
      });
    }
  }
  return true;
}

type GroupCells = [
  step: string,
  bucket: number | null,
  count: string,
  value: number | string | null,
  valueCount: string,
  ...keys: unknown[],
];
type ExemplarCells = [traceId: string, spanId: string, time: string, value: number | null, ...unknown[]];

const NO_TRACE = { traceId: '', start: 0n, end: 0n, root: undefined, services: [] };
const NO_SPAN = { id: '', parentId: '', start: 0n, duration: 0 };

/** undefined: not all of the pipeline is a condition on rows. */
export function rowCondition(
  { pipeline, range, places }: Pick<GroupsRequest, 'pipeline' | 'range' | 'places'>,
  parameters: SqlParameters,
): SpanCondition | undefined {
  let condition: SpanCondition = { sql: '1', isExact: true };
  for (const stage of pipeline.stages) {
    if (stage.kind === 'select' || stage.kind === 'coalesce') continue;
    if (stage.kind !== 'spansetFilter') return undefined;
    condition = conjunction(condition, spanCondition(stage.condition, { parameters, range, places }));
  }
  return condition.isExact ? condition : undefined;
}

export function timeCondition(steps: TimeSteps, parameters: SqlParameters): string {
  return isInTime({ from: steps.start + 1n, to: endOf(steps) + 1n }, parameters);
}

export function stepSql({ start, step }: TimeSteps, parameters: SqlParameters): string {
  return `intDiv(toUnixTimestamp64Nano(time) - ${parameters.int64(start)} - 1, ${parameters.int64(step)}) AS step`;
}

interface Measure {
  /** Exponent of the power of two that is the upper end of the value's bucket. */
  readonly bucket: string;
  readonly value: string;
  readonly valueCount: string;
  /** Of one row. */
  readonly own: string;
  readonly hasBuckets: boolean;
  /** What the buckets are in. */
  readonly unit: number;
}

const NO_BUCKET = 'NULL AS bucket';

/** undefined: the value is not in the row. */
function measureOf({ aggregate, places }: GroupsRequest, parameters: SqlParameters): Measure | undefined {
  const { function: name, field } = aggregate;
  if (field === undefined) {
    return { bucket: NO_BUCKET, value: 'NULL', valueCount: '0', own: 'NULL', hasBuckets: false, unit: 1 };
  }
  const isDuration = field.kind === 'intrinsic' && field.name === 'duration';
  if (!isDuration && !isOwnScalar(field, places)) return undefined;
  const key = parameters.string(field.name);
  const number = isDuration ? 'duration / 1e9' : attributeNumber('attributes', key);
  if (name === 'histogram_over_time' || name === 'quantile_over_time') {
    const whole = isDuration ? 'duration' : intSql(key);
    return {
      bucket: `if(${whole} < 2, NULL, ${exponentSql(`toUInt64(${whole} - 1)`)}) AS bucket`,
      value: 'NULL',
      valueCount: '0',
      own: number,
      hasBuckets: true,
      unit: isDuration ? 1e-9 : 1,
    };
  }
  const fold = name === 'min_over_time' ? 'min' : name === 'max_over_time' ? 'max' : 'sum';
  const value = `${fold}(${number})`;
  return { bucket: NO_BUCKET, value, valueCount: `count(${number})`, own: number, hasBuckets: false, unit: 1 };
}

function intSql(key: string): string {
  return `if(${attributeHasType('attributes', 'int', key)}, ${attributeOfType('attributes', 'int', key)}, 0)`;
}

/** Bits of the number, which is that of the next power of two. A logarithm is exact below 2^48 only. */
function exponentSql(number: string): string {
  return `if(${number} < 281474976710656, toUInt8(floor(log2(${number}))) + 1, toUInt8(length(trim(LEADING '0' FROM bin(${number})))))`;
}

/** Whether the attribute is a span's own and no array, wherever it is. */
function isOwnScalar(field: traceql.Field, places: ReadonlyMap<string, KeyPlaces>): boolean {
  if (field.kind !== 'attribute') return false;
  const known = places.get(field.name);
  if (known === undefined) return false;
  if (field.scope === 'span') return !known.composite;
  const isElsewhere = known.resource || known.event || known.link || known.instrumentation;
  return field.scope === 'none' && !known.composite && !isElsewhere;
}
