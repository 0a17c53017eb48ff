import { type Static, staticKey, type traceql } from '@signalbox/query-language';
import { SignalboxError } from '../../../pipeline/signalbox-error.ts';
import { attributeTaggedPairs } from '../../../store/clickhouse/attributes.ts';
import { type QueryContext, select } from '../../query-context.ts';
import { SqlParameters } from '../../sql-parameters.ts';
import type { TimeRange } from '../../time-range.ts';
import type { KeyPlaces } from '../key-places.ts';
import { readResourceStatics } from '../read-traces.ts';
import { spanCondition } from '../span-condition.ts';
import { staticOfTagged } from '../static-values.ts';
import { rowCondition, stepSql, timeCondition } from './read-groups.ts';
import { META_TYPE, type TimeSeries } from './time-series.ts';
import type { TimeSteps } from './time-steps.ts';

export interface CompareRequest {
  readonly steps: TimeSteps;
  /** Contains the steps. */
  readonly range: TimeRange;
  readonly places: ReadonlyMap<string, KeyPlaces>;
}

/** Names of series by whether they are of the selection. */
const TYPES = ['baseline', 'selection'] as const;

const STATUS_SQL = "arrayElement(['unset', 'ok', 'error'], status_code + 1)";
const KIND_SQL = "arrayElement(['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'], kind + 1)";

/**
 * How often values of attributes are on the spans of a selection, and on all other spans: the most frequent values of each
 * attribute with their counts per step, and the spans that have the attribute at all.
 */
export async function compareSpans(
  context: QueryContext,
  pipeline: traceql.Pipeline,
  { selection, topN, start, end }: traceql.Compare,
  request: CompareRequest,
): Promise<readonly TimeSeries[]> {
  const { steps, range, places } = request;
  const parameters = new SqlParameters();
  const condition = rowCondition({ pipeline, range, places }, parameters);
  const chosen = spanCondition(selection.condition, { parameters, range, places });
  if (condition === undefined || !chosen.isExact) {
    throw new SignalboxError('invalid_argument', 'compare() is for conditions that each span answers alone', {
      hint: 'Leave out structural operators, aggregates, and fields of traces, events and links.',
    });
  }
  const inTime =
    start === 0n ? '' : ` AND time > ${parameters.nanoTime(start)} AND time <= ${parameters.nanoTime(end)}`;
  const source = `SELECT ${stepSql(steps, parameters)}, toUInt8(${chosen.sql}${inTime}) AS selected`;
  const where = `FROM spans WHERE ${timeCondition(steps, parameters)} AND ${condition.sql}`;
  const counts = 'sumMap(map(step, toUInt64(1)))';
  const pairs = `${source}, arrayJoin(arrayConcat(
    arrayMap(kv -> (concat('span.', kv.1), kv.2), ${attributeTaggedPairs('attributes')}),
    [('name', concat('s', toString(name))), ('status', concat('s', ${STATUS_SQL})), ('kind', concat('s', ${KIND_SQL})),
     ('statusMessage', concat('s', status_message)), ('instrumentation:name', concat('s', toString(scope_name)))])) AS pair
  ${where}`;
  const values = await select<[number, string, string, string, StepCounts]>(
    context,
    parameters.statement(
      `SELECT selected, pair.1 AS key, pair.2 AS value, count() AS total, ${counts} FROM (${pairs})
GROUP BY selected, key, value
ORDER BY total DESC, key, value
LIMIT ${parameters.uint32(topN)} BY selected, key`,
    ),
  );
  const totals = await select<[number, string, StepCounts]>(
    context,
    parameters.statement(`SELECT selected, pair.1 AS key, ${counts} FROM (${pairs}) GROUP BY selected, key`),
  );
  const resources = await select<[number, string, StepCounts]>(
    context,
    parameters.statement(
      `SELECT selected, resource_id, ${counts} FROM (${source}, resource_id ${where}) GROUP BY selected, resource_id`,
    ),
  );
  const ofResources = await countResources(context, resources, topN, steps.count);
  return [
    ...values.map(([selected, key, value, , count]) =>
      series(TYPES[selected ? 1 : 0], key, staticOfTagged(value), valuesOf(count, steps.count)),
    ),
    ...totals.map(([selected, key, count]) =>
      series(`${TYPES[selected ? 1 : 0]}_total`, key, NIL, valuesOf(count, steps.count)),
    ),
    ...ofResources,
  ];
}

const NIL: Static = { type: 'nil', value: null };

/** Counts by step. */
type StepCounts = Readonly<Record<string, string>>;

function valuesOf(counts: StepCounts, steps: number): Float64Array {
  const values = new Float64Array(steps);
  for (const [step, count] of Object.entries(counts)) values[Number(step)] = Number(count);
  return values;
}

function series(type: string, key: string, value: Static, values: Float64Array): TimeSeries {
  return {
    labels: [
      [META_TYPE, { type: 'string', value: type }],
      [key, value],
    ],
    values,
    exemplars: [],
  };
}

/** The same of the resources' attributes. */
async function countResources(
  context: QueryContext,
  rows: readonly [number, string, StepCounts][],
  topN: number,
  steps: number,
): Promise<TimeSeries[]> {
  const resources = await readResourceStatics(
    context,
    rows.map(([, id]) => id),
  );
  const found: TimeSeries[] = [];
  for (const [selected, type] of TYPES.entries()) {
    const attributes = new Map<string, Map<string, { value: Static; counts: Float64Array }>>();
    for (const [of, id, counts] of rows) {
      if (of !== selected) continue;
      for (const [name, value] of resources.get(id) ?? [])
        add(attributes, `resource.${name}`, value, valuesOf(counts, steps));
    }
    for (const [key, values] of attributes) {
      const all = [...values.values()].sort((a, b) => sum(b.counts) - sum(a.counts));
      found.push(...all.slice(0, topN).map(({ value, counts }) => series(type, key, value, counts)));
      const total = new Float64Array(steps).map((_, step) => sum(all.map(({ counts }) => counts[step] ?? 0)));
      found.push(series(`${type}_total`, key, NIL, total));
    }
  }
  return found;
}

function add(
  attributes: Map<string, Map<string, { value: Static; counts: Float64Array }>>,
  key: string,
  value: Static,
  counts: Float64Array,
): void {
  const values = attributes.get(key) ?? new Map<string, { value: Static; counts: Float64Array }>();
  attributes.set(key, values);
  const known = values.get(staticKey(value));
  values.set(staticKey(value), {
    value,
    counts: known === undefined ? counts : counts.map((count, step) => count + (known.counts[step] ?? 0)),
  });
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
